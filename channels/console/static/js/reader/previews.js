// The line that stands for a message in lists.

import { hasText, t } from "../texts.js";

/** The server's preview, with its words for pictures and files in ours; `last` is null where nothing was said. */
export function shownPreview(last, { isChannel = false } = {}) {
  if (!last) return t(isChannel ? "list.nothing" : "list.nothing.chat");
  if (!last.preview) return t("list.recalled");
  const kind = /^\[(\w+)\]$/.exec(last.preview);
  return kind && hasText(`kind.${kind[1]}`) ? t(`kind.${kind[1]}`) : last.preview;
}
