// The channel's inbox: a list of threads, one for each user whom the channel writes with, and the open thread beside it.

import { t } from "../../texts.js";
import { avatar } from "../../ui/avatar.js";
import { fill, h, reconcile } from "../../ui/dom.js";
import { rowContent } from "../../ui/list_row.js";
import { attempt } from "../../ui/overlay.js";
import { lastMessageText } from "../../ui/previews.js";
import { Thread } from "./thread.js";
import { tagFilter, tagMarks } from "./thread_tags.js";

/** @typedef {{ thread: Api.ThreadResponse; isOpen: boolean; element: HTMLElement; button: HTMLElement }} ThreadRow */

export class InboxView {
  /** @param {{ inbox: import("./channel_inbox.js").ChannelInbox }} options */
  constructor({ inbox }) {
    this.#inbox = inbox;
    if (inbox.tag !== null) fill(this.#filter, tagMarks([inbox.tag]));
    this.#more = h(
      "button.plain.wide",
      { type: "button", hidden: true, on: { click: () => attempt(() => inbox.loadMore()) } },
      t("app.more"),
    );
    this.element = h(
      "div.inbox.panel",
      {},
      h(
        "nav.inbox-list",
        { "aria-label": t("inbox.threads") },
        h(
          "div.inbox-filter",
          {},
          this.#filter,
          tagFilter(inbox, (tag) => this.#choose(tag)),
        ),
        this.#list,
        this.#status,
        this.#more,
      ),
      this.#main,
    );
    this.#closeThread();
    inbox.addEventListener("change", this.#render);
    if (inbox.isLoaded) this.#render();
    else attempt(() => inbox.load());
  }

  #inbox;
  #list = h("ul.threads");
  #filter = h("span", { role: "status" }, t("tags.all"));
  #status = h("p.empty", { role: "status" }, t("app.loading"));
  #more;
  #main = h("div.inbox-open");
  /** @type {Thread | null} */
  #thread = null;
  /** @type {string | null} */
  #userId = null; // of the open thread
  /** @type {Map<string, ThreadRow>} */
  #rows = new Map(); // by user id

  close() {
    this.#thread?.close();
    this.#inbox.removeEventListener("change", this.#render);
  }

  /** Shows the threads with this tag; null for all. @param {string | null} tag */
  #choose(tag) {
    this.#inbox.tag = tag;
    fill(this.#filter, tag === null ? t("tags.all") : tagMarks([tag]));
    return attempt(() => this.#inbox.load());
  }

  #render = () => {
    const threads = this.#inbox.inOrder();
    reconcile(
      this.#list,
      threads.map((thread) => this.#row(thread)),
    );
    this.#status.textContent = threads.length ? "" : t(this.#inbox.tag === null ? "inbox.empty" : "tags.none");
    this.#more.hidden = !this.#inbox.hasMore;
  };

  /** @param {Api.ThreadResponse} thread */
  #row(thread) {
    const { user_id: userId, face_url: url, last_message: last, unread_count: unread } = thread;
    const isOpen = userId === this.#userId;
    const row = this.#rows.get(userId);
    if (row?.thread === thread && row.isOpen === isOpen) return row.element;
    const button =
      row?.button ?? h("button.thread-row", { type: "button", on: { click: () => this.#openThread(userId) } });
    const element = row?.element ?? h("li", {}, button);
    const name = thread.name || userId;
    const text = lastMessageText(last);
    fill(
      button,
      rowContent({
        picture: avatar({ id: userId, name, url, shape: "round" }),
        title: name,
        last,
        preview: last?.from_channel ? t("inbox.you", { text }) : text,
        marks: tagMarks(thread.tags),
        unread,
      }),
    );
    if (isOpen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    this.#rows.set(userId, { thread, isOpen, element, button });
    return element;
  }

  /** @param {string} userId */
  #openThread(userId) {
    if (userId === this.#userId) return;
    this.#thread?.close();
    this.#userId = userId;
    this.#thread = new Thread({ inbox: this.#inbox, userId, onBack: () => this.#closeThread() });
    fill(this.#main, this.#thread.element);
    this.element.classList.add("has-open");
    this.#render();
    this.#thread.focus();
    // On a phone the thread fills the window.
    this.element.scrollIntoView({ block: "nearest" });
  }

  #closeThread() {
    const userId = this.#userId;
    this.#thread?.close();
    this.#thread = this.#userId = null;
    this.element.classList.remove("has-open");
    fill(this.#main, h("p.empty", {}, t("inbox.choose")));
    if (userId === null) return;
    this.#render();
    this.#rows.get(userId)?.button.focus();
  }
}
