// The open requests to join a channel or a group, with what people wrote, and answering them: one by one, or several at once.

import "./texts.js";
import { client, get, Problem, part, post } from "../client/api.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { h, throttle } from "../ui/dom.js";
import { ago, exact } from "../ui/format.js";
import { attempt, confirmDialog, notice } from "../ui/overlay.js";
import { PagedList } from "../ui/paged_list.js";
import { isOf, placeOf } from "./places.js";

const PAGE = 50;
const AT_ONCE = 100; // as many as the server answers with one call
const RELOAD_EVERY = 2000; // milliseconds, while people ask
const CHANGES = ["join.requested", "join.answered"];

export class JoinRequests {
  /**
   * `onChange` is called after requests were answered here, and after each reload.
   * @param {App.Place} place
   * @param {{ onChange?: () => unknown }} [options]
   */
  constructor(place, { onChange = () => {} } = {}) {
    this.#place = place;
    this.#path = `${placeOf(place)}/join-requests`;
    this.#onChange = onChange;
    this.element = h("div.join-requests", {}, this.#tools, this.#list.elements);
    client.socket.addEventListener("event", this.#onEvent);
    this.loaded = this.reload();
  }

  #place;
  /** @type {`${App.PlacePath}/join-requests`} */
  #path;
  #onChange;
  /** @type {Map<string, HTMLInputElement>} */
  #boxes = new Map(); // by user id, of the rows that are shown
  #all = h("input", { type: "checkbox", id: "all-requests", on: { change: () => this.#selectAll() } });
  #approve = h("button.primary", { type: "button", on: { click: () => this.#answerSelected(true) } });
  #refuse = h("button.plain", { type: "button", on: { click: () => this.#answerSelected(false) } });
  #tools = h(
    "div.request-tools",
    { hidden: true },
    h("div.choice-line", {}, this.#all, h("label", { for: "all-requests" }, t("requests.all"))),
    this.#approve,
    this.#refuse,
  );
  /** @type {PagedList<Api.JoinRequestResponse>} */
  #list = new PagedList({
    list: h("ul.people-list", { "aria-label": t("requests.title") }),
    fetchPage: (cursor) => this.#fetchPage(cursor),
    renderRow: (request) => this.#row(request),
    emptyText: () => t("requests.empty"),
  });

  get isEmpty() {
    return this.#list.isEmpty;
  }

  close() {
    client.socket.removeEventListener("event", this.#onEvent);
  }

  /** Loads them again. What is selected stays selected. */
  async reload() {
    await this.#list.reload();
    this.#showTools();
    this.#onChange();
  }

  /** @param {string | null} cursor */
  async #fetchPage(cursor) {
    const page = await get(this.#path, { limit: PAGE, cursor });
    queueMicrotask(() => this.#showTools());
    return page;
  }

  /** @param {Api.JoinRequestResponse} request */
  #row({ face_url: url, invite_link: link, name: userName, requested_at: at, text, user_id: id }) {
    const name = userName || id;
    const box = h("input", {
      type: "checkbox",
      "aria-label": t("requests.select", { name }),
      checked: this.#boxes.get(id)?.checked ?? false,
      on: { change: () => this.#showTools() },
    });
    this.#boxes.set(id, box);
    const when = t("requests.when", { when: ago(at) });
    const by = link && (link.name ? t("requests.byLink", { name: link.name }) : t("requests.byLink.unnamed"));
    return h(
      "li.person-line",
      {},
      box,
      h(
        "span.person-link",
        {},
        avatar({ id, name, url, shape: "round", size: "small" }),
        h(
          "span.person-text",
          {},
          h("span.person-name", { dir: "auto" }, name),
          text ? h("span.request-text", { dir: "auto" }, text) : null,
          h("span.soft", { title: exact(at) }, by ? `${when} · ${by}` : when),
        ),
      ),
      h(
        "span.request-actions",
        {},
        h(
          "button.plain.small",
          {
            type: "button",
            "aria-label": t("members.approve.label", { name }),
            on: { click: () => this.#answerOne(id, true) },
          },
          t("members.approve"),
        ),
        h(
          "button.plain.small",
          {
            type: "button",
            "aria-label": t("members.decline.label", { name }),
            on: { click: () => this.#answerOne(id, false) },
          },
          t("members.decline"),
        ),
      ),
    );
  }

  /** Those that are selected and still on the page. */
  get #selected() {
    return [...this.#boxes].filter(([, box]) => box.isConnected && box.checked).map(([id]) => id);
  }

  #showTools() {
    for (const [id, box] of this.#boxes) if (!box.isConnected) this.#boxes.delete(id);
    const n = this.#selected.length;
    this.#tools.hidden = !this.#boxes.size;
    this.#all.checked = n > 0 && n === this.#boxes.size;
    this.#all.indeterminate = n > 0 && n < this.#boxes.size;
    this.#approve.textContent = t("requests.approve", { n });
    this.#refuse.textContent = t("requests.refuse", { n });
    this.#approve.hidden = this.#refuse.hidden = n === 0;
  }

  #selectAll() {
    for (const box of this.#boxes.values()) box.checked = this.#all.checked;
    this.#showTools();
  }

  /**
   * @param {string} userId
   * @param {boolean} approve
   */
  async #answerOne(userId, approve) {
    const isDone = await attempt(() => post(`${this.#path}/${part(userId)}`, { approve }));
    if (isDone) notice(t(approve ? "requests.approved" : "requests.refused", { n: 1 }));
    await this.reload();
    this.#keepFocus();
  }

  /** @param {boolean} approve */
  async #answerSelected(approve) {
    const ids = this.#selected;
    const n = ids.length;
    const text = t("requests.refuse.confirm", { n });
    const action = t("requests.refuse", { n });
    if (!approve && !(await confirmDialog({ title: t("requests.title"), text, action }))) return;
    /** @type {Api.AnsweredResponse[]} */
    const results = [];
    const isDone = await attempt(async () => {
      for (let start = 0; start < n; start += AT_ONCE) {
        const page = await post(this.#path, { user_ids: ids.slice(start, start + AT_ONCE), approve });
        results.push(...page.items);
      }
    });
    const failed = results.flatMap(({ error }) => (error === null ? [] : [error]));
    const done = results.length - failed.length;
    if (done) notice(t(approve ? "requests.approved" : "requests.refused", { n: done }));
    if (failed.length) {
      const reason = new Problem(409, failed[0].code, failed[0].detail).userMessage;
      notice(t("requests.failed", { n: failed.length, reason }), { isBad: true });
    }
    if (results.length || isDone) await this.reload();
    this.#keepFocus();
  }

  /** The button that had the focus is gone. */
  #keepFocus() {
    if (document.activeElement === document.body) [...this.#boxes.values()].at(0)?.focus();
  }

  #reloadSoon = throttle(RELOAD_EVERY, () => {
    // Not under the hands of who is choosing.
    if (this.element.isConnected) this.reload();
  });

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (CHANGES.includes(event.type) && isOf(event, this.#place)) this.#reloadSoon();
  };
}
