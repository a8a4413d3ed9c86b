// The channel's inbox: threads with those who wrote to it, and the one that is open beside them.

import { avatar } from "../avatar.js";
import { arrange, fill, h } from "../dom.js";
import { count, exact, shortTime } from "../format.js";
import { attempt } from "../overlay.js";
import { t } from "../texts.js";
import { Thread } from "./thread.js";

export class Inbox {
  constructor({ threads }) {
    this.#threads = threads;
    this.#list = h("ul.threads");
    this.#told = h("p.empty", { role: "status" }, t("app.loading"));
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => attempt(() => threads.more()) } }, t("app.more"));
    this.#side = h("nav.inbox-list", { "aria-label": t("inbox.threads") }, this.#list, this.#told, this.#more);
    this.element = h("div.inbox.panel", {}, this.#side, this.#place);
    this.#close();
    threads.addEventListener("change", this.#render);
    if (threads.isLoaded) this.#render();
    else attempt(() => threads.load());
  }

  #threads;
  #list;
  #told;
  #more;
  #side;
  #place = h("div.inbox-open");
  #thread = null;
  #user = null;
  #drawn = new Map();

  close() {
    this.#thread?.close();
    this.#threads.removeEventListener("change", this.#render);
  }

  #render = () => {
    const rows = this.#threads.inOrder();
    arrange(this.#list, rows.map((row) => this.#element(row)));
    this.#told.textContent = rows.length ? "" : t("inbox.none");
    this.#more.hidden = !this.#threads.hasMore;
  };

  #element(row) {
    const isOpen = row.user_id === this.#user;
    const drawn = this.#drawn.get(row.user_id);
    if (drawn?.row === row && drawn.isOpen === isOpen) return drawn.element;
    const element = drawn?.element ?? h("li", {}, h("button.thread-row", { type: "button", on: { click: () => this.#open(row.user_id) } }));
    const button = element.firstElementChild;
    const name = row.name || row.user_id;
    const last = row.last_message;
    const said = last ? (last.preview || t("list.recalled")) : "";
    fill(button,
      avatar({ id: row.user_id, name, url: row.face_url, shape: "round" }),
      h("span.row-text", {},
        h("span.row-top", {}, h("strong.row-title", { dir: "auto" }, name), last ? h("time.soft", { datetime: last.at, title: exact(last.at) }, shortTime(last.at)) : null),
        h("span.row-bottom", {}, h("span.preview.soft", { dir: "auto" }, last?.from_channel ? t("inbox.you", { said }) : said),
          row.unread_count ? h("span.badge", { role: "img", "aria-label": t("nav.unread", { n: row.unread_count }) }, count(row.unread_count)) : null),
      ),
    );
    if (isOpen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    this.#drawn.set(row.user_id, { row, isOpen, element });
    return element;
  }

  #open(user) {
    if (user === this.#user) return;
    this.#thread?.close();
    this.#user = user;
    this.#thread = new Thread({ threads: this.#threads, user, onBack: () => this.#close() });
    fill(this.#place, this.#thread.element);
    this.element.classList.add("has-open");
    this.#render();
    this.#thread.element.querySelector(".thread-name").focus({ preventScroll: true });
    // On a phone it takes the window.
    this.element.scrollIntoView({ block: "nearest" });
  }

  #close() {
    const user = this.#user;
    this.#thread?.close();
    this.#thread = this.#user = null;
    this.element.classList.remove("has-open");
    fill(this.#place, h("p.empty", {}, t("inbox.choose")));
    if (user === null) return;
    this.#render();
    this.#drawn.get(user)?.element.firstElementChild.focus();
  }
}
