// The people of a chat group: who they are, adding and removing them, and who asks to be let in.

import { del, get, part, post, put } from "../api.js";
import { avatar } from "../avatar.js";
import { fill, freshId, h, settled } from "../dom.js";
import { icon } from "../icons.js";
import { isChannelId } from "../inbox.js";
import { attempt, dialog, notice, sure } from "../overlay.js";
import { withPath } from "../router.js";
import { session } from "../session.js";
import { t } from "../texts.js";

const PAGE = 50;
const PAUSE = 200; // milliseconds between the last key and the search

/** Show the members of a group that I am in. */
export function showMembers(group, { isStaff }) {
  const members = new Members(group, isStaff);
  return dialog({ title: t("members.title"), className: "members", build: (close) => members.build(close) });
}

class Members {
  constructor(group, isStaff) {
    this.#group = group;
    this.#path = `/v1/groups/${part(group.group_id)}`;
    this.#isStaff = isStaff;
  }

  #group;
  #path;
  #isStaff;
  #close;
  #list = h("ul.people-list");
  #requests = h("div", { hidden: true });
  #told = h("p.empty", { role: "status" });
  #more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => this.#load() } }, t("app.more"));
  #search = h("input", { type: "search", placeholder: t("members.search"), "aria-label": t("members.search"), autocomplete: "off", maxlength: "100", on: { input: settled(PAUSE, () => this.#begin()) } });
  #cursor = null;
  #asked = 0;

  build(close) {
    this.#close = close;
    this.#begin();
    if (this.#isStaff && this.#group.join_option === "approval") this.#loadRequests();
    return h("div.sheet-body", {}, this.#mayAdd ? this.#adder() : null, this.#requests,
      h("div.search", {}, icon("search"), this.#search), this.#told, this.#list, this.#more);
  }

  get #mayAdd() {
    return this.#isStaff || this.#group.type === "work";
  }

  #adder() {
    const id = freshId("add");
    const wrong = h("p.wrong", { id: `${id}-wrong`, role: "alert", hidden: true });
    const input = h("input", { id, autocomplete: "off", dir: "auto", "aria-describedby": `${id}-wrong` });
    const submit = async (event) => {
      event.preventDefault();
      const userId = input.value.trim();
      if (!userId) return;
      wrong.hidden = true;
      try {
        await put(`${this.#path}/members/${part(userId)}`);
        input.value = "";
        notice(t("members.added", { user: userId }));
        this.#begin();
      } catch (problem) {
        if (problem.code === undefined) throw problem;
        wrong.textContent = problem.shown;
        wrong.hidden = false;
      }
      input.focus();
    };
    return h("form.add-line", { on: { submit } }, h("label", { for: id }, t("members.add")),
      h("div.line", {}, input, h("button.primary", { type: "submit" }, t("members.add.do"))), wrong);
  }

  async #begin() {
    this.#cursor = null;
    await this.#load(true);
  }

  async #load(isNew = false) {
    const asked = (this.#asked += 1);
    await attempt(async () => {
      const q = this.#search.value.trim();
      const page = await get(`${this.#path}/members`, { q, limit: PAGE, cursor: this.#cursor });
      if (asked !== this.#asked) return;
      this.#cursor = page.next_cursor;
      this.#more.hidden = page.next_cursor === null;
      const people = page.items.map((member) => this.#person(member));
      if (isNew) fill(this.#list, people);
      else this.#list.append(...people);
      this.#told.textContent = this.#list.childElementCount ? "" : t("members.none");
    });
  }

  #person(member) {
    const { user_id: userId } = member;
    const name = member.name_card || member.name || userId;
    const isMe = userId === session.userId;
    const role = member.role === "member" ? null : h("span.role", {}, t(`members.${member.role}`));
    const text = h("span.person-text", {}, h("span.person-name", { dir: "auto" }, isMe ? t("members.me", { name }) : name), name === userId ? null : h("span.soft", { dir: "auto" }, userId));
    const shown = [avatar({ id: userId, name, url: member.face_url, shape: "round", size: "small" }), text, role];
    const mayWrite = !isMe && !isChannelId(userId);
    return h("li.person-line", {},
      mayWrite
        ? h("a.person-link", { href: withPath(userId), "data-inside": true, "aria-label": t("dialogue.with", { name }), on: { click: () => this.#close() } }, shown, icon("letter"))
        : h("span.person-link", {}, shown),
      this.#isStaff && !isMe && member.role !== "owner"
        ? h("button.quiet.square.small", { type: "button", "aria-label": t("members.remove", { name }), on: { click: () => this.#remove(userId, name) } }, icon("close"))
        : null,
    );
  }

  async #remove(userId, name) {
    if (!(await sure({ title: t("members.remove.title"), text: t("members.remove.sure", { name }), action: t("members.remove.do") }))) return;
    if (await attempt(() => del(`${this.#path}/members/${part(userId)}`))) this.#begin();
  }

  async #loadRequests() {
    await attempt(async () => {
      const page = await get(`${this.#path}/join-requests`, { limit: PAGE });
      this.#requests.hidden = !page.items.length;
      fill(this.#requests, h("h3", {}, t("members.requests")), h("ul.people-list", {}, page.items.map((request) => this.#request(request))));
    });
  }

  #request({ user_id: userId, name, face_url: url, text }) {
    const shown = name || userId;
    const answer = (approve) => async () => {
      if (await attempt(() => post(`${this.#path}/join-requests/${part(userId)}`, { approve }))) {
        this.#loadRequests();
        this.#begin();
      }
    };
    return h("li.person-line", {},
      h("span.person-link", {}, avatar({ id: userId, name: shown, url, shape: "round", size: "small" }),
        h("span.person-text", {}, h("span.person-name", { dir: "auto" }, shown), text ? h("span.soft", { dir: "auto" }, text) : null)),
      h("button.plain.small", { type: "button", "aria-label": t("members.admit.who", { name: shown }), on: { click: answer(true) } }, t("members.admit")),
      h("button.quiet.square.small", { type: "button", "aria-label": t("members.refuse", { name: shown }), on: { click: answer(false) } }, icon("close")),
    );
  }
}
