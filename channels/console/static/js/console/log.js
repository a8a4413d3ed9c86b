// The admin log: who did what to the channel, newest first, filtered by what was done, by whom, and to whom.

import { get, part } from "../api.js";
import { fill, h, settled } from "../dom.js";
import { ago, exact } from "../format.js";
import { attempt } from "../overlay.js";
import { nameOf } from "../reader/people.js";
import { t } from "../texts.js";
import { field } from "./fields.js";

const PAGE = 30;
const ACTIONS = [
  "channel_created", "info_changed", "settings_changed", "admin_invited", "invitation_revoked", "invitation_accepted", "invitation_declined",
  "admin_added", "admin_removed", "grants_changed", "owner_changed", "subscriber_added", "subscribers_imported", "subscriber_removed",
  "subscriber_banned", "subscriber_unbanned", "subscriber_muted", "subscriber_unmuted", "reacting_banned", "reacting_unbanned",
  "post_edited", "post_deleted", "post_pinned", "post_unpinned", "reactions_frozen", "reactions_unfrozen",
];

export class Log {
  constructor({ channel }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}/admin-log`;
    const asks = settled(250, () => this.#load());
    const id = { spellcheck: "false", autocapitalize: "none", maxlength: "64", on: { input: asks } };
    this.#action = h("select", { id: "log-action", on: { change: () => this.#load() } }, h("option", { value: "" }, t("log.every")), ACTIONS.map((name) => h("option", { value: name }, t(`log.action.${name}`))));
    this.#actor = field({ name: "actor_id", label: t("log.actor"), ...id });
    this.#target = field({ name: "target_id", label: t("log.target"), ...id });
    this.#list = h("ol.log", { "aria-label": t("log.title") });
    this.#told = h("p.empty", { role: "status" });
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => this.#fetch(true) } }, t("app.more"));
    this.element = h("div.panels", {}, h("section.panel", {},
      h("div.log-filters", {}, h("div.field", {}, h("label", { for: "log-action" }, t("log.action")), this.#action), this.#actor.element, this.#target.element),
      this.#list, this.#told, this.#more));
    this.#load();
  }

  #path;
  #action;
  #actor;
  #target;
  #list;
  #told;
  #more;
  #cursor = null;
  #asked = 0;

  #load() {
    return this.#fetch(false);
  }

  #fetch(isMore) {
    const asked = (this.#asked += 1);
    return attempt(async () => {
      const query = { action: this.#action.value, actor_id: this.#actor.value.trim(), target_id: this.#target.value.trim() };
      const page = await get(this.#path, { ...query, limit: PAGE, cursor: isMore ? this.#cursor : null });
      if (asked !== this.#asked) return;
      this.#cursor = page.next_cursor;
      this.#more.hidden = this.#cursor === null;
      const rows = page.items.map(entryRow);
      if (isMore) this.#list.append(...rows);
      else fill(this.#list, rows);
      this.#told.textContent = this.#list.childElementCount ? "" : t("log.none");
    });
  }
}

function entryRow(entry) {
  const who = h("strong", { dir: "auto" });
  const show = () => {
    const name = nameOf(entry.actor_id, show);
    who.textContent = entry.by_app ? t("log.by.app", { name }) : name;
  };
  show();
  const names = [...new Set([...Object.keys(entry.before), ...Object.keys(entry.after)])];
  return h("li.log-entry", {},
    h("p.log-line", {}, who, h("span", {}, t(`log.action.${entry.action}`)), entry.target_id ? h("code", { dir: "auto" }, entry.target_id) : null,
      h("time.soft", { datetime: entry.at, title: exact(entry.at) }, ago(entry.at))),
    names.length ? h("dl.log-changes", {}, names.map((name) => h("div", {}, h("dt.soft", {}, name), h("dd", { dir: "auto" },
      name in entry.before ? h("del", {}, shown(entry.before[name])) : null, name in entry.after ? h("ins", {}, shown(entry.after[name])) : null)))) : null,
  );
}

/** A value of any kind, in one line. */
function shown(value) {
  if (value === "" || value === null || value.length === 0) return "–";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
