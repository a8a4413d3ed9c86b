// The one-line preview of a post or message in lists.

import { hasText, t } from "../texts.js";

const MAX_LENGTH = 100;

/**
 * The preview as the server makes it (`Content.preview`): a placeholder such as `[image]` when there is no text.
 * @param {Pick<App.Content, "title" | "text" | "location" | "kind">} content
 */
export function previewOf(content) {
  return (content.title || content.text || content.location?.name || `[${content.kind}]`).slice(0, MAX_LENGTH);
}

/**
 * What to show for a conversation's last message: `last.preview` with placeholders in words; `last` may be null.
 * @param {{ preview: string } | null} last
 * @param {{ isChannel?: boolean }} [options]
 */
export function lastMessageText(last, { isChannel = false } = {}) {
  if (!last) return t(isChannel ? "list.noPosts" : "list.noMessages");
  if (!last.preview) return t("list.deleted");
  const placeholder = /^\[(\w+)\]$/.exec(last.preview);
  const key = `kind.${placeholder?.[1]}`;
  return hasText(key) ? t(key) : last.preview;
}

/**
 * What to show for one post or message.
 * @param {App.Content} content
 */
export const contentPreview = (content) => lastMessageText({ preview: previewOf(content) });
