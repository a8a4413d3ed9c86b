// What was reported, in words: "Post 12 in Tram news". Names of channels and groups are loaded once, all of a page at once.

import { client } from "../../client/api.js";
import { personOf } from "../../client/people.js";
import { channelPath, commentsPath, groupPath } from "../../router.js";
import { t } from "../../texts.js";

/** @type {Map<string, string>} */
const names = new Map(); // by id of a channel or group

/**
 * Loads the names that these cases need. Ids stand in place of names that cannot be loaded.
 * @param {Api.ReportCaseResponse[]} cases
 */
export async function loadNames(cases) {
  /** @param {"channel_id" | "group_id"} field */
  const idsOf = (field) =>
    [...new Set(cases.flatMap(({ target }) => target[field] ?? []))].filter((id) => !names.has(id));
  const load = async (/** @type {"channel" | "group"} */ kind) => {
    const ids = idsOf(`${kind}_id`);
    if (!ids.length) return;
    const found = await client.byIds(`/v1/${kind}s`, `${kind}_id`, ids).catch(() => new Map());
    for (const id of ids) names.set(id, found.get(id)?.name ?? id);
  };
  await Promise.all([load("channel"), load("group")]);
}

/**
 * What the case is about. `onLoad` is called when a name is known that was not.
 * @param {Api.ReportCaseResponse} one
 * @param {() => unknown} onLoad
 */
export function targetText({ author_id: author, target }, onLoad) {
  const { channel_id: channel, group_id: group, seq, type, user_id: user } = target;
  const place = channel ?? group;
  const who = user ?? author;
  const person = who ? personOf(who, onLoad).name : "";
  if (type === "message" && !group) return t("cases.what.dialogue", { place: person });
  return t(`cases.what.${type}`, { seq: seq ?? 0, place: place ? (names.get(place) ?? place) : person });
}

/**
 * Where the application's admin finds it in the app; null where it has no address.
 * @param {Api.ReportTargetResponse} target
 */
export function targetPath({ channel_id: channel, group_id: group, post_seq: post, seq, type }) {
  if (channel && type === "comment" && post) return commentsPath(channel, post, seq);
  if (channel) return channelPath(channel, type === "channel" ? null : (seq ?? null));
  return group ? groupPath(group) : null;
}
