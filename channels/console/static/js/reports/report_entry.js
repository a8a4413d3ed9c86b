// The menu entry that reports something. The dialog is loaded when it is opened.

import { whenLoaded } from "../client/offline.js";
import { t } from "../texts.js";
import { attempt } from "../ui/overlay.js";

/**
 * @param {Api.TargetBody} target
 * @returns {App.MenuEntry}
 */
export const reportEntry = (target) => ({
  label: t("reporting.do"),
  icon: "flag",
  isDangerous: true,
  act: () => attempt(async () => (await whenLoaded(import("./report_dialog.js"))).report(target)),
});
