// Downloads what a channel holds, as JSON Lines: one object a line, as the API answers it.
//
// The lists are read page by page, one call at a time, and can be cancelled. Files of posts are named by their addresses.

import { get, part } from "../../client/api.js";
import { may } from "../../client/grants.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { attempt, notice } from "../../ui/overlay.js";
import { saveFile } from "../save_file.js";

const PAGE = 100;

/** @typedef {(cursor: string | null) => Promise<App.Page<object>>} ReadPage */

/**
 * The panel with a button for each list that the user may read.
 * @param {Api.ChannelResponse} channel
 */
export function exportPanel(channel) {
  const path = /** @type {const} */ (`/v1/channels/${part(channel.channel_id)}`);
  /** @type {["posts" | "subscribers" | "log", ReadPage][]} */
  const lists = [["posts", (cursor) => get(`${path}/posts`, { limit: PAGE, cursor })]];
  if (may(channel, "manage_subscribers"))
    lists.push(["subscribers", (cursor) => get(`${path}/subscribers`, { limit: PAGE, cursor })]);
  lists.push(["log", (cursor) => get(`${path}/admin-log`, { limit: PAGE, cursor })]);
  const status = h("p.soft", { role: "status" });
  const buttons = h("div.export-buttons");
  let isCancelled = false;

  const showButtons = () =>
    fill(
      buttons,
      lists.map(([name, read]) =>
        h("button.plain", { type: "button", on: { click: () => save(name, read) } }, t(`export.${name}`)),
      ),
    );

  /**
   * @param {"posts" | "subscribers" | "log"} name
   * @param {ReadPage} read
   */
  const save = async (name, read) => {
    isCancelled = false;
    const cancel = () => {
      isCancelled = true;
    };
    fill(buttons, h("button.plain", { type: "button", on: { click: cancel } }, t("app.cancel")));
    const isDone = await attempt(async () => {
      const lines = await readAll(read, (n) => {
        status.textContent = t("export.progress", { n });
        return !isCancelled;
      });
      if (lines) saveFile(new Blob(lines, { type: "application/x-ndjson" }), `${name}.jsonl`);
    });
    status.textContent = "";
    if (isDone) notice(t(isCancelled ? "export.cancelled" : "export.done"));
    showButtons();
  };

  showButtons();
  return h(
    "section.panel.form",
    {},
    h("h2", {}, t("export.title")),
    h("p.soft", {}, t("export.lead")),
    buttons,
    status,
  );
}

/**
 * The lines of all pages; null when `onProgress`, which gets the number of lines so far, returns false.
 * @param {ReadPage} read
 * @param {(n: number) => boolean} onProgress
 */
async function readAll(read, onProgress) {
  /** @type {string[]} */
  const lines = [];
  /** @type {string | null} */
  let cursor = null;
  do {
    /** @type {App.Page<object>} */
    const page = await read(cursor);
    lines.push(...page.items.map((item) => `${JSON.stringify(item)}\n`));
    if (!onProgress(lines.length)) return null;
    cursor = page.next_cursor;
  } while (cursor);
  return lines;
}
