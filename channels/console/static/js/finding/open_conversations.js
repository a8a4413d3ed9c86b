// The user's conversations as things to go to: their address, name and picture, and the order of the list.

import { conversations, isChannelId } from "../client/conversations.js";
import { session } from "../client/session.js";
import { channelPath, dialoguePath, groupPath } from "../router.js";
import { t } from "../texts.js";

/** @typedef {Pick<Api.ConversationResponse, "conversation_id" | "group_id" | "peer_id" | "is_channel" | "title" | "face_url">} Place */

const MAX_PAGES = 20; // of conversations that are loaded besides those that the app has

/**
 * The address of a conversation, at one of its posts or messages if `seq` is given.
 * @param {Pick<Place, "group_id" | "peer_id" | "is_channel">} place
 * @param {number | null} [seq]
 */
export function pathOf({ group_id: groupId, peer_id: peerId, is_channel: isChannel }, seq = null) {
  if (groupId !== null && isChannel) return channelPath(groupId, seq);
  const path = groupId === null ? dialoguePath(peerId ?? "") : groupPath(groupId);
  return seq === null ? path : `${path}?post=${seq}`;
}

/**
 * Its picture and name. The chat with oneself has a name of its own.
 * @param {Place} place
 * @returns {App.Identity}
 */
export function identityOf({ group_id: groupId, peer_id: peerId, is_channel: isChannel, title, face_url: url }) {
  return {
    id: groupId ?? peerId ?? "",
    name: peerId !== null && peerId === session.userId ? t("dialogue.self") : title,
    url,
    shape: isChannel || isChannelId(peerId ?? "") ? "tile" : "round",
  };
}

/** All conversations that the app has, as they are listed: channels, then chats. */
export const listed = () => [...conversations.list("channels"), ...conversations.list("chats")];

/** Those that count as unread. Muted ones do not. */
export const unread = () => listed().filter((one) => one.unread_count > 0 && !one.muted);

/**
 * Loads the conversations that the app does not have yet, a bounded number. Never throws; `onPage` is called after each
 * page, and returns whether to go on.
 * @param {() => boolean} onPage
 */
export async function loadRest(onPage) {
  try {
    for (const scope of /** @type {const} */ (["channels", "chats"])) {
      for (let pages = 0; pages < MAX_PAGES && conversations.hasMore(scope); pages += 1) {
        await conversations.loadMore(scope);
        if (!onPage()) return;
      }
    }
  } catch {
    // What is loaded can be found. The next use tries again.
  }
}
