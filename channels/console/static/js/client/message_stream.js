// The streams of posts and messages that the app shows, each kept up to date by the SDK.

import { MessageStream } from "../../sdk/core/message_stream.js";
import { client, part } from "./api.js";
import { groupConversationId } from "./conversations.js";

/**
 * The posts of a channel.
 * @param {string} channelId
 * @param {number} headSeq
 */
export const channelPosts = (channelId, headSeq) => client.postStream(channelId, { headSeq });

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
