// The menu entry that forwards a post or a message. The dialog is loaded when it is opened.

import { whenLoaded } from "../client/offline.js";
import { t } from "../texts.js";
import { attempt } from "../ui/overlay.js";

/**
 * `source` says what is forwarded: {channel_id | group_id | conversation_id, seq}.
 * @param {Api.ForwardBody} source
 * @returns {App.MenuEntry}
 */
export const forwardEntry = (source) => ({
  label: t("forward.do"),
  icon: "forward",
  act: () => attempt(async () => (await whenLoaded(import("./forward.js"))).forward(source)),
});
