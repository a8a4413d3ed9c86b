// A panel with a button that saves all data of a user as a file, shows how far it is, and can be cancelled.

import { asProblem } from "../client/api.js";
import { saveFile } from "../console/save_file.js";
import "./texts.js";
import { t } from "../texts.js";
import { fill, h } from "../ui/dom.js";
import { notice } from "../ui/overlay.js";
import { readData } from "./data_file.js";

/**
 * @param {{ path: import("./data_file.js").ExportPath; name: string; title: string; lead: string }} options `name` is in that of the file.
 */
export function downloadPanel({ path, name, title, lead }) {
  const status = h("p.soft", { role: "status" });
  const error = h("p.error", { role: "alert", hidden: true });
  const actions = h("div.actions");
  /** @type {AbortController | null} */
  let running = null;

  const showButton = () => {
    const hadFocus = actions.contains(document.activeElement);
    const button = running
      ? h("button.plain", { type: "button", on: { click: () => running?.abort() } }, t("app.cancel"))
      : h("button.plain", { type: "button", on: { click: () => save() } }, t("account.download"));
    fill(actions, button);
    if (hadFocus) button.focus();
  };

  const save = async () => {
    const controller = new AbortController();
    running = controller;
    error.hidden = true;
    status.textContent = t("account.download.begun");
    showButton();
    try {
      const blob = await readData(path, {
        signal: controller.signal,
        onProgress: (n) => {
          status.textContent = t("account.download.progress", { n });
        },
      });
      saveFile(blob, `${name}-${new Date().toISOString().slice(0, 10)}.ndjson`);
      status.textContent = t("account.download.done");
    } catch (problem) {
      status.textContent = "";
      if (controller.signal.aborted) notice(t("account.download.cancelled"));
      else {
        error.textContent = asProblem(problem).userMessage;
        error.hidden = false;
      }
    }
    running = null;
    showButton();
  };

  showButton();
  const element = h("section.panel.form", {}, h("h2", {}, title), h("p.soft", {}, lead), status, error, actions);
  return { element, close: () => running?.abort() };
}
