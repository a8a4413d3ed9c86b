// The buttons under a post or message, in rows, with how many people chose each. Loaded when the first ones are shown.
//
// It is updated in place: a button keeps its focus while a count in it grows. A button counts a person once, and shows who
// reads it that they chose it. A link opens, a form is filled in a dialog, and neither is counted.

import "./texts.js";
import { whenLoaded } from "../client/offline.js";
import { dialoguePath } from "../router.js";
import { t } from "../texts.js";
import { fill, h, uniqueId } from "../ui/dom.js";
import { count } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { linkTo, webAddress } from "../ui/markup.js";
import { attempt, notice } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";

await loadStyle("css/self_service.css");

/** @typedef {{ tick: Element; count: HTMLElement; about: HTMLElement }} Shown */

export class ButtonBox {
  /**
   * The buttons of one post or message.
   * @param {App.ButtonActions} actions
   */
  constructor(actions) {
    this.#actions = actions;
    this.element = h("div.buttons", { role: "group", "aria-label": t("buttons.label") }, this.#rows, this.#said);
  }

  #actions;
  #rows = h("div.button-rows");
  /** Says what the user's own press has done, and nothing of the presses of others. */
  #said = h("p.unseen", { role: "status" });
  #shape = "";
  /** By index over the rows. @type {Shown[]} */
  #shown = [];
  /** @type {App.ShownButton[]} */
  #buttons = [];
  #isPressing = false;

  /** @param {App.ShownButton[][]} rows */
  update(rows) {
    const shape = JSON.stringify(rows, (key, value) => (key === "presses" || key === "pressed" ? undefined : value));
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#shown = [];
      fill(
        this.#rows,
        rows.map((row) =>
          h(
            "div.button-row",
            {},
            row.map((button) => this.#button(button)),
          ),
        ),
      );
    }
    this.#buttons = rows.flat();
    for (const [index, button] of this.#buttons.entries()) this.#showCount(this.#shown[index], button);
  }

  /** @param {App.ShownButton} button */
  #button(button) {
    const index = this.#shown.length;
    const tick = h("span.button-tick", { hidden: true }, icon("check"));
    const counted = h("span.button-count", { "aria-hidden": "true" });
    const about = h("span", { id: uniqueId("presses"), hidden: true });
    this.#shown.push({ tick, count: counted, about });
    const text = h("span.button-text", { dir: "auto" }, button.text);
    const address = button.kind === "link" ? webAddress(button.url ?? "") : null;
    if (address !== null && !this.#actions.isPreview) {
      const link = linkTo(address, text, icon("link"));
      link.classList.add("button", "plain", "message-button");
      return link;
    }
    const { press, refusal = null, isPreview = false } = this.#actions;
    const isDead = isPreview || (press === null && refusal === null);
    return h(
      "button.plain.message-button",
      {
        type: "button",
        disabled: isDead,
        "aria-describedby": about.id,
        "aria-haspopup": button.kind === "form" ? "dialog" : null,
        on: { click: () => this.#onPress(this.#buttons[index] ?? button, index) },
      },
      tick,
      text,
      button.kind === "link" ? icon("link") : null,
      button.kind === "form" ? icon("pen") : null,
      counted,
      about,
    );
  }

  /**
   * @param {Shown} shown
   * @param {App.ShownButton} button
   */
  #showCount({ tick, count: counted, about }, { presses, pressed }) {
    /** @type {HTMLElement} */ (tick).hidden = !pressed;
    counted.textContent = presses ? count(presses) : "";
    counted.hidden = !presses;
    const texts = [pressed ? t("button.pressed") : "", presses ? t("button.presses", { n: presses }) : ""];
    about.textContent = texts.filter(Boolean).join(" ");
  }

  /**
   * @param {App.ShownButton} button
   * @param {number} index
   */
  async #onPress(button, index) {
    const { press, refusal = null, channelId, channelName, isInChat = false } = this.#actions;
    if (press === null) return refusal && notice(refusal);
    if (button.kind === "form")
      return attempt(async () => {
        const { openForm } = await whenLoaded(import("./form_dialog.js"));
        await openForm({ channelId, channelName, name: button.form ?? "", isInChat });
      });
    if (this.#isPressing) return null;
    const wasPressed = button.pressed;
    this.#isPressing = true;
    this.#said.textContent = "";
    const isDone = await attempt(() => press(index));
    this.#isPressing = false;
    if (!isDone) return null;
    this.#said.textContent = t(wasPressed ? "button.saidBefore" : "button.said", { text: button.text });
    if (wasPressed) notice(this.#said.textContent);
    // The message is in another view, so the way to it is shown.
    else if (button.kind === "reply" && !isInChat)
      notice(t("service.sent", { text: button.reply, name: channelName }), { href: dialoguePath(channelId) });
    return null;
  }
}
