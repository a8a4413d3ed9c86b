// A list that the API returns page by page: its rows, a "Show more" button, and a line for what to say instead of rows.

import { t } from "../texts.js";
import { fill, h } from "./dom.js";
import { attempt } from "./overlay.js";
import { retryButton } from "./retry.js";

/** @template Row */
export class PagedList {
  /** @param {App.ListOptions<Row>} options */
  constructor({ list = h("ul.people"), fetchPage, renderRow, emptyText = () => "" }) {
    this.#list = list;
    this.#fetchPage = fetchPage;
    this.#renderRow = renderRow;
    this.#emptyText = emptyText;
  }

  #list;
  #fetchPage;
  #renderRow;
  #emptyText;
  #status = h("div.empty", { role: "status" }, t("app.loading"));
  #more = h(
    "button.plain.wide",
    { type: "button", hidden: true, on: { click: () => this.#load(true) } },
    t("app.more"),
  );
  /** @type {string | null} */
  #cursor = null;
  #requests = 0;
  #reloads = 0; // under way

  /** What to put on the page. */
  get elements() {
    return [this.#list, this.#status, this.#more];
  }

  get isEmpty() {
    return !this.#list.childElementCount;
  }

  /** Loads the first page again, in place of everything that is shown. Never throws; a failure is shown with a retry button. */
  async reload() {
    await this.#load(false);
  }

  /**
   * Puts another row in the place of one whose object has changed. Loads the list again where it was loaded meanwhile, or is
   * being loaded: what arrives may be from before the change.
   * @param {HTMLElement} row
   * @param {HTMLElement} renewed
   */
  renew(row, renewed) {
    const isShown = row.isConnected;
    if (isShown) row.replaceWith(renewed);
    if (!isShown || this.#reloads > 0) this.reload();
  }

  /** @param {boolean} isMore */
  async #load(isMore) {
    const request = ++this.#requests;
    if (!isMore) this.#reloads += 1;
    const isDone = await attempt(async () => {
      const page = await this.#fetchPage(isMore ? this.#cursor : null);
      // A newer request has been made, perhaps for other words: this answer is out of date.
      if (request !== this.#requests) return;
      this.#cursor = page.next_cursor;
      this.#more.hidden = page.next_cursor === null;
      const rows = page.items.map(this.#renderRow);
      if (isMore) this.#list.append(...rows);
      else fill(this.#list, rows);
      fill(this.#status, this.isEmpty ? this.#emptyText() : null);
    });
    if (!isMore) this.#reloads -= 1;
    if (!isDone && !isMore && request === this.#requests) {
      fill(
        this.#status,
        h("p", {}, t("app.failed")),
        retryButton(() => this.reload()),
      );
    }
  }
}
