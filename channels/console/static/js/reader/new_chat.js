// Starting a chat: a message to a person, a new group, or joining a group.

import { asProblem, client, get, part, post, put } from "../client/api.js";
import { conversations, dialogueConversationId, isChannelId } from "../client/conversations.js";
import { lengthError, limits } from "../client/limits.js";
import { session } from "../client/session.js";
import { dialoguePath, go, groupPath } from "../router.js";
import { t } from "../texts.js";
import { h, submitting, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { dialog, menu, notice, promptDialog } from "../ui/overlay.js";

/**
 * How people join a new group, and the type of group that has this rule.
 * @type {[joining: "invite" | "approval" | "link", type: Api.GroupType][]}
 */
const GROUP_TYPES = [
  ["invite", "work"],
  ["approval", "public"],
  ["link", "community"],
];

/** @param {HTMLElement} anchor */
export function openNewChatMenu(anchor) {
  menu(anchor, [
    { label: t("newChat.person"), icon: "letter", act: messagePerson },
    { label: t("newChat.group"), icon: "people", act: createGroup },
    { label: t("newChat.join"), icon: "plus", act: joinGroup },
  ]);
}

export async function messagePerson() {
  let warnedOf = "";
  const userId = await promptDialog({
    title: t("newChat.person.title"),
    label: t("people.id"),
    action: t("newChat.person.do"),
    check: async (text) => {
      const id = text.trim();
      if (!isPersonId(id)) return t("newChat.person.invalid");
      // Users without a profile can be written to, and the server cannot tell them from nobody. So the user decides.
      if (id === warnedOf) return null;
      try {
        if (await isKnown(id)) return null;
      } catch (error) {
        return asProblem(error).userMessage;
      }
      warnedOf = id;
      return t("newChat.person.unknown", { id });
    },
  });
  if (userId !== null) go(dialoguePath(userId.trim()));
}

/**
 * Whether the user has written with this person before, or the person has a profile.
 * @param {string} id
 */
async function isKnown(id) {
  if (id === session.userId || conversations.byId.has(dialogueConversationId(id))) return true;
  return (await client.byIds("/v1/users", "user_id", [id])).has(id);
}

/** @param {string} id */
const isPersonId = (id) => id !== "" && id !== "." && id !== ".." && !isChannelId(id);

export async function joinGroup() {
  const groupId = await promptDialog({
    title: t("newChat.join.title"),
    label: t("newChat.join.id"),
    action: t("newChat.join.do"),
    check: async (text) => {
      const id = text.trim();
      if (!id) return t("error.required");
      try {
        const group = await get(`/v1/groups/${part(id)}`);
        return group.is_channel ? t("newChat.join.isChannel") : null;
      } catch (error) {
        const problem = asProblem(error);
        return problem.status === 404 || problem.status === 400 ? t("newChat.join.notFound") : problem.userMessage;
      }
    },
  });
  if (groupId !== null) go(groupPath(groupId.trim()));
}

export async function createGroup() {
  const group = await dialog({ title: t("newGroup.title"), build: (close) => new GroupForm(close).element });
  if (group) go(groupPath(group.group_id));
}

/** Name, who can join, and the first members. Closes the dialog with the new group. */
class GroupForm {
  /** @param {(group?: Api.GroupResponse | null) => void} close */
  constructor(close) {
    this.#close = close;
    const id = uniqueId("group");
    this.#error = h("p.error", { id: `${id}-error`, role: "alert", hidden: true });
    this.#name = h("input", {
      id: `${id}-name`,
      autofocus: true,
      autocomplete: "off",
      dir: "auto",
      "aria-describedby": `${id}-error`,
    });
    this.#member = h("input", {
      id: `${id}-member`,
      autocomplete: "off",
      dir: "auto",
      on: {
        keydown: (event) => {
          if (event.key !== "Enter" || event.isComposing || !this.#member.value.trim()) return;
          event.preventDefault();
          this.#addMember();
        },
      },
    });
    this.#members = h("ul.shelf", { "aria-label": t("newGroup.members"), hidden: true });
    this.#joining = GROUP_TYPES.map(([key], index) =>
      h("input", { id: `${id}-${key}`, type: "radio", name: `${id}-joining`, value: key, checked: index === 0 }),
    );
    this.#button = h("button.primary", { type: "submit" }, t("newGroup.do"));
    this.element = h(
      "form.sheet-body",
      { on: { submit: submitting(() => this.#create()) } },
      h("label", { for: `${id}-name` }, t("newGroup.name")),
      this.#name,
      this.#error,
      h(
        "fieldset.plain-set.stacked",
        {},
        h("legend", {}, t("newGroup.joining")),
        this.#joining.map((input, index) =>
          h(
            "div.choice-line",
            {},
            input,
            h("label", { for: input.id }, t(`newGroup.joining.${GROUP_TYPES[index][0]}`)),
          ),
        ),
      ),
      h("label", { for: `${id}-member` }, t("newGroup.member")),
      h(
        "div.line",
        {},
        this.#member,
        h("button.plain", { type: "button", on: { click: () => this.#addMember() } }, t("members.add.do")),
      ),
      this.#members,
      h(
        "div.actions",
        {},
        h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
        this.#button,
      ),
    );
  }

  #close;
  #error;
  #name;
  #member;
  #members;
  #joining;
  #button;
  /** @type {Set<string>} */
  #userIds = new Set();

  #addMember() {
    const userId = this.#member.value.trim();
    if (userId && userId !== session.userId && !this.#userIds.has(userId)) {
      this.#userIds.add(userId);
      const remove = () => {
        this.#userIds.delete(userId);
        line.remove();
        this.#members.hidden = !this.#userIds.size;
        this.#member.focus();
      };
      const line = h(
        "li",
        {},
        h("span", { dir: "auto" }, userId),
        h(
          "button.quiet.square.small",
          { type: "button", "aria-label": t("members.remove.label", { name: userId }), on: { click: remove } },
          icon("close"),
        ),
      );
      this.#members.append(line);
    }
    this.#members.hidden = !this.#userIds.size;
    this.#member.value = "";
    this.#member.focus();
  }

  async #create() {
    const name = this.#name.value.trim();
    const error = name ? lengthError(name, limits.group_name_bytes) : t("error.required.name");
    if (error !== null) return this.#showError(error);
    if (this.#member.value.trim()) this.#addMember(); // typed, but not added to the list
    this.#button.disabled = true;
    try {
      const [, type] = GROUP_TYPES[this.#joining.findIndex((input) => input.checked)];
      const group = await post("/v1/groups", { type, name });
      await this.#addMembers(group);
      this.#close(group);
    } catch (refusal) {
      this.#showError(asProblem(refusal).userMessage);
    } finally {
      this.#button.disabled = false;
    }
  }

  /**
   * The group exists now. A user who cannot be added is named in a notice and can be added again later.
   * @param {Api.GroupResponse} group
   */
  async #addMembers(group) {
    for (const userId of this.#userIds) {
      try {
        const added = await put(`/v1/groups/${part(group.group_id)}/members/${part(userId)}`);
        if ("is_invited" in added) notice(t("members.invited", { user: userId }));
      } catch (error) {
        notice(`${userId}: ${asProblem(error).userMessage}`, { isBad: true });
      }
    }
  }

  /** @param {string} text */
  #showError(text) {
    this.#error.textContent = text;
    this.#error.hidden = false;
    this.#name.setAttribute("aria-invalid", "true");
    this.#name.focus();
  }
}
