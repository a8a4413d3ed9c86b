// The members of a chat group: listing, searching, adding and removing them, and answering requests to join.

import { asProblem, del, get, part, put } from "../client/api.js";
import { isChannelId } from "../client/conversations.js";
import { whenLoaded } from "../client/offline.js";
import { session } from "../client/session.js";
import { dialoguePath } from "../router.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { fill, h, submitting, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, confirmDialog, dialog, notice } from "../ui/overlay.js";
import { PagedList } from "../ui/paged_list.js";
import { SearchField } from "../ui/search_field.js";

const PAGE = 50;

/**
 * Shows the members of a group to one of them.
 * @param {Api.GroupResponse} group
 * @param {{ isStaff: boolean }} options
 */
export function showMembers(group, { isStaff }) {
  const members = new Members(group, isStaff);
  return dialog({ title: t("members.title"), className: "members", build: (close) => members.build(close) });
}

class Members {
  /**
   * @param {Api.GroupResponse} group
   * @param {boolean} isStaff
   */
  constructor(group, isStaff) {
    this.#group = group;
    this.#path = `/v1/groups/${part(group.group_id)}`;
    this.#isStaff = isStaff;
  }

  #group;
  /** @type {App.GroupPath} */
  #path;
  #isStaff;
  /** @type {() => void} */
  #close = () => {};
  #requests = h("div", { hidden: true });
  #search = new SearchField({ label: t("people.search"), onSearch: () => this.#members.reload() });
  #members = new PagedList({
    list: h("ul.people-list"),
    fetchPage: (cursor) => get(`${this.#path}/members`, { q: this.#search.words, limit: PAGE, cursor }),
    renderRow: (member) => this.#memberRow(member),
    emptyText: () => t("people.noMatch"),
  });

  /** @param {() => void} close */
  build(close) {
    this.#close = close;
    this.#members.reload();
    if (this.#isStaff) this.#loadRequests();
    return h(
      "div.sheet-body",
      {},
      this.#mayAdd ? this.#addForm() : null,
      this.#requests,
      this.#search.element,
      this.#members.elements,
    );
  }

  /** In a work group every member may add others. */
  get #mayAdd() {
    return this.#isStaff || this.#group.type === "work";
  }

  #addForm() {
    const id = uniqueId("add");
    const error = h("p.error", { id: `${id}-error`, role: "alert", hidden: true });
    const input = h("input", { id, autocomplete: "off", dir: "auto", "aria-describedby": `${id}-error` });
    const submit = submitting(async () => {
      const userId = input.value.trim();
      if (!userId) return;
      error.hidden = true;
      try {
        const added = await put(`${this.#path}/members/${part(userId)}`);
        input.value = "";
        const isInvited = "is_invited" in added;
        notice(t(isInvited ? "members.invited" : "members.added", { user: userId }));
        this.#members.reload();
      } catch (refusal) {
        error.textContent = asProblem(refusal).userMessage;
        error.hidden = false;
      }
      input.focus();
    });
    return h(
      "form.add-line",
      { on: { submit } },
      h("label", { for: id }, t("members.add")),
      h("div.line", {}, input, h("button.primary", { type: "submit" }, t("members.add.do"))),
      error,
    );
  }

  /** @param {Api.MemberResponse} member */
  #memberRow(member) {
    const { user_id: userId } = member;
    const name = member.name_card || member.name || userId;
    const isMe = userId === session.userId;
    const role = member.role === "member" ? null : h("span.role", {}, t(`role.${member.role}`));
    const text = h(
      "span.person-text",
      {},
      h("span.person-name", { dir: "auto" }, isMe ? t("members.me", { name }) : name),
      name === userId ? null : h("span.soft", { dir: "auto" }, userId),
    );
    const content = [avatar({ id: userId, name, url: member.face_url, shape: "round", size: "small" }), text, role];
    const mayWrite = !isMe && !isChannelId(userId);
    return h(
      "li.person-line",
      {},
      mayWrite
        ? h(
            "a.person-link",
            {
              href: dialoguePath(userId),
              "data-inside": true,
              "aria-label": t("dialogue.with", { name }),
              on: { click: () => this.#close() },
            },
            content,
            icon("letter"),
          )
        : h("span.person-link", {}, content),
      this.#isStaff && !isMe && member.role !== "owner"
        ? h(
            "button.quiet.square.small",
            {
              type: "button",
              "aria-label": t("members.remove.label", { name }),
              on: { click: () => this.#remove(userId, name) },
            },
            icon("close"),
          )
        : null,
    );
  }

  /**
   * @param {string} userId
   * @param {string} name
   */
  async #remove(userId, name) {
    if (
      !(await confirmDialog({
        title: t("members.remove.title"),
        text: t("members.remove.confirm", { name }),
        action: t("members.remove"),
      }))
    )
      return;
    if (await attempt(() => del(`${this.#path}/members/${part(userId)}`))) this.#members.reload();
  }

  /** The requests to join, which are hidden while there are none. */
  async #loadRequests() {
    await attempt(async () => {
      const { JoinRequests } = await whenLoaded(import("../invites/requests.js"));
      const place = /** @type {const} */ ({ kind: "group", id: this.#group.group_id });
      const onChange = () => {
        this.#requests.hidden = requests.isEmpty;
        this.#members.reload();
      };
      const requests = new JoinRequests(place, { onChange });
      fill(this.#requests, h("h3", {}, t("members.requests")), requests.element);
      this.#requests.closest("dialog")?.addEventListener("close", () => requests.close());
    });
  }
}
