// A conversation, open: its head, its history, and at its foot what one may do. What is told here holds for all of them;
// a channel, a chat group and a one-to-one chat each say what they show (`channel.js`, `chat.js`, `dialogue.js`).

import { fill, h, takeFocus } from "../dom.js";
import { icon } from "../icons.js";
import { conversationOf, inbox } from "../inbox.js";
import { menu } from "../overlay.js";
import { asked, back } from "../router.js";
import { link } from "../socket.js";
import { t } from "../texts.js";
import { avatar } from "../avatar.js";
import { History } from "./history.js";
import { Stream } from "./stream.js";
import { talkEntries } from "./sidebar.js";

export class Talk {
  /** What the API says of the channel, the group or the other side. */
  place = null;
  row = null;
  history = null;
  stream = null;
  isClosed = false;
  #isStale = false;
  #open = null;

  /** `streamId` is what the stream is read by: the id, or where it is one-to-one the conversation's. */
  constructor(kind, id, conversationId = conversationOf(id), streamId = id) {
    this.kind = kind;
    this.id = id;
    this.conversationId = conversationId;
    this.streamId = streamId;
    this.head = h("header.talk-head");
    this.above = h("div.talk-above", { hidden: true });
    this.foot = h("footer.talk-foot");
    this.element = h("section.talk", {}, this.head, h("p.empty", { role: "status" }, t("app.loading")));
    link.addEventListener("event", this.#onEvent);
    inbox.addEventListener("change", this.#onInbox);
  }

  // --- what each kind says of itself

  /** The place, asked for anew. */
  async fetch() {}
  /** Whether I am in it, so that there is a conversation to ask for. */
  get isMember() {
    return true;
  }
  get mayRead() {
    return true;
  }
  get goneText() {
    return t("chat.gone");
  }
  /** {id, name, url, shape}: what stands for it. */
  get face() {
    return null;
  }
  get subtitle() {
    return null;
  }
  /** Beside the name and at the end of the head. */
  marks() {
    return [];
  }
  tools() {
    return [];
  }
  entries() {
    return [];
  }
  showProfile() {}
  fillFoot() {}
  /** The element of one item. */
  draw() {}
  onSeen = null;
  /** Once all is on the page for the first time. */
  shown() {}
  /** An event of this conversation, or of its other side. */
  hear() {}

  // --- its life

  close() {
    this.isClosed = true;
    link.removeEventListener("event", this.#onEvent);
    inbox.removeEventListener("change", this.#onInbox);
    this.history?.close();
  }

  async load() {
    try {
      this.place = await this.fetch();
      // A stranger has no conversation to ask for.
      const row = this.isMember ? await inbox.find(this.conversationId) : null;
      if (this.isClosed) return;
      this.row = row;
      if (!this.mayRead) return this.#showClosed();
      this.stream = new Stream(this.kind, this.streamId, this.place.head_seq);
      // In step with what is shown as unread, which may be older than the head we just read.
      this.stream.head = Math.max(this.place.head_seq, row?.head_seq ?? 0);
      const seq = asked("post");
      if (seq === null) await this.stream.open(row?.unread_count ? row.read_seq : null);
      else await this.stream.around(seq);
      if (this.isClosed) return this.stream.close();
      this.#show(seq);
    } catch (problem) {
      if (problem.code === undefined) throw problem;
      if (!this.isClosed) this.showRefusal(problem);
    }
  }

  /** The address has changed within this view. */
  moved() {
    const seq = asked("post");
    if (seq !== null) this.history?.jumpTo(seq);
  }

  async reload() {
    if (!this.history) return this.load();
    try {
      this.place = await this.fetch();
      this.row = this.isMember ? await inbox.find(this.conversationId) : null;
      if (this.isClosed) return;
      if (this.row) this.history.follow(this.row.read_seq);
      this.showHead();
      this.showFoot();
      this.history.redraw();
    } catch (problem) {
      if (problem.code === undefined) throw problem;
      this.showRefusal(problem);
    }
  }

  showRefusal(problem) {
    const isGone = [400, 403, 404].includes(problem.status);
    fill(this.element, h("div.gone", {}, h("p", { role: "alert" }, isGone ? this.goneText : problem.shown),
      isGone ? null : h("button.plain", { type: "button", on: { click: () => this.load() } }, t("app.retry")),
      h("a.button.plain", { href: "/", "data-inside": true }, t("app.back"))));
  }

  #show(seq) {
    this.history = new History({
      stream: this.stream,
      readSeq: this.row ? this.row.read_seq : null,
      unread: this.row?.unread_count ?? 0,
      draw: (item, old) => this.draw(item, old),
      onSeen: this.onSeen,
      onRead: (read) => {
        if (this.row) inbox.read(this.conversationId, read).catch(() => {});
      },
    });
    fill(this.element, this.head, this.above, this.history.element, this.foot);
    this.showHead();
    this.showFoot();
    this.history.placeFirst();
    if (seq === null) takeFocus(this.element);
    else this.history.jumpTo(seq);
    this.shown();
    if (this.#isStale) this.reload();
  }

  /** Who may not read here sees what it is, and what to do about it. */
  #showClosed() {
    fill(this.element, this.head, h("div.gone.about", {}, this.profile()), this.foot);
    this.showHead();
    this.showFoot();
    takeFocus(this.element);
  }

  /** What the place tells of itself. */
  profile() {
    const { place } = this;
    return [
      avatar({ ...this.face, size: "huge" }),
      place.organization ? h("p.soft", { dir: "auto" }, place.organization) : null,
      place.introduction ? h("p.text", { dir: "auto" }, place.introduction) : null,
      place.notification ? h("p.text", { dir: "auto" }, place.notification) : null,
      this.subtitle ? h("p.soft", {}, this.subtitle) : null,
    ];
  }

  showHead() {
    const row = inbox.rows.get(this.conversationId);
    const more = h("button.quiet.square", { type: "button", "aria-label": t("talk.menu"), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openMenu(more) } }, icon("more"));
    fill(this.head,
      h("button.quiet.square.narrow-only", { type: "button", "aria-label": t("app.back"), on: { click: () => back("/") } }, icon("back")),
      h("div.talk-name", {},
        avatar(this.face),
        h("span.talk-title", {},
          h("h1", { dir: "auto", tabindex: "-1" }, this.#openButton(), this.marks()),
          this.subtitle ? h("span.soft", {}, this.subtitle) : null,
        ),
      ),
      row?.muted ? h("span.mark", { role: "img", "aria-label": t("list.muted") }, icon("mute")) : null,
      this.tools(),
      this.#entries().length ? more : null,
    );
  }

  /** Kept, so that it keeps its focus when the head is drawn anew. */
  #openButton() {
    this.#open ??= h("button.talk-open", { type: "button", on: { click: () => this.showProfile() } });
    this.#open.textContent = this.face.name;
    return this.#open;
  }

  #entries() {
    const row = inbox.rows.get(this.conversationId);
    const groups = [...this.entries(), row ? talkEntries(row) : [], this.lastEntries()].filter((entries) => entries.length);
    return groups.flatMap((entries, index) => (index ? [null, ...entries] : entries));
  }

  /** What ends it. */
  lastEntries() {
    return [];
  }

  #openMenu(anchor) {
    menu(anchor, this.#entries());
  }

  showFoot() {
    this.fillFoot();
    this.foot.hidden = !this.foot.childElementCount;
  }

  #onInbox = () => {
    if (this.isClosed || !this.history) return;
    if (!this.row && this.isMember && inbox.rows.has(this.conversationId)) {
      // Begun just now.
      this.row = inbox.rows.get(this.conversationId);
      this.history.follow(this.row.read_seq);
    }
    this.showHead();
  };

  #onEvent = ({ detail: event }) => {
    if (event.conversation_id === this.conversationId && !this.history) this.#isStale = true; // what is being loaded may be from before it
    this.hear(event);
  };
}
