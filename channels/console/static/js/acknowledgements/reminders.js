// Tells the user of a post or message that still waits for their confirmation, when its author reminds. Loaded with the
// first reminder. The server sends none to those who have confirmed.

import "./texts.js";
import { conversations } from "../client/conversations.js";
import { channelPath, groupPath } from "../router.js";
import { t } from "../texts.js";
import { notice } from "../ui/overlay.js";

/**
 * Shows a notice that leads to the post or message, unless the conversation is muted.
 * @param {App.Event} event Of type `acknowledgement.reminder`.
 */
export function announceReminder({ conversation_id: id = "", channel_id: channelId, group_id: groupId, seq = 0 }) {
  const conversation = conversations.byId.get(id);
  if (!conversation || conversation.muted) return;
  const href = channelId ? channelPath(channelId, seq) : groupId ? `${groupPath(groupId)}?post=${seq}` : null;
  notice(t("acknowledge.reminder", { name: conversation.title }), { href });
}
