// The dialog in which a user opts out of a channel's broadcasts, or back in. It says the words that do the same as a message.

import { del, get, part, put } from "../client/api.js";
import { loadTexts, t } from "../texts.js";
import { fill, h } from "../ui/dom.js";
import { exact } from "../ui/format.js";
import { attempt, dialog } from "../ui/overlay.js";

await loadTexts("broadcasts");

/**
 * Shows it. Raises: ApiError.
 * @param {string} channelId
 * @param {string} name Of the channel.
 */
export async function decide(channelId, name) {
  const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/broadcast-opt-out`);
  const first = await get(path);
  await dialog({
    title: t("optOut.title", { name }),
    build: (close) => {
      const state = h("p", { role: "status", dir: "auto" });
      const hint = h("p.soft");
      const actions = h("div.actions");
      /** @param {Pick<Api.OptOutResponse, "opted_out" | "since">} now */
      const show = ({ opted_out: isOut, since }) => {
        state.textContent = isOut
          ? t("optOut.isOut", { name, when: exact(since ?? Date.now()) })
          : t("optOut.isIn", { name });
        hint.textContent = t(isOut ? "optOut.start" : "optOut.stop");
        const change = () =>
          attempt(async () => {
            if (!isOut) return show(await put(path));
            await del(path);
            return show({ opted_out: false, since: null });
          });
        const button = h(
          "button.primary",
          { type: "button", autofocus: true, on: { click: change } },
          t(isOut ? "optOut.in" : "optOut.out"),
        );
        fill(actions, h("button.plain", { type: "button", on: { click: () => close() } }, t("app.close")), button);
        if (actions.isConnected) button.focus();
      };
      show(first);
      return h("div.sheet-body", {}, h("p.soft", {}, t("optOut.lead")), state, hint, actions);
    },
  });
}
