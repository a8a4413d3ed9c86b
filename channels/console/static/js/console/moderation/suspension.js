// Suspending a channel and ending that, which the application's admin does at the channel or in a list.

import { del, get, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { formDialog } from "./form_dialog.js";
import { modeChoice, noteField } from "./sanction_fields.js";

/**
 * Asks how and why, and suspends the channel. Returns whether it was done.
 * @param {Pick<Api.ChannelResponse, "channel_id" | "name" | "suspension">} channel
 */
export async function suspend({ channel_id: id, name, suspension }) {
  const mode = modeChoice(suspension?.mode);
  const reason = noteField("reason", true);
  reason.input.value = suspension?.reason ?? "";
  const isDone = await formDialog({
    title: t("suspension.do.label"),
    elements: [mode.element, reason.element],
    fields: [reason],
    action: t("case.suspend_channel"),
    work: () => put(`/v1/channels/${part(id)}/suspension`, { mode: mode.value, reason: reason.value.trim() }),
  });
  if (isDone) notice(t("suspension.done", { name }));
  return isDone;
}

/**
 * Asks, and ends the suspension. Returns whether it was done.
 * @param {Pick<Api.ChannelResponse, "channel_id" | "name">} channel
 */
export async function lift({ channel_id: id, name }) {
  const text = t("suspension.lift.confirm", { name });
  if (!(await confirmDialog({ title: t("suspension.title"), text, action: t("suspension.lift") }))) return false;
  const isDone = await attempt(() => del(`/v1/channels/${part(id)}/suspension`));
  if (isDone) notice(t("suspension.lifted", { name }));
  return isDone;
}

/**
 * How and why a channel is suspended, and since when.
 * @param {Api.SuspensionResponse} suspension
 */
export const suspensionLines = ({ at, mode, reason }) => [
  h("p.soft", { title: exact(at) }, t(`suspension.is.${mode}`, { when: ago(at) })),
  reason ? h("p.soft", { dir: "auto" }, t("suspension.reason", { reason })) : null,
];

/**
 * The panel of a channel, with what the application's admin can do.
 * @param {Api.ChannelResponse} channel
 * @param {(channel: Api.ChannelResponse) => unknown} onChange
 */
export function suspensionPanel(channel, onChange) {
  const element = h("section.panel.form");
  /** @param {Api.ChannelResponse} shown */
  const show = (shown) => {
    const { suspension } = shown;
    /** @param {(one: Api.ChannelResponse) => Promise<boolean>} work */
    const change = (work) => async () => {
      if (!(await work(shown))) return;
      await attempt(async () => {
        const changed = await get(`/v1/channels/${part(shown.channel_id)}`);
        show(changed);
        onChange(changed);
      });
      element.querySelector("button")?.focus();
    };
    fill(
      element,
      h("h2", {}, t("suspension.title")),
      suspension ? suspensionLines(suspension) : h("p.soft", {}, t("suspension.none")),
      h(
        "div.actions",
        {},
        suspension
          ? [
              h("button.plain", { type: "button", on: { click: change(suspend) } }, t("suspension.change")),
              h("button.plain", { type: "button", on: { click: change(lift) } }, t("suspension.lift")),
            ]
          : h("button.danger-plain", { type: "button", on: { click: change(suspend) } }, t("suspension.do")),
      ),
    );
  };
  show(channel);
  return element;
}
