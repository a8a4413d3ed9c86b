// Tells the user of a comment on their post, or one that quotes theirs, while they look at something else. Loaded with the
// first one.

import "./texts.js";
import { conversations, groupConversationId } from "../client/conversations.js";
import { loadedPerson } from "../client/people.js";
import { session } from "../client/session.js";
import { commentsPath } from "../router.js";
import { t } from "../texts.js";
import { notice } from "../ui/overlay.js";
import { contentPreview } from "../ui/previews.js";

/**
 * Shows a notice that leads to the comment, unless the channel is muted.
 * @param {App.Event} event Of type `comment.posted`.
 */
export async function announceComment({ channel_id: channelId = "", post_seq: post = 0, seq = 0, comment }) {
  if (!comment || comment.sender_id === session.userId) return;
  const conversation = conversations.byId.get(groupConversationId(channelId));
  if (conversation?.muted) return;
  const { sender_id: id } = comment;
  const name = id ? (await loadedPerson(id)).name : (conversation?.title ?? channelId);
  const text = contentPreview(comment);
  notice(t("comments.arrived", { name, text }), { href: commentsPath(channelId, post, seq) });
}
