// What the reader shows to a business account, which runs channels and does nothing as a person.

import { t } from "../texts.js";
import { h } from "../ui/dom.js";

/** Says what a business account cannot do here, in place of the controls for it, and leads to the console. */
export const businessNote = () =>
  h(
    "div.join",
    {},
    h("p", {}, t("business.reader")),
    h("a.button.primary", { href: "/console", "data-inside": true }, t("business.console")),
  );
