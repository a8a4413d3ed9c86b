// Whether a channel is a default channel, which the application's admin decides, and how far subscribing everybody is.

import { asProblem, del, get, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { retryButton } from "../../ui/retry.js";

const LOOK = 2000; // milliseconds between two looks how far it is

/**
 * The panel with the state and the button that changes it.
 * @param {Api.ChannelResponse} channel
 */
export function defaultPanel({ channel_id: channelId, name }) {
  const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/default`);
  const state = h("div", { role: "status" });
  const actions = h("div.actions");
  const element = h("section.panel.form", {}, h("h2", {}, t("default.title")), state, actions);

  const load = async () => {
    const { items } = await get("/v1/default-channels");
    show(items.find((one) => one.channel_id === channelId) ?? null);
  };
  /** @returns {Promise<void>} */
  const begin = async () => {
    try {
      await load();
    } catch (error) {
      asProblem(error);
      fill(actions, h("p.empty", { role: "alert" }, t("app.failed")), retryButton(begin));
    }
  };
  const set = () =>
    attempt(async () => {
      const title = t("default.set");
      if (!(await confirmDialog({ title, text: t("default.set.confirm", { name }), action: title }))) return;
      show(await put(path));
      notice(t("default.nowSet", { name }));
      actions.querySelector("button")?.focus();
    });
  const unset = () =>
    attempt(async () => {
      await del(path);
      show(null);
      notice(t("default.nowUnset", { name }));
      actions.querySelector("button")?.focus();
    });

  /** @type {boolean | null} */
  let wasDefault = null;
  /** @param {Api.DefaultChannelResponse | null} found */
  const show = (found) => {
    fill(
      state,
      h("p.soft", {}, t(found ? `default.${found.state}` : "default.none")),
      found ? h("p.soft", {}, t("default.subscribed", { n: found.subscribed })) : null,
      found?.passed_over ? h("p.soft", {}, t("default.passedOver", { n: found.passed_over })) : null,
    );
    // The button keeps its focus while the numbers grow.
    const isDefault = found !== null;
    if (isDefault !== wasDefault) {
      wasDefault = isDefault;
      const label = t(isDefault ? "default.unset" : "default.set");
      fill(actions, h("button.plain", { type: "button", on: { click: isDefault ? unset : set } }, label));
    }
    if (found && found.state !== "done") setTimeout(() => element.isConnected && load().catch(() => {}), LOOK);
  };
  begin();
  return element;
}
