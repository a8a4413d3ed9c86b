// The menu entry that decides on broadcasts of a channel. The dialog is loaded when it is opened.

import { whenLoaded } from "../client/offline.js";
import { t } from "../texts.js";
import { attempt } from "../ui/overlay.js";

/**
 * @param {string} channelId
 * @param {string} name
 * @returns {App.MenuEntry}
 */
export const broadcastsEntry = (channelId, name) => ({
  label: t("optOut.do"),
  icon: "bell",
  act: () => attempt(async () => (await whenLoaded(import("./broadcasts_dialog.js"))).decide(channelId, name)),
});
