// The line that stands for a message in lists.

import { hasText, t } from "../texts.js";

/** The server's preview, with its words for pictures and files in ours; `last` is null where nothing was said. */
export function shownPreview(last) {
  if (!last) return t("list.nothing");
  if (!last.preview) return t("list.recalled");
  const kind = /^\[(\w+)\]$/.exec(last.preview);
  return kind && hasText(`kind.${kind[1]}`) ? t(`kind.${kind[1]}`) : last.preview;
}
