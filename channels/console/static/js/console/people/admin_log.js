// The admin log: who did what in the channel, newest first, filtered by action, actor and target.

import { get, part } from "../../client/api.js";
import { t } from "../../texts.js";
import { debounce, h, uniqueId } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { PagedList } from "../../ui/paged_list.js";
import { field } from "../form.js";
import { changesOf, sentenceOf } from "./log_words.js";

const PAGE = 30;
const FILTER_AFTER = 250; // milliseconds without a key
/**
 * Those of a channel.
 * @type {Exclude<Api.AdminAction, "report_resolved" | "user_restricted" | "user_unrestricted">[]}
 */
const ACTIONS = [
  "channel_created",
  "channel_suspended",
  "channel_reinstated",
  "info_changed",
  "settings_changed",
  "admin_invited",
  "invitation_revoked",
  "invitation_accepted",
  "invitation_declined",
  "admin_added",
  "admin_removed",
  "grants_changed",
  "owner_changed",
  "subscriber_added",
  "subscriber_invited",
  "subscribers_imported",
  "subscriber_removed",
  "subscriber_banned",
  "subscriber_unbanned",
  "subscriber_muted",
  "subscriber_unmuted",
  "reacting_banned",
  "reacting_unbanned",
  "commenting_banned",
  "commenting_unbanned",
  "join_request_accepted",
  "join_request_refused",
  "invite_link_created",
  "invite_link_changed",
  "invite_link_revoked",
  "name_card_changed",
  "post_edited",
  "post_deleted",
  "post_pinned",
  "post_unpinned",
  "reactions_frozen",
  "reactions_unfrozen",
  "comments_frozen",
  "comments_unfrozen",
  "comment_edited",
  "comment_deleted",
  "poll_closed",
  "draft_changed",
  "draft_deleted",
  "draft_published",
  "answer_edited",
  "answer_deleted",
  "webhook_created",
  "webhook_changed",
  "webhook_deleted",
  "webhook_disabled",
  "webhook_secret_rotated",
  "webhook_replayed",
  "canned_reply_changed",
  "canned_reply_deleted",
  "broadcast_created",
  "broadcast_stopped",
  "broadcast_resumed",
];

export class AdminLog {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    const path = /** @type {const} */ (`/v1/channels/${part(channel.channel_id)}/admin-log`);
    const idField = {
      spellcheck: "false",
      autocapitalize: "none",
      maxlength: "64",
      on: { input: debounce(FILTER_AFTER, () => entries.reload()) },
    };
    /** @type {HTMLSelectElement} */
    const action = h(
      "select",
      { id: "log-action", on: { change: () => entries.reload() } },
      h("option", { value: "" }, t("log.allActions")),
      ACTIONS.map((name) => h("option", { value: name }, t(`log.action.${name}`))),
    );
    const names = h("datalist", { id: uniqueId("staff") });
    const actor = field({
      name: "actor_id",
      label: t("log.actor"),
      hint: t("log.actor.hint"),
      list: names.id,
      ...idField,
    });
    const target = field({ name: "target_id", label: t("log.target"), hint: t("log.target.hint"), ...idField });
    /** @type {PagedList<Api.AdminLogEntryResponse>} */
    const entries = new PagedList({
      list: h("ol.log", { "aria-label": t("log.title") }),
      fetchPage: (cursor) =>
        get(path, {
          action: ACTIONS.find((name) => name === action.value),
          actor_id: actor.value.trim(),
          target_id: targetId(channel.channel_id, target.value.trim()),
          limit: PAGE,
          cursor,
        }),
      renderRow: (entry) => logEntry(entry, channel.channel_id),
      emptyText: () => t("log.noMatch"),
    });
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel",
        {},
        h(
          "div.log-filters",
          {},
          h("div.field", {}, h("label", { for: "log-action" }, t("log.action")), action),
          actor.element,
          target.element,
          names,
        ),
        entries.elements,
      ),
    );
    entries.reload();
    offerStaff(`/v1/channels/${part(channel.channel_id)}`, names);
  }
}

/**
 * Offers the ids of the owner and the admins by their names. Others can be typed.
 * @param {App.ChannelPath} path
 * @param {HTMLElement} list
 */
async function offerStaff(path, list) {
  const staff = await get(`${path}/admins`, { limit: 100 }).catch(() => ({ items: [] }));
  list.append(...staff.items.map(({ user_id: id, name }) => h("option", { value: id, label: name || id })));
}

/**
 * The id of what is meant: a user's, or with "#12" that of a post.
 * @param {string} channelId
 * @param {string} words
 */
const targetId = (channelId, words) => (/^#\d+$/.test(words) ? `${channelId}:${words.slice(1)}` : words);

/**
 * A row of the log of a channel; null: of the application.
 * @param {Api.AdminLogEntryResponse} entry
 * @param {string | null} channelId
 */
export function logEntry(entry, channelId) {
  const changes = changesOf(entry);
  return h(
    "li.log-entry",
    {},
    h(
      "p.log-line",
      {},
      h("span", {}, ...sentenceOf(entry, channelId)),
      h("time.soft", { datetime: entry.at, title: exact(entry.at) }, ago(entry.at)),
    ),
    changes.length
      ? h(
          "ul.log-changes",
          {},
          changes.map((line) => h("li", {}, ...line)),
        )
      : null,
  );
}
