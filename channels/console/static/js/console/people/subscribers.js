// The subscribers of a channel: searching, adding, removing and banning them, and making them admins; and the banned users.

import { asProblem, del, get, part, post, put } from "../../client/api.js";
import { isOwner, may } from "../../client/grants.js";
import { session } from "../../client/session.js";
import { t } from "../../texts.js";
import { h, submitting } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, menu, menuButton, notice, promptDialog } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { SearchField } from "../../ui/search_field.js";
import { field, submitForm } from "../form.js";
import { personRow } from "./rows.js";

const PAGE = 50;

export class Subscribers {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}`;
    this.#isOwner = isOwner(channel);
    this.#mayManage = may(channel, "manage_subscribers");
    this.#mayWrite = may(channel, "read_inbox");
    this.element = h(
      "div.panels",
      {},
      h("section.panel", {}, h("div.finder", {}, this.#search.element, this.#filter), this.#people.elements),
      this.#mayManage ? this.#addForm() : null,
    );
    this.#people.reload();
  }

  /** @type {App.ChannelPath} */
  #path;
  #isOwner;
  #mayManage;
  #mayWrite;
  #search = new SearchField({
    label: t("people.search"),
    spellcheck: "false",
    autocapitalize: "none",
    maxlength: "32",
    onSearch: () => this.#people.reload(),
  });
  /** @type {HTMLSelectElement} */
  #filter = h(
    "select",
    { "aria-label": t("people.filter"), on: { change: () => this.#people.reload() } },
    /** @type {const} */ (["all", "staff", "banned"]).map((key) => h("option", { value: key }, t(`people.${key}`))),
  );
  /** @type {PagedList<Api.SubscriberResponse | Api.BanResponse>} */
  #people = new PagedList({
    fetchPage: (cursor) => this.#fetchPage(cursor),
    renderRow: (item) => ("banned_at" in item ? this.#bannedRow(item) : this.#subscriberRow(item)),
    emptyText: () => t(this.#showsBanned ? "people.noneBanned" : "people.noMatch"),
  });

  /** @returns {boolean} */
  get #showsBanned() {
    return this.#filter.value === "banned";
  }

  /**
   * @param {string | null} cursor
   * @returns {Promise<App.Page<Api.SubscriberResponse | Api.BanResponse>>}
   */
  #fetchPage(cursor) {
    this.#search.input.disabled = this.#showsBanned;
    if (this.#showsBanned) return get(`${this.#path}/bans`, { limit: PAGE, cursor });
    return get(`${this.#path}/subscribers`, {
      limit: PAGE,
      cursor,
      q: this.#search.words,
      staff: this.#filter.value === "staff" || null,
    });
  }

  #addForm() {
    const userId = field({
      name: "user_id",
      label: t("people.id"),
      required: true,
      spellcheck: "false",
      autocapitalize: "none",
    });
    const error = h("p.error", { role: "alert", hidden: true });
    const button = h("button.plain", { type: "submit" }, t("people.add.do"));
    const submit = submitting(async () => {
      const user = userId.value.trim();
      /** @type {App.TextKey} */
      let done = "people.added";
      const work = async () => {
        if ("is_invited" in (await put(`${this.#path}/subscribers/${part(user)}`))) done = "people.invited";
      };
      if (!(await submitForm({ fields: [userId], error, button, work }))) return;
      notice(t(done, { user }));
      userId.input.value = "";
      this.#people.reload();
    });
    return h(
      "form.panel.form",
      { novalidate: true, on: { submit } },
      h("h2", {}, t("people.add")),
      userId.element,
      error,
      h("div.actions", {}, button),
    );
  }

  /** @param {Api.SubscriberResponse} member */
  #subscriberRow(member) {
    const user = member.user_id;
    const isSelf = user === session.userId;
    const mayChange =
      this.#mayManage && !isSelf && member.role !== "owner" && (this.#isOwner || member.role === "member");
    const more = menuButton({
      label: t("people.menu", { user }),
      open: (button) => this.#openMenu(member, button, mayChange),
    });
    return personRow(member, [
      member.role === "member" ? null : h("span.role", {}, t(member.role === "owner" ? "role.owner" : "role.admin")),
      h(
        "span.soft.since",
        { title: exact(member.subscribed_at) },
        t("people.since", { when: ago(member.subscribed_at) }),
      ),
      mayChange || this.#mayWrite ? more : h("span.square"),
    ]);
  }

  /** @param {Api.BanResponse} ban */
  #bannedRow(ban) {
    const user = ban.user_id;
    return personRow({ user_id: user }, [
      ban.banned_at ? h("span.soft.since", { title: exact(ban.banned_at) }, ago(ban.banned_at)) : null,
      h(
        "button.plain",
        {
          type: "button",
          on: { click: () => this.#do("people.unbanned", user, del(`${this.#path}/bans/${part(user)}`)) },
        },
        t("people.unban"),
      ),
    ]);
  }

  /**
   * @param {Api.SubscriberResponse} member
   * @param {HTMLElement} anchor
   * @param {boolean} mayChange
   */
  #openMenu(member, anchor, mayChange) {
    const user = member.user_id;
    const admin = /** @type {const} */ (`${this.#path}/admins/${part(user)}`);
    /** @type {App.MenuEntries} */
    const entries = [];
    if (this.#mayWrite) entries.push({ label: t("people.write"), icon: "letter", act: () => this.#write(user) });
    if (!mayChange) return menu(anchor, entries);
    if (this.#isOwner) {
      entries.push(
        member.role === "admin"
          ? { label: t("people.dismiss"), icon: "person", act: () => this.#do("people.dismissed", user, del(admin)) }
          : { label: t("people.promote"), icon: "person", act: () => this.#do("people.promoted", user, put(admin)) },
        null,
      );
    }
    entries.push(
      { label: t("people.remove"), icon: "out", isDangerous: true, act: () => this.#remove(user) },
      { label: t("people.ban"), icon: "close", isDangerous: true, act: () => this.#ban(user) },
    );
    return menu(anchor, entries);
  }

  /**
   * Begins a thread with the subscriber in the channel's name, or writes in the one there is.
   * @param {string} user
   */
  async #write(user) {
    const sent = await promptDialog({
      title: t("people.write"),
      label: t("people.write.label", { user }),
      action: t("people.write.do"),
      check: async (text) => {
        if (!text.trim()) return t("error.required");
        try {
          await post(`${this.#path}/inbox/${part(user)}/messages`, { kind: "text", text });
          return null;
        } catch (error) {
          return asProblem(error).userMessage;
        }
      },
    });
    if (sent !== null) notice(t("people.written", { user }));
  }

  /** @param {string} user */
  async #remove(user) {
    const isSure = await confirmDialog({
      title: t("people.remove"),
      text: t("people.remove.confirm", { user }),
      action: t("people.remove"),
    });
    if (isSure) this.#do("people.removed", user, del(`${this.#path}/subscribers/${part(user)}`));
  }

  /** @param {string} user */
  async #ban(user) {
    const isSure = await confirmDialog({
      title: t("people.ban"),
      text: t("people.ban.confirm", { user }),
      action: t("people.ban"),
    });
    if (isSure) this.#do("people.bannedNow", user, del(`${this.#path}/subscribers/${part(user)}`, { ban: true }));
  }

  /**
   * @param {App.TextKey} doneKey
   * @param {string} user
   * @param {Promise<unknown>} call
   */
  async #do(doneKey, user, call) {
    if (await attempt(() => call)) {
      notice(t(doneKey, { user }));
      await this.#people.reload();
    }
  }
}
