// What stands in place of a composer where the application stopped a channel or the user.

import { restriction } from "../client/restriction.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { exact } from "../ui/format.js";
import { icon } from "../ui/icons.js";

/**
 * Says that the channel is suspended, and why, to those who are told; null when it is not.
 * @param {Pick<Api.ChannelResponse, "suspension">} channel
 */
export function suspensionNotice({ suspension }) {
  if (!suspension) return null;
  return stopped(t(`suspended.${suspension.mode}`), suspension.reason);
}

/** Says that the user may not write, until when and why; null when they may. */
export function restrictionNotice() {
  const current = restriction.current;
  if (current === null) return null;
  const { reason, until } = current;
  return stopped(until ? t("restricted.until", { when: exact(until) }) : t("restricted"), reason);
}

/**
 * @param {string} text
 * @param {string | null | undefined} reason
 */
function stopped(text, reason) {
  return h(
    "div.stopped",
    { role: "note" },
    icon("block"),
    h("div", {}, h("p", {}, text), reason ? h("p.soft", { dir: "auto" }, t("stopped.reason", { reason })) : null),
  );
}
