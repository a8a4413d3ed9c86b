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
 * What lists show of a post or message, by the names of the API; a deleted one has neither preview nor kind.
 * @param {App.EventItem} item
 * @returns {App.LastLine}
 */
export function lineOf(item) {
  if (item.recalled_at) return { preview: "", kind: null, recalled: true };
  return { preview: previewOf(item), kind: item.kind, recalled: false };
}

/**
 * What to show for a conversation's last message: `last.preview`, or its kind in words; `last` may be null.
 * @param {App.LastLine | null} last
 * @param {{ isChannel?: boolean }} [options]
 */
export function lastMessageText(last, { isChannel = false } = {}) {
  if (!last) return t(isChannel ? "list.noPosts" : "list.noMessages");
  if (last.recalled) return t("list.deleted");
  // A message that an older server stored has no kind, but its placeholder names it.
  const kind = last.kind ?? /^\[(\w+)\]$/.exec(last.preview)?.[1];
  const key = `kind.${kind}`;
  return last.preview === `[${kind}]` && hasText(key) ? t(key) : last.preview;
}

/**
 * What to show for one post or message.
 * @param {App.Content} content
 */
export const contentPreview = (content) =>
  lastMessageText({ preview: previewOf(content), kind: content.kind, recalled: false });
