// The subscribers of a channel: searching, tagging, adding, removing and banning them, and making them admins; and the users who
// are banned from the channel, or only from reacting or commenting.

import "../../comments/texts.js";
import "../broadcasts/texts.js";

import { asProblem, del, get, part, post, put } from "../../client/api.js";
import { isOwner, may } from "../../client/grants.js";
import { session } from "../../client/session.js";
import { t } from "../../texts.js";
import { fill, h, submitting, uniqueId } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, menu, menuButton, notice, promptDialog } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { SearchField } from "../../ui/search_field.js";
import { loadStyle } from "../../ui/style_sheet.js";
import { field, submitForm } from "../form.js";
import { tagMarks } from "../inbox/thread_tags.js";
import { editTags, tagsInUse } from "../tags/subscriber_tags.js";
import { personRow, rowOfUser } from "./rows.js";

const PAGE = 50;
/** A search may find nothing on a page and yet have more. So many pages are read before the user is asked to go on. */
const PAGES_AT_ONCE = 5;
const BANS = /** @type {const} */ (["banned", "reactionBanned", "commentBanned"]);
const FILTERS = /** @type {const} */ (["all", "staff", ...BANS]);

export class Subscribers {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    loadStyle("css/broadcasts.css");
    this.#channelId = channel.channel_id;
    this.#path = `/v1/channels/${part(channel.channel_id)}`;
    this.#isOwner = isOwner(channel);
    this.#mayManage = may(channel, "manage_subscribers");
    this.#mayWrite = may(channel, "read_inbox");
    const hint = h("p.hint.soft", { id: uniqueId("hint") }, t("people.search.hint"));
    this.#search.input.setAttribute("aria-describedby", hint.id);
    this.element = h(
      "div.panels",
      {},
      h("section.panel", {}, h("div.finder", {}, this.#search.element, this.#filter), hint, this.#people.elements),
      this.#mayManage ? this.#addForm() : null,
    );
    this.#people.reload();
    if (this.#mayManage) this.#offerTags();
  }

  #channelId;
  /** @type {App.ChannelPath} */
  #path;
  #isOwner;
  #mayManage;
  #mayWrite;
  #search = new SearchField({
    label: t("people.search"),
    spellcheck: "false",
    autocapitalize: "none",
    maxlength: "100",
    onSearch: () => this.#people.reload(),
  });
  /** @type {HTMLSelectElement} */
  #filter = h(
    "select",
    { "aria-label": t("people.filter"), on: { change: () => this.#people.reload() } },
    FILTERS.map((key) => h("option", { value: key }, t(`people.${key}`))),
  );
  #tagOptions = h("optgroup", { label: t("subscriberTags.filter") });
  /** @type {PagedList<Api.SubscriberResponse | Api.BanResponse>} */
  #people = new PagedList({
    fetchPage: (cursor) => this.#fetchPage(cursor),
    renderRow: (item) => ("banned_at" in item ? this.#bannedRow(item) : this.#subscriberRow(item)),
    emptyText: () => t(this.#shownTag === null ? EMPTY[this.#shownBans ?? "all"] : "subscriberTags.nobody"),
  });

  /** Which bans are shown in place of subscribers. */
  get #shownBans() {
    return BANS.find((name) => name === this.#filter.value) ?? null;
  }

  /** Only subscribers with this tag are shown; null: all. */
  get #shownTag() {
    return this.#filter.selectedOptions[0]?.dataset.tag ?? null;
  }

  /** Offers the tags in use as filters; there are none where no subscriber has a tag. */
  async #offerTags() {
    const shown = this.#shownTag;
    const all = await tagsInUse(this.#channelId);
    fill(
      this.#tagOptions,
      all.map(({ tag, subscribers: n }) =>
        h(
          "option",
          { value: `tag ${tag}`, data: { tag }, selected: tag === shown },
          t("subscriberTags.count", { tag, n }),
        ),
      ),
    );
    if (all.length) this.#filter.append(this.#tagOptions);
    else this.#tagOptions.remove();
    // The last one with the tag that was shown has lost it.
    if (shown !== null && this.#shownTag === null) this.#people.reload();
  }

  /**
   * @param {string | null} cursor
   * @returns {Promise<App.Page<Api.SubscriberResponse | Api.BanResponse>>}
   */
  async #fetchPage(cursor) {
    const bans = this.#shownBans;
    const tag = this.#shownTag;
    this.#search.input.disabled = bans !== null || tag !== null;
    if (bans) return get(`${this.#path}/${LIFTED[bans].path}`, { limit: PAGE, cursor });
    if (tag !== null) return get(`${this.#path}/subscribers`, { limit: PAGE, cursor, tag });
    const staff = this.#filter.value === "staff" || null;
    /** @param {string | null} from */
    const read = (from) =>
      get(`${this.#path}/subscribers`, { limit: PAGE, cursor: from, q: this.#search.words, staff });
    let page = await read(cursor);
    for (let more = 1; more < PAGES_AT_ONCE && !page.items.length && page.next_cursor; more += 1)
      page = await read(page.next_cursor);
    return page;
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
    const user = member.name || member.user_id;
    const isSelf = member.user_id === session.userId;
    const mayChange =
      this.#mayManage && !isSelf && member.role !== "owner" && (this.#isOwner || member.role === "member");
    const more = menuButton({
      label: t("people.menu", { user }),
      open: (button) => this.#openMenu(member, row, button, mayChange),
    });
    const row = personRow(
      member,
      [
        member.role === "member" ? null : h("span.role", {}, t(member.role === "owner" ? "role.owner" : "role.admin")),
        h(
          "span.soft.since",
          { title: exact(member.subscribed_at) },
          t("people.since", { when: ago(member.subscribed_at) }),
        ),
        this.#mayManage || this.#mayWrite ? more : h("span.square"),
      ],
      member.tags?.length ? h("span.tags", { "aria-label": t("subscriberTags.label") }, tagMarks(member.tags)) : null,
    );
    return row;
  }

  /**
   * @param {Api.SubscriberResponse} member
   * @param {HTMLElement} row
   */
  async #tag(member, row) {
    const tags = await editTags(this.#channelId, member);
    if (tags === null) return;
    notice(t("subscriberTags.saved", { user: member.name || member.user_id }));
    const renewed = this.#subscriberRow({ ...member, tags });
    this.#people.renew(row, renewed);
    /** @type {HTMLElement | null} */ (renewed.querySelector("[aria-haspopup]"))?.focus();
    await this.#offerTags();
  }

  /** @param {Api.BanResponse} ban */
  #bannedRow(ban) {
    const user = part(ban.user_id);
    const { key, done, path: bans } = LIFTED[this.#shownBans ?? "banned"];
    const path = /** @type {const} */ (`${this.#path}/${bans}/${user}`);
    return rowOfUser(ban.user_id, (name) => ({
      atEnd: [
        ban.banned_at
          ? h("span.soft.since", { title: exact(ban.banned_at) }, t("people.bannedWhen", { when: ago(ban.banned_at) }))
          : null,
        h(
          "button.plain",
          {
            type: "button",
            "aria-label": t(`${key}.label`, { user: name }),
            on: { click: () => this.#do(done, name, () => del(path)) },
          },
          t(key),
        ),
      ],
    }));
  }

  /**
   * @param {Api.SubscriberResponse} member
   * @param {HTMLElement} row
   * @param {HTMLElement} anchor
   * @param {boolean} mayChange
   */
  #openMenu(member, row, anchor, mayChange) {
    const user = member.name || member.user_id;
    const id = part(member.user_id);
    const admin = /** @type {const} */ (`${this.#path}/admins/${id}`);
    /** @type {App.MenuEntries} */
    const entries = [];
    if (this.#mayWrite) entries.push({ label: t("people.write"), icon: "letter", act: () => this.#write(member) });
    if (this.#mayManage)
      entries.push({ label: t("subscriberTags.edit"), icon: "folder", act: () => this.#tag(member, row) });
    if (!mayChange) return menu(anchor, entries);
    if (this.#isOwner) {
      entries.push(
        member.role === "admin"
          ? {
              label: t("people.dismiss"),
              icon: "person",
              act: () => this.#do("people.dismissed", user, () => del(admin)),
            }
          : {
              label: t("people.promote"),
              icon: "person",
              act: () => this.#do("people.promoted", user, () => put(admin)),
            },
        null,
      );
    }
    const subscriber = /** @type {const} */ (`${this.#path}/subscribers/${id}`);
    /** @param {"people.remove" | "people.ban" | "people.banReacting" | "comments.ban"} key */
    const isSure = (key) => confirmDialog({ title: t(key), text: t(`${key}.confirm`, { user }), action: t(key) });
    const remove = async () => {
      if (await isSure("people.remove")) this.#do("people.removed", user, () => del(subscriber));
    };
    const ban = async () => {
      if (await isSure("people.ban")) this.#do("people.bannedNow", user, () => del(subscriber, { ban: true }));
    };
    const banCommenting = async () => {
      if (await isSure("comments.ban"))
        this.#do("comments.ban.done", user, () => put(`${this.#path}/comment-bans/${id}`));
    };
    const banReacting = async () => {
      if (await isSure("people.banReacting"))
        this.#do("people.banReacting.done", user, () => put(`${this.#path}/reaction-bans/${id}`));
    };
    entries.push(
      { label: t("people.banReacting"), icon: "smile", isDangerous: true, act: banReacting },
      { label: t("comments.ban"), icon: "comments", isDangerous: true, act: banCommenting },
      { label: t("people.remove"), icon: "out", isDangerous: true, act: remove },
      { label: t("people.ban"), icon: "close", isDangerous: true, act: ban },
    );
    return menu(anchor, entries);
  }

  /**
   * Begins a thread with the subscriber in the channel's name, or writes in the one there is.
   * @param {Api.SubscriberResponse} member
   */
  async #write(member) {
    const user = member.name || member.user_id;
    const sent = await promptDialog({
      title: t("people.write"),
      label: t("people.write.label", { user }),
      action: t("people.write.do"),
      check: async (text) => {
        if (!text.trim()) return t("error.required");
        try {
          await post(`${this.#path}/inbox/${part(member.user_id)}/messages`, { kind: "text", text });
          return null;
        } catch (error) {
          return asProblem(error).userMessage;
        }
      },
    });
    if (sent !== null) notice(t("people.written", { user }));
  }

  /**
   * @param {App.TextKey} doneKey
   * @param {string} user
   * @param {() => Promise<unknown>} call
   */
  async #do(doneKey, user, call) {
    if (await attempt(call)) {
      notice(t(doneKey, { user }));
      await this.#people.reload();
    }
  }
}

const EMPTY = /** @type {const} */ ({
  all: "people.noMatch",
  banned: "people.noneBanned",
  reactionBanned: "people.noneReactionBanned",
  commentBanned: "people.noneCommentBanned",
});
/** By kind of ban: how it is lifted, and where. */
const LIFTED = /** @type {const} */ ({
  banned: { key: "people.unban", done: "people.unbanned", path: "bans" },
  reactionBanned: { key: "people.allowReacting", done: "people.allowReacting.done", path: "reaction-bans" },
  commentBanned: { key: "people.allowCommenting", done: "people.allowCommenting.done", path: "comment-bans" },
});
