// What an entry of the admin log says in words: one sentence with the names of people and posts, and what changed.

import { GRANTS, grantsText } from "../../client/grants.js";
import { nameOf } from "../../client/people.js";
import { channelPath, commentsPath, consolePath, moderationPath } from "../../router.js";
import { hasText, locale, t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { exact, number } from "../../ui/format.js";

/**
 * Actions whose target is a post, a comment, a canned or automatic reply or a form, a webhook, an invite link, or in the application's log a channel.
 * Drafts and broadcasts are not named; all others are about a user.
 */
const ABOUT_POSTS = /^(post_|reactions_|comments_|poll_)/;
const ABOUT_COMMENTS = /^comment_/;
const ABOUT_REPLIES = /^(canned_reply|settings)_/;
const ABOUT_WEBHOOKS = /^webhook_/;
const ABOUT_LINKS = /^invite_link_/;
const ABOUT_CHANNELS = /^channel_/;
const ABOUT_BROADCASTS = /^broadcast_/;
/** Fields that the sentence itself says, or that only machines read. */
const UNSAID = [
  "author_id",
  "owner_id",
  "seq",
  "grants",
  "added",
  "muted_until",
  "delivery_id",
  "webhook_id",
  "target",
];
const TIMES = ["publish_at", "expires_at", "until"];
const MARKS = /[\u{E000}-\u{F8FF}]/u; // private use: no text has them

/**
 * The sentence: "Ada made Bob an admin". In the log of the application, whose channel is null, it names the channel.
 * @param {Api.AdminLogEntryResponse} entry
 * @param {string | null} channelId
 */
export function sentenceOf(entry, channelId) {
  const { action, actor_id: actor, target_id: target, before, after } = entry;
  const author = before.author_id ?? after.author_id;
  const isSelf = action === "admin_removed" && actor === target;
  const ofApp = `log.app.${action}`;
  /** @type {App.TextKey} */
  const ofChannel = isSelf ? "log.line.admin_removed.self" : /** @type {App.TextKey} */ (`log.line.${action}`);
  return sentence(channelId === null && hasText(ofApp) ? ofApp : ofChannel, {
    actor: person(actor, { isApp: entry.by_app && channelId !== null }),
    target: target === null ? "" : targetOf(entry, target, channelId),
    author: typeof author === "string" ? person(author) : "",
  });
}

/**
 * @param {Api.AdminLogEntryResponse} entry
 * @param {string} target
 * @param {string | null} channelId
 */
function targetOf({ action, before, after }, target, channelId) {
  if (action === "report_resolved")
    return h("a", { href: moderationPath("reports", target), "data-inside": true }, t("log.app.case"));
  if (ABOUT_CHANNELS.test(action))
    return h("a", { href: consolePath(target, "settings"), "data-inside": true, dir: "auto" }, target);
  if (ABOUT_LINKS.test(action)) return bdi(String(after.name || before.name || target));
  if (ABOUT_WEBHOOKS.test(action)) return h("code", { dir: "ltr" }, String(after.url ?? before.url ?? target));
  if (ABOUT_REPLIES.test(action)) return bdi(target);
  if (ABOUT_BROADCASTS.test(action)) return "";
  if (channelId === null) return person(target);
  if (ABOUT_COMMENTS.test(action)) {
    const [post, n] = target.split(":").slice(-2).map(Number);
    const name = t("log.comment", { seq: post, n });
    return h("a", { href: commentsPath(channelId, post, n), "data-inside": true }, name);
  }
  if (!ABOUT_POSTS.test(action)) return person(target);
  const seq = Number(target.slice(target.lastIndexOf(":") + 1));
  const text = t("log.post", { seq });
  return action === "post_deleted" ? text : h("a", { href: channelPath(channelId, seq), "data-inside": true }, text);
}

/**
 * A person by name; the id, which is unique, is in the tooltip.
 * @param {string} userId
 * @param {{ isApp?: boolean }} [options]
 */
function person(userId, { isApp = false } = {}) {
  const element = h("strong", { title: userId });
  const show = () => {
    const name = nameOf(userId, show);
    element.replaceChildren(...(isApp ? sentence("log.byApp", { name: bdi(name) }) : [bdi(name)]));
  };
  show();
  return element;
}

/** @param {string} text Of either direction, which does not affect what stands beside it. */
const bdi = (text) => h("bdi", {}, text);

/**
 * A text of the app in which elements stand in place of values.
 * @param {App.TextKey} key
 * @param {{ [name: string]: Node | string }} values
 */
function sentence(key, values) {
  const names = Object.keys(values);
  const marked = t(key, Object.fromEntries(names.map((name, index) => [name, String.fromCodePoint(0xe000 + index)])));
  return marked
    .split(new RegExp(`(${MARKS.source})`, "u"))
    .map((piece) => (MARKS.test(piece) ? values[names[(piece.codePointAt(0) ?? 0) - 0xe000]] : piece));
}

/**
 * The changes of an entry, each a line: "Name: A → B".
 * @param {Api.AdminLogEntryResponse} entry
 * @returns {App.Child[][]}
 */
export function changesOf({ before, after }) {
  /** @type {App.Child[][]} */
  const lines = grantLines(before.grants, after.grants).map((line) => [line]);
  if (typeof after.added === "number") lines.push([t("log.imported", { n: after.added })]);
  if (typeof after.muted_until === "string") lines.push([t("log.mutedUntil", { when: exact(after.muted_until) })]);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !UNSAID.includes(name));
  for (const name of names) {
    // Only a role that somebody lost is worth a line.
    if (name === "role" && before.role === "member") continue;
    if (JSON.stringify(before[name] ?? null) === JSON.stringify(after[name] ?? null) && name in before && name in after)
      continue;
    // What is made or deleted without a value says nothing of it.
    if ((before[name] ?? after[name] ?? null) === null) continue;
    const key = `log.field.${name}`;
    lines.push([h("span.soft", {}, hasText(key) ? t(key) : name), ...change(name, before, after)]);
  }
  return lines;
}

/**
 * @param {string} name
 * @param {{ [name: string]: unknown }} before
 * @param {{ [name: string]: unknown }} after
 */
function change(name, before, after) {
  const was = name in before ? h("del", { dir: "auto" }, valueText(name, before[name])) : null;
  const is = name in after ? h("ins", { dir: "auto" }, valueText(name, after[name])) : null;
  return was && is ? [h("span.log-change", {}, ...sentence("log.change", { before: was, after: is }))] : [was ?? is];
}

/**
 * Which permissions were given and taken, in words.
 * @param {unknown} before
 * @param {unknown} after
 */
function grantLines(before, after) {
  /** @param {unknown} value */
  const known = (value) => GRANTS.filter((grant) => Array.isArray(value) && value.includes(grant));
  const [were, are] = [known(before), known(after)];
  if (before === undefined && after === undefined) return [];
  if (before === undefined || after === undefined)
    return [t("log.permissions", { grants: grantsText(before === undefined ? are : were) })];
  const given = are.filter((grant) => !were.includes(grant));
  const taken = were.filter((grant) => !are.includes(grant));
  return [
    ...(given.length ? [t("log.allowed", { grants: grantsText(given) })] : []),
    ...(taken.length ? [t("log.disallowed", { grants: grantsText(taken) })] : []),
  ];
}

/**
 * A value in words.
 * @param {string} name
 * @param {unknown} value
 */
function valueText(name, value) {
  if (value === "" || value === null) return t("log.empty");
  if (typeof value === "boolean") return t(value ? "log.on" : "log.off");
  if (name === "face_url") return t("log.value.photo");
  if (name === "menu_version") return t(value === 0 ? "log.empty" : "log.value.menu");
  if (typeof value === "number") return number(value);
  if (Array.isArray(value))
    return new Intl.ListFormat(locale(), { type: "unit", style: "short" }).format(value) || t("log.empty");
  if (typeof value !== "string") return JSON.stringify(value);
  if (TIMES.includes(name)) return exact(value);
  for (const key of wordsOf(name, value)) if (hasText(key)) return t(key);
  return value;
}

/**
 * The keys that may have a text for this value.
 * @param {string} name
 * @param {string} value
 */
function wordsOf(name, value) {
  if (name === "visibility") return [`log.value.${value}`];
  if (name === "kind" || name === "role") return [`${name}.${value}`];
  if (name === "action") return [`case.${value}`];
  if (name === "mode") return [`suspension.mode.${value}`];
  return ["reactions", "accept_messages", "comments"].includes(name) ? [`settings.${name}.${value}`] : [];
}
