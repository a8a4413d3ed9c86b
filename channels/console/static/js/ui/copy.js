// Copying a text that the page shows.

import { t } from "../texts.js";
import { notice } from "./overlay.js";

/**
 * Copies the text of a field, which is selected, and says whether it worked. On plain HTTP in a private network, browsers
 * have no clipboard that scripts write to.
 * @param {HTMLInputElement | HTMLTextAreaElement} field
 */
export function copyFrom(field) {
  field.select();
  if (document.execCommand("copy")) notice(t("share.copied"));
  else notice(t("share.notCopied"), { isBad: true });
}
