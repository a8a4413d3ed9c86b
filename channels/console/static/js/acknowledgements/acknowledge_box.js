// Under a post or message that asks its readers to confirm that they have read it: the request, the button and the count.
// Loaded when the first one is shown. It is updated in place, so the focus stays where it is while the count grows.

import "./texts.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";

await loadStyle("css/acknowledgements.css");

export class AcknowledgeBox {
  /**
   * Without `acknowledge`, it only says that readers are asked.
   * @param {(() => Promise<unknown>) | null} acknowledge
   */
  constructor(acknowledge) {
    this.#acknowledge = acknowledge;
    this.element = h(
      "div.acknowledge",
      {},
      h("p.acknowledge-line", { tabindex: "-1" }, icon("check"), this.#line),
      h("div.acknowledge-actions", {}, this.#button, this.#count),
      this.#said,
    );
  }

  #acknowledge;
  #line = h("span");
  #button = h(
    "button.primary",
    { type: "button", "data-acknowledge": true, on: { click: () => this.#send() } },
    t("acknowledge.do"),
  );
  #count = h("span.soft");
  /** Says what the user's own act has done. */
  #said = h("p.unseen", { role: "status" });
  #isMine = false;
  #total = 0;

  /** @param {NonNullable<App.Item["acknowledge"]>} acknowledge */
  update({ count, mine }) {
    this.#isMine = mine;
    this.#total = count;
    this.element.classList.toggle("done", mine);
    this.#line.textContent = t(
      mine ? "acknowledge.done" : this.#acknowledge ? "acknowledge.ask" : "acknowledge.asking",
    );
    this.#button.hidden = mine || this.#acknowledge === null;
    this.#count.textContent = count ? t("acknowledge.count", { n: count }) : t("acknowledge.count.none");
  }

  async #send() {
    if (this.#isMine || this.#acknowledge === null) return;
    const { activeElement } = document;
    this.#button.disabled = true;
    const isDone = await attempt(() => this.#sendOrSeeOwn());
    this.#button.disabled = false;
    if (!isDone) return;
    // The button is gone, and the focus stays at the post.
    if (activeElement === this.#button) /** @type {HTMLElement} */ (this.element.firstElementChild).focus();
  }

  /** A post that has just arrived does not name its author. The refusal says that it is the user's own. */
  async #sendOrSeeOwn() {
    try {
      await this.#acknowledge?.();
      this.#said.textContent = t("acknowledge.done");
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error).code !== "own_acknowledgement") throw error;
      this.#acknowledge = null;
      this.update({ count: this.#total, mine: false });
    }
  }
}
