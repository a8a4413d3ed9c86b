// The tab of a channel for what it offers by itself: menu, greeting, automatic answers, opening hours and forms. Its panels
// are loaded when it is opened.

import { asProblem } from "../../client/api.js";
import { whenLoaded } from "../../client/offline.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { retryButton } from "../../ui/retry.js";
import { loadStyle } from "../../ui/style_sheet.js";

export class SelfService {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    this.#channel = channel;
    this.#load();
  }

  #channel;
  element = h("div.panels", {}, h("p.empty", { role: "status" }, t("app.loading")));

  async #load() {
    try {
      const [{ panelsOf }] = await Promise.all([whenLoaded(import("./panels.js")), loadStyle("css/self_service.css")]);
      fill(this.element, await panelsOf(this.#channel));
    } catch (error) {
      const text = h("p", { role: "alert" }, asProblem(error).userMessage);
      fill(
        this.element,
        h(
          "div.empty",
          {},
          text,
          retryButton(() => this.#load()),
        ),
      );
    }
  }
}
