// One thread of the inbox: what a user and the channel said to each other, who of the channel's people answered, and the
// field to answer in.

import { del, get, part, post, put } from "../api.js";
import { avatar } from "../avatar.js";
import { contentOf } from "../content.js";
import { arrange, fill, h } from "../dom.js";
import { day, dayKey, exact, time } from "../format.js";
import { icon } from "../icons.js";
import { attempt, menu, sure } from "../overlay.js";
import { ReactionBar } from "../reactions.js";
import { forwardedLine } from "../reader/items.js";
import { nameOf } from "../reader/people.js";
import { Writer } from "../reader/writer.js";
import { session } from "../session.js";
import { t } from "../texts.js";

const PAGE = 30;
const NEAR_END = 80; // pixels from the end where one still reads along

export class Thread {
  /** `onBack()` returns to the list where there is no room for both. */
  constructor({ threads, user, onBack }) {
    this.#threads = threads;
    this.#user = user;
    this.#list = h("ol.thread-items", { "aria-label": t("inbox.messages") });
    this.#older = h("button.plain", { type: "button", hidden: true, on: { click: () => attempt(() => this.#loadOlder()) } }, t("inbox.older"));
    this.#scroller = h("div.thread-scroll", { tabindex: "0", role: "log", "aria-label": t("inbox.messages") }, h("p.thread-older", {}, this.#older), this.#list);
    this.element = h("section.thread", {},
      h("header.thread-head", {},
        h("button.quiet.square.thread-back", { type: "button", "aria-label": t("inbox.back"), on: { click: onBack } }, icon("back")),
        this.#face, h("h2.thread-name", { dir: "auto", tabindex: "-1" })),
      this.#scroller,
    );
    this.#writer = new Writer({ send: (body, key) => this.#answer(body, key), dropTarget: this.element });
    this.element.append(h("footer.thread-foot", {}, h("p.soft", {}, t("inbox.as")), this.#writer.element));
    threads.addEventListener("message", this.#onMessage);
    threads.addEventListener("change", this.#showHead);
    threads.addEventListener("missed", this.#onMissed);
    this.#showHead();
    attempt(() => this.#load());
  }

  #threads;
  #user;
  #list;
  #older;
  #scroller;
  #writer;
  #face = h("span");
  #items = new Map(); // by seq
  #drawn = new Map();
  #isClosed = false;

  close() {
    this.#isClosed = true;
    this.#threads.removeEventListener("message", this.#onMessage);
    this.#threads.removeEventListener("change", this.#showHead);
    this.#threads.removeEventListener("missed", this.#onMissed);
  }

  get #path() {
    return `${this.#threads.path}/${part(this.#user)}/messages`;
  }

  get #first() {
    return Math.min(...this.#items.keys());
  }

  get #last() {
    return Math.max(0, ...this.#items.keys());
  }

  #showHead = () => {
    const row = this.#threads.rows.get(this.#user);
    const name = row?.name || this.#user;
    fill(this.#face, avatar({ id: this.#user, name, url: row?.face_url, shape: "round", size: "small" }));
    this.element.querySelector(".thread-name").textContent = name;
  };

  async #load() {
    const page = await get(this.#path, { limit: PAGE });
    if (this.#isClosed) return;
    this.#take(page.items);
    this.#older.hidden = page.next_cursor === null;
    this.#toEnd();
    this.#read();
  }

  async #loadOlder() {
    const page = await get(this.#path, { limit: PAGE, before_seq: this.#first });
    if (this.#isClosed) return;
    const before = this.#scroller.scrollHeight;
    this.#take(page.items);
    this.#older.hidden = page.next_cursor === null;
    // What is being read stays where it is.
    this.#scroller.scrollTop += this.#scroller.scrollHeight - before;
  }

  /** Read on from the last one that is here, or anew from an earlier one, page by page. */
  async #follow(from = this.#last) {
    const isAtEnd = this.#isAtEnd;
    const last = this.#last;
    for (let after = from, isMore = true; isMore && !this.#isClosed; ) {
      const page = await get(this.#path, { after_seq: after, limit: 100 });
      this.#take(page.items);
      after = Math.max(after, ...page.items.map(({ seq }) => seq));
      isMore = page.items.length > 0 && page.next_cursor !== null;
    }
    if (isAtEnd && this.#last > last) this.#toEnd();
    this.#read();
  }

  #take(items) {
    for (const item of items) {
      // Read again and the same, it stays the object that is drawn.
      if (JSON.stringify(item) !== JSON.stringify(this.#items.get(item.seq))) this.#items.set(item.seq, item);
    }
    this.#render();
  }

  #render() {
    const wanted = [];
    let before = null;
    for (const item of [...this.#items.values()].sort((one, other) => one.seq - other.seq)) {
      if (!before || dayKey(before.created_at) !== dayKey(item.created_at)) wanted.push(this.#day(item));
      wanted.push(this.#element(item));
      before = item;
    }
    arrange(this.#list, wanted);
  }

  #day({ created_at: at }) {
    const key = dayKey(at);
    let element = this.#drawn.get(key);
    if (!element) this.#drawn.set(key, (element = h("li.day", {}, h("span", {}, day(at)))));
    return element;
  }

  #element(item) {
    const drawn = this.#drawn.get(item.seq);
    if (drawn?.item === item) return drawn.element;
    const { element, bubble, bar } = drawn ?? this.#place(item.seq);
    this.#drawn.set(item.seq, { item, element, bubble, bar });
    bar.update(item);
    const isOnlyTally = drawn && JSON.stringify({ ...item, reactions: null }) === JSON.stringify({ ...drawn.item, reactions: null });
    if (isOnlyTally) return element;
    const by = item.author_id ? h("span", { dir: "auto" }) : null;
    const showBy = () => {
      if (by) by.textContent = item.author_id === session.userId ? t("inbox.by.me") : t("post.by", { name: nameOf(item.author_id, showBy) });
    };
    showBy();
    const mayRecall = item.from_channel && !item.recalled_at;
    element.classList.toggle("own", item.from_channel);
    bubble.classList.toggle("recalled", Boolean(item.recalled_at));
    fill(bubble,
      h("div.post-body", {}, item.recalled_at ? h("p.soft", {}, t("message.recalled")) : [forwardedLine(item), contentOf(item)]),
      h("p.meta", {},
        by,
        item.edited_at && !item.recalled_at ? h("span", {}, t("post.edited")) : null,
        h("time", { datetime: item.created_at, title: exact(item.created_at) }, time(item.created_at)),
        mayRecall ? h("button.quiet.square.small", { type: "button", "aria-label": t("inbox.message.menu"), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: (event) => this.#openMenu(item, event.currentTarget) } }, icon("more")) : null,
      ),
    );
    return element;
  }

  /** What stays of a message while what it says is drawn anew: a reaction's button keeps its focus. */
  #place(seq) {
    const bubble = h("article.bubble");
    const bar = new ReactionBar({ policy: "all", react: (emoji, isOn) => attempt(() => this.#react(seq, emoji, isOn)) });
    return { element: h("li.message", { data: { seq } }, h("div.message-stack", {}, bubble, bar.element)), bubble, bar };
  }

  /** As the channel, whose reactions all who read the inbox share. */
  async #react(seq, emoji, isOn) {
    const tally = await (isOn ? put : del)(`${this.#path}/${seq}/reactions/${part(emoji)}`);
    this.#change(seq, { reactions: tally });
  }

  #change(seq, changes) {
    const item = this.#items.get(seq);
    if (item) this.#take([{ ...item, ...changes }]);
  }

  #openMenu(item, anchor) {
    menu(anchor, [{ label: t("post.recall"), icon: "trash", isDangerous: true, act: async () => {
      if (await sure({ title: t("post.recall"), text: t("inbox.recall.sure"), action: t("post.recall") })) attempt(() => del(`${this.#path}/${item.seq}`));
    } }]);
  }

  async #answer(body, key) {
    this.#add(await post(this.#path, body, key));
    this.#toEnd();
  }

  #add(item) {
    if (item.seq > this.#last + 1) return this.#follow().catch(() => {});
    const isAtEnd = this.#isAtEnd;
    this.#take([item]);
    if (isAtEnd) this.#toEnd();
    return null;
  }

  get #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #read() {
    if (this.#items.size && document.visibilityState === "visible") this.#threads.read(this.#user, this.#last).catch(() => {});
  }

  #onMessage = ({ detail: event }) => {
    if (event.user_id !== this.#user || !this.#items.size) return;
    if (event.type === "message.posted") {
      this.#add(event.message);
      this.#read();
    } else if (event.type === "reactions.changed") {
      const { counts, total, mine } = event;
      this.#change(event.seq, { reactions: { counts, total, mine } });
    } else {
      this.#change(event.seq, event.message);
    }
  };

  #onMissed = () => {
    if (this.#items.size) this.#follow(this.#first - 1).catch(() => {});
  };
}
