// Who subscribes: searched by user id, added, removed, banned, made admin; and who is banned.

import { del, get, part, put } from "../api.js";
import { fill, h, settled } from "../dom.js";
import { ago, exact } from "../format.js";
import { icon } from "../icons.js";
import { attempt, menu, notice, sure } from "../overlay.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { field, send } from "./fields.js";
import { personRow } from "./people.js";
import { isOwner, may } from "../rights.js";

const PAGE = 50;

export class Subscribers {
  constructor({ channel }) {
    this.#channel = channel;
    this.#path = `/v1/channels/${part(channel.channel_id)}`;
    this.#isOwner = isOwner(channel);
    this.#mayManage = may(channel, "manage_subscribers");
    this.#words = h("input", { type: "search", placeholder: t("people.search"), "aria-label": t("people.search"), autocomplete: "off", spellcheck: "false", autocapitalize: "none", maxlength: "32" });
    this.#words.addEventListener("input", settled(200, () => this.#load()));
    this.#view = h("select", { "aria-label": t("people.view"), on: { change: () => this.#load() } },
      ["all", "staff", "banned"].map((key) => h("option", { value: key }, t(`people.${key}`))));
    this.#list = h("ul.people");
    this.#told = h("p.empty", { role: "status" });
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => this.#next() } }, t("app.more"));
    this.element = h("div.panels", {},
      h("section.panel", {}, h("div.finder", {}, h("div.search", {}, icon("search"), this.#words), this.#view), this.#list, this.#told, this.#more),
      this.#mayManage ? this.#adding() : null,
    );
    this.#load();
  }

  #channel;
  #path;
  #isOwner;
  #mayManage;
  #words;
  #view;
  #list;
  #told;
  #more;
  #cursor = null;
  #asked = 0;

  #adding() {
    const user = field({ name: "user_id", label: t("people.add.user"), required: true, spellcheck: "false", autocapitalize: "none" });
    const told = h("p.wrong", { role: "alert", hidden: true });
    const button = h("button.plain", { type: "submit" }, t("people.add.do"));
    const submit = async (event) => {
      event.preventDefault();
      const name = user.value.trim();
      const done = await send({ fields: [user], told, button, work: () => put(`${this.#path}/subscribers/${part(name)}`) });
      if (!done) return;
      notice(t("people.added", { user: name }));
      user.input.value = "";
      this.#load();
    };
    return h("form.panel.form", { novalidate: true, on: { submit } }, h("h2", {}, t("people.add")), user.element, told, h("div.actions", {}, button));
  }

  async #load() {
    this.#cursor = null;
    this.#words.disabled = this.#view.value === "banned";
    await this.#fetch((rows) => fill(this.#list, rows));
  }

  async #next() {
    await this.#fetch((rows) => this.#list.append(...rows));
  }

  async #fetch(show) {
    const asked = (this.#asked += 1);
    const view = this.#view.value;
    await attempt(async () => {
      const page = view === "banned"
        ? await get(`${this.#path}/bans`, { limit: PAGE, cursor: this.#cursor })
        : await get(`${this.#path}/subscribers`, { limit: PAGE, cursor: this.#cursor, q: this.#words.value.trim(), staff: view === "staff" || null });
      if (asked !== this.#asked) return;
      this.#cursor = page.next_cursor;
      this.#more.hidden = page.next_cursor === null;
      show(page.items.map((item) => (view === "banned" ? this.#banned(item) : this.#subscriber(item))));
      this.#told.textContent = this.#list.childElementCount ? "" : t(view === "banned" ? "people.banned.none" : "people.none");
    });
  }

  #subscriber(member) {
    const user = member.user_id;
    const isSelf = user === session.userId;
    const more = h("button.quiet.square", { type: "button", "aria-label": t("people.menu", { user }), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openMenu(member, more) } }, icon("more"));
    const mayChange = this.#mayManage && !isSelf && member.role !== "owner" && (this.#isOwner || member.role === "member");
    return personRow(member, [
      member.role === "member" ? null : h("span.role", {}, t(`console.role.${member.role}`)),
      h("span.soft.since", { title: exact(member.subscribed_at) }, t("people.since", { when: ago(member.subscribed_at) })),
      mayChange ? more : h("span.square"),
    ]);
  }

  #banned(ban) {
    const user = ban.user_id;
    return personRow({ user_id: user }, [
      h("span.soft.since", { title: exact(ban.banned_at) }, ago(ban.banned_at)),
      h("button.plain", { type: "button", on: { click: () => this.#do(del(`${this.#path}/bans/${part(user)}`), "people.unbanned", user) } }, t("people.unban")),
    ]);
  }

  #openMenu(member, anchor) {
    const user = member.user_id;
    const admin = `${this.#path}/admins/${part(user)}`;
    const isAdmin = member.role === "admin";
    const entries = [];
    if (this.#isOwner) {
      entries.push(isAdmin
        ? { label: t("people.dismiss"), icon: "person", act: () => this.#do(del(admin), "people.dismissed", user) }
        : { label: t("people.appoint"), icon: "person", act: () => this.#do(put(admin), "people.appointed", user) }, null);
    }
    entries.push(
      { label: t("people.remove"), icon: "out", isDangerous: true, act: () => this.#remove(user, false) },
      { label: t("people.ban"), icon: "close", isDangerous: true, act: () => this.#remove(user, true) },
    );
    menu(anchor, entries);
  }

  async #remove(user, ban) {
    const what = ban ? "people.ban" : "people.remove";
    if (!(await sure({ title: t(what), text: t(`${what}.sure`, { user }), action: t(what) }))) return;
    const path = `${this.#path}/subscribers/${part(user)}${ban ? "?ban=true" : ""}`;
    this.#do(del(path), ban ? "people.bannedNow" : "people.removed", user);
  }

  async #do(work, told, user) {
    if (await attempt(() => work)) {
      notice(t(told, { user }));
      await this.#load();
    }
  }
}
