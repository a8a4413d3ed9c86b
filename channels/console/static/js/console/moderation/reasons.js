// How often each reason was given in a case.

import "../../reports/texts.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";

/** @param {Api.ReportCaseResponse} one */
export function reasonsElement({ reasons }) {
  const given = Object.entries(reasons).sort(([, one], [, other]) => other - one);
  return h(
    "span.case-reasons",
    {},
    given.map(([reason, n]) =>
      h("span.role", {}, t("case.reason", { reason: t(/** @type {App.TextKey} */ (`reporting.reason.${reason}`)), n })),
    ),
  );
}
