// "Try again" under what could not be loaded. It also tries by itself when the server answers again.

import { connection } from "../client/connection.js";
import { t } from "../texts.js";
import { h } from "./dom.js";

/** @type {Map<HTMLButtonElement, () => unknown>} */
const waiting = new Map();

/**
 * A button that runs `work`, which runs as well when the server is back while the button is on the page.
 * @param {() => unknown} work
 */
export function retryButton(work) {
  const button = h("button.plain", { type: "button", on: { click: work } }, t("app.retry"));
  waiting.set(button, work);
  return button;
}

connection.addEventListener("back", () => {
  const all = [...waiting];
  waiting.clear();
  for (const [button, work] of all) if (button.isConnected) work();
});
