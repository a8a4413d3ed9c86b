// The verified badge of a channel, which the application's admin gives and removes.

import { del, get, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { attempt, notice } from "../../ui/overlay.js";

/**
 * The panel with the badge's state and the button that changes it.
 * @param {Api.ChannelResponse} channel
 * @param {(channel: Api.ChannelResponse) => unknown} onChange
 */
export function verifiedPanel(channel, onChange) {
  const path = /** @type {const} */ (`/v1/channels/${part(channel.channel_id)}`);
  const element = h("section.panel.form");
  /** @param {Api.ChannelResponse} shown */
  const show = (shown) => {
    const { verified, name } = shown;
    const change = () =>
      attempt(async () => {
        if (verified) await del(`${path}/verified`);
        else await put(`${path}/verified`);
        const changed = await get(path);
        show(changed);
        onChange(changed);
        notice(t(verified ? "badge.nowRemoved" : "badge.nowGiven", { name }));
        element.querySelector("button")?.focus();
      });
    fill(
      element,
      h("h2", {}, t("badge.title")),
      h("p.soft", {}, t(verified ? "badge.given" : "badge.none")),
      h(
        "div.actions",
        {},
        h("button.plain", { type: "button", on: { click: change } }, t(verified ? "badge.remove" : "badge.give")),
      ),
    );
  };
  show(channel);
  return element;
}
