// The one-line preview of a post or message in lists.

import { plainText } from "../../sdk/core/markup.js";
import { hasText, t } from "../texts.js";

const MAX_LENGTH = 100;
const READ = 400; // characters of a text of which a preview is made

/**
 * The preview as the server makes it (`Content.preview`): the question of a poll, the title of a form, the text without its marks, or a placeholder
 * such as `[image]`.
 * @param {Pick<App.Content, "title" | "text" | "location" | "poll" | "form_answer" | "kind">} content
 */
function previewOf(content) {
  if (content.poll) return beginning(content.poll.question, MAX_LENGTH);
  if (content.form_answer) return beginning(content.form_answer.title, MAX_LENGTH);
  const text = plainText(beginning(content.text ?? "", READ));
  return beginning(content.title || text || content.location?.name || `[${content.kind}]`, MAX_LENGTH);
}

/**
 * So many characters at the beginning; an emoji is never cut in two.
 * @param {string} text
 * @param {number} length
 */
const beginning = (text, length) => [...text.slice(0, 2 * length)].slice(0, length).join("");

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
  if (last.preview === `[${kind}]` && hasText(key)) return t(key);
  if (kind === "form_answer") return t("list.form", { title: last.preview });
  return kind === "poll" ? t("list.poll", { question: last.preview }) : last.preview;
}

/**
 * What to show for one post or message.
 * @param {Pick<App.Content, "title" | "text" | "location" | "kind">} content
 */
export const contentPreview = (content) =>
  lastMessageText({ preview: previewOf(content), kind: content.kind, recalled: false });
