// The streams of posts and messages that the app shows, each kept up to date by the SDK. The newest posts of a channel are
// also kept on this device, and shown from there while the server cannot be reached.

import { MessageStream } from "../../sdk/core/message_stream.js";
import { debounce } from "../ui/dom.js";
import { client, part } from "./api.js";
import { connection } from "./connection.js";
import { groupConversationId } from "./conversations.js";
import { isAway, keptOnDevice } from "./offline.js";

const KEEP_AFTER = 1000; // milliseconds without a change

/**
 * The posts of a channel.
 * @param {string} channelId
 * @param {number} headSeq
 */
export function channelPosts(channelId, headSeq) {
  const conversationId = groupConversationId(channelId);
  // The socket says so where it was lost. A server that only stood still is known by `back`.
  const catchUp = () => {
    firstKept = 0;
    return stream.catchUp().catch(() => {});
  };
  let firstKept = 0; // the first of the kept posts, where only the server has older ones
  /** @param {App.KeptPosts} kept */
  const onKept = ({ posts, hasOlder }) => {
    firstKept = hasOlder ? (posts[0]?.seq ?? 0) : 0;
    connection.addEventListener("back", catchUp, { once: true });
  };
  const stream = new MessageStream(/** @type {never} */ (postSource(channelId, onKept)), {
    path: `/v1/channels/${part(channelId)}/posts`,
    field: "post",
    watch: conversationId,
    isMine: inConversation(conversationId),
    headSeq,
  });
  // The stream takes the first post of a page after an early one for the first of the channel.
  stream.addEventListener("change", () => {
    if (firstKept && stream.first >= firstKept) stream.hasOlder = true;
  });
  const keep = debounce(KEEP_AFTER, async () => {
    // Only a run that ends with the newest post is worth keeping.
    if (stream.items.size && !stream.hasNewer && connection.state === "online")
      await (await keptOnDevice())?.savePosts(channelId, stream.inOrder(), stream.hasOlder);
  });
  stream.addEventListener("change", keep);
  return stream;
}

/**
 * The client as a stream of posts needs it. Without the server it answers with the posts that are kept, and calls `onKept`.
 * @param {string} channelId
 * @param {(kept: App.KeptPosts) => void} onKept
 */
function postSource(channelId, onKept) {
  return {
    socket: client.socket,
    /**
     * @param {string} method
     * @param {string} path
     * @param {{ query?: App.KeptQuery }} [options]
     */
    async request(method, path, options) {
      try {
        return await client.request(method, path, options);
      } catch (error) {
        if (method !== "GET" || !isAway(error)) throw error;
        const kept = await (await keptOnDevice())?.posts(channelId);
        const page = kept ? pageOf(kept, options?.query ?? {}) : null;
        if (!kept || page === null) throw error;
        onKept(kept);
        return page;
      }
    },
  };
}

/**
 * The part of the kept posts that a query asks for; null where it is about older ones.
 * @param {App.KeptPosts} kept
 * @param {App.KeptQuery} query
 */
function pageOf({ posts, hasOlder }, { before_seq: before = Infinity, after_seq: after = 0 }) {
  const items = posts.filter(({ seq }) => seq > after && seq < before);
  if (before !== Infinity && !items.length) return null;
  return { items, next_cursor: hasOlder && after === 0 ? "older" : null };
}

/**
 * The messages of a chat group.
 * @param {string} groupId
 * @param {number} headSeq
 */
export function groupMessages(groupId, headSeq) {
  const conversationId = groupConversationId(groupId);
  return new MessageStream(client, {
    path: `/v1/groups/${part(groupId)}/messages`,
    watch: conversationId,
    isMine: inConversation(conversationId),
    headSeq,
  });
}

/**
 * What one watches to get the events of the comments on a post.
 * @param {string} channelId
 * @param {number} postSeq
 */
export const commentsConversationId = (channelId, postSeq) => `comments_${channelId}:${postSeq}`;

/**
 * The comments on a post of a channel.
 * @param {string} channelId
 * @param {number} postSeq
 * @param {number} headSeq
 */
export function postComments(channelId, postSeq, headSeq) {
  const streamId = commentsConversationId(channelId, postSeq);
  return new MessageStream(client, {
    path: `/v1/channels/${part(channelId)}/posts/${postSeq}/comments`,
    field: "comment",
    watch: streamId,
    isMine: (event) => event.stream_id === streamId,
    headSeq,
  });
}

/**
 * The messages of a one-to-one chat.
 * @param {string} conversationId
 * @param {number} headSeq
 * @param {{ isWithUser: boolean }} options
 */
export function dialogueMessages(conversationId, headSeq, { isWithUser }) {
  return new MessageStream(client, {
    path: `/v1/conversations/${part(conversationId)}/messages`,
    isWithUser,
    isMine: inConversation(conversationId),
    headSeq,
  });
}

/**
 * The same messages as the channel's staff sees them: one thread of the channel's inbox.
 * @param {string} channelId
 * @param {string} userId
 * @param {number} headSeq
 */
export function threadMessages(channelId, userId, headSeq) {
  /** @param {App.Event} event */
  const isMine = (event) => !event.conversation_id && event.channel_id === channelId && event.user_id === userId;
  const path = `/v1/channels/${part(channelId)}/inbox/${part(userId)}/messages`;
  return new MessageStream(client, { path, isMine, headSeq });
}

/**
 * @param {string} conversationId
 * @returns {(event: App.Event) => boolean}
 */
const inConversation = (conversationId) => (event) => event.conversation_id === conversationId;
