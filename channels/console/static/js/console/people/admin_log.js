// The admin log: who did what in the channel, newest first, filtered by action, actor and target.

import { get, part } from "../../client/api.js";
import { nameOf } from "../../client/people.js";
import { t } from "../../texts.js";
import { debounce, h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { PagedList } from "../../ui/paged_list.js";
import { field } from "../form.js";

const PAGE = 30;
const FILTER_AFTER = 250; // milliseconds without a key
/** @type {Api.AdminAction[]} */
const ACTIONS = [
  "channel_created",
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
  "join_request_accepted",
  "join_request_refused",
  "name_card_changed",
  "post_edited",
  "post_deleted",
  "post_pinned",
  "post_unpinned",
  "reactions_frozen",
  "reactions_unfrozen",
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
    const actor = field({ name: "actor_id", label: t("log.actor"), ...idField });
    const target = field({ name: "target_id", label: t("log.target"), ...idField });
    /** @type {PagedList<Api.AdminLogEntryResponse>} */
    const entries = new PagedList({
      list: h("ol.log", { "aria-label": t("log.title") }),
      fetchPage: (cursor) =>
        get(path, {
          action: ACTIONS.find((name) => name === action.value),
          actor_id: actor.value.trim(),
          target_id: target.value.trim(),
          limit: PAGE,
          cursor,
        }),
      renderRow: entryRow,
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
        ),
        entries.elements,
      ),
    );
    entries.reload();
  }
}

/** @param {Api.AdminLogEntryResponse} entry */
function entryRow(entry) {
  const actor = h("strong", { dir: "auto" });
  const showActor = () => {
    const name = nameOf(entry.actor_id, showActor);
    actor.textContent = entry.by_app ? t("log.byApp", { name }) : name;
  };
  showActor();
  const names = [...new Set([...Object.keys(entry.before), ...Object.keys(entry.after)])];
  return h(
    "li.log-entry",
    {},
    h(
      "p.log-line",
      {},
      actor,
      h("span", {}, t(`log.action.${entry.action}`)),
      entry.target_id ? h("code", { dir: "auto" }, entry.target_id) : null,
      h("time.soft", { datetime: entry.at, title: exact(entry.at) }, ago(entry.at)),
    ),
    names.length
      ? h(
          "dl.log-changes",
          {},
          names.map((name) =>
            h(
              "div",
              {},
              h("dt.soft", {}, name),
              h(
                "dd",
                { dir: "auto" },
                name in entry.before ? h("del", {}, valueText(entry.before[name])) : null,
                name in entry.after ? h("ins", {}, valueText(entry.after[name])) : null,
              ),
            ),
          ),
        )
      : null,
  );
}

/**
 * Any JSON value in one line.
 * @param {unknown} value
 */
function valueText(value) {
  if (value === "" || value === null) return "–";
  if (Array.isArray(value)) return value.join(", ") || "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
