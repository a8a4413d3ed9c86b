// The one-line preview of a post or message in lists.

import { hasText, t } from "../texts.js";

const MAX_LENGTH = 100;

/** The preview as the server makes it (`Content.preview`): a placeholder such as `[image]` when there is no text. */
export function previewOf(content) {
  return (content.title || content.text || content.location?.name || `[${content.kind}]`).slice(0, MAX_LENGTH);
}

/** What to show for a conversation's last message: `last.preview` with placeholders in words; `last` may be null. */
export function lastMessageText(last, { isChannel = false } = {}) {
  if (!last) return t(isChannel ? "list.noPosts" : "list.noMessages");
  if (!last.preview) return t("list.deleted");
  const placeholder = /^\[(\w+)\]$/.exec(last.preview);
  return placeholder && hasText(`kind.${placeholder[1]}`) ? t(`kind.${placeholder[1]}`) : last.preview;
}

/** What to show for one post or message. */
export const contentPreview = (content) => lastMessageText({ preview: previewOf(content) });
