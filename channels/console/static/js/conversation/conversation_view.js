// An open conversation: a header, the history, and a footer in which one writes or joins.
//
// This is what all kinds of conversations share. A channel, a chat group and a one-to-one chat each have a subclass
// (`channel_view.js`, `group_view.js`, `dialogue_view.js`).

import { asProblem, client } from "../client/api.js";
import { conversations, groupConversationId } from "../client/conversations.js";
import { restriction } from "../client/restriction.js";
import { session } from "../client/session.js";
import { conversationEntries } from "../reader/conversation_menu.js";
import { back, currentRoute, queryNumber } from "../router.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { fill, focusHeading, h, runCommand } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { mark } from "../ui/list_row.js";
import { menu, menuButton } from "../ui/overlay.js";
import { setPageName } from "../ui/page_title.js";
import { retryButton } from "../ui/retry.js";
import { History } from "./history.js";
import { currentEntry, keepPosition, keptPosition } from "./reading_position.js";

/** @template {App.Info} Info */
export class ConversationView {
  /**
   * The channel, the group or the other side, as the API returns it. Subclasses use it once it is loaded.
   * @type {Info}
   */
  info = /** @type {never} */ (null);
  /**
   * The entry in the user's list of conversations; null when there is none.
   * @type {Api.ConversationResponse | null}
   */
  conversation = null;
  /** @type {History | null} */
  history = null;
  /** @type {App.Stream} */
  stream = /** @type {never} */ (null);
  isClosed = false;
  /** The entry of the browser's history for which it is shown. */
  #entry = currentEntry();
  #path = location.pathname;
  #isStale = false;
  #menuPlace = h("div.menu-place", { hidden: true });
  #menuVersion = 0;
  /** @type {import("../self_service/menu_bar.js").MenuBar | null} */
  #menuBar = null;
  /** @type {HTMLElement | null} */
  #nameButton = null;

  /**
   * @param {string} id
   * @param {string} [conversationId]
   */
  constructor(id, conversationId = groupConversationId(id)) {
    this.id = id;
    this.conversationId = conversationId;
    this.header = h("header.conversation-head");
    this.banner = h("div.conversation-above", { hidden: true });
    this.footer = h("footer.conversation-foot");
    this.element = h("section.conversation", {}, this.header, h("p.empty", { role: "status" }, t("app.loading")));
    client.socket.addEventListener("event", this.#onEvent);
    conversations.addEventListener("change", this.#onConversations);
    restriction.addEventListener("change", this.#onRestriction);
    addEventListener("pagehide", this.#keepPosition);
  }

  // --- what subclasses define

  /**
   * Loads `info`.
   * @returns {Promise<Info>}
   */
  fetchInfo() {
    throw new Error("no info");
  }
  /**
   * The stream of posts or messages.
   * @param {number} _headSeq
   * @returns {App.Stream}
   */
  createStream(_headSeq) {
    throw new Error("no stream");
  }
  /**
   * The element of one item of the stream; `old` is its previous element.
   * @param {App.Item} _item
   * @param {HTMLElement | null} _old
   * @returns {HTMLElement}
   */
  renderItem(_item, _old) {
    throw new Error("no items");
  }
  /**
   * Of the avatar and the name.
   * @returns {App.Identity}
   */
  get identity() {
    throw new Error("no identity");
  }
  /**
   * Of the avatar, where it has another name beside it.
   * @returns {App.Identity}
   */
  get picture() {
    return this.identity;
  }
  /** @returns {string | null} */
  get subtitle() {
    return null;
  }
  /** Whether the user belongs to it and so has it in the list of conversations. */
  get isMember() {
    return true;
  }
  get mayRead() {
    return true;
  }
  /** Whether the user may write and react anywhere. */
  get mayWrite() {
    return !session.isBusiness && restriction.current === null;
  }
  get goneText() {
    return t("group.gone");
  }
  /**
   * Elements beside the name.
   * @returns {App.Child}
   */
  nameMarks() {
    return [];
  }
  /**
   * Elements at the end of the header.
   * @returns {App.Child}
   */
  headerTools() {
    return [];
  }
  /**
   * Groups of menu entries before and after those that every conversation has.
   * @returns {App.MenuEntry[]}
   */
  menuEntries() {
    return [];
  }
  /** @returns {App.MenuEntry[]} */
  leavingEntries() {
    return [];
  }
  /** Which value in the query of the address names an item. */
  get placeName() {
    return "post";
  }
  /** Where the button of the header leads back to; null shows one on narrow windows only, to the list. */
  get above() {
    return /** @type {string | null} */ (null);
  }
  /** Whether the search finds what is in it. */
  get isSearchable() {
    return true;
  }
  /**
   * The channel whose menu is shown below; null for none.
   * @returns {Api.ChannelResponse | null}
   */
  get menuChannel() {
    return null;
  }
  showProfile() {}
  renderFooter() {}
  /**
   * Called with the seqs of the items that the user has seen.
   * @type {((seqs: number[]) => unknown) | null}
   */
  onSeen = null;
  /** Called after the first rendering. */
  onOpened() {}
  /**
   * Called for every event of the socket.
   * @param {App.Event} _event
   */
  onEvent(_event) {}

  // --- life cycle

  close() {
    this.isClosed = true;
    this.#keepPosition();
    removeEventListener("pagehide", this.#keepPosition);
    client.socket.removeEventListener("event", this.#onEvent);
    conversations.removeEventListener("change", this.#onConversations);
    restriction.removeEventListener("change", this.#onRestriction);
    this.history?.close();
    requestAnimationFrame(() => this.#focusRow());
  }

  /** Back at the list, the focus is on the row of this conversation, as it was. */
  #focusRow() {
    if (!["channels", "folder"].includes(currentRoute().name)) return;
    const rows = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a.row"));
    [...rows].find((row) => row.pathname === this.#path)?.focus();
  }

  #keepPosition = () => {
    if (!this.history || !session.token) return;
    const { position } = this.history;
    keepPosition(this.#entry, position && { ...position, conversationId: this.conversationId });
  };

  /** The list, for keys that work from anywhere in the view. */
  get timeline() {
    return this.history;
  }

  async load() {
    try {
      this.info = await this.fetchInfo();
      const conversation = this.isMember ? await conversations.find(this.conversationId) : null;
      if (this.isClosed) return;
      this.conversation = conversation;
      if (!this.mayRead) return this.#showProfileOnly();
      // The list of conversations may know a newer head than the one that has just been loaded.
      this.stream = this.createStream(Math.max(this.info.head_seq, conversation?.head_seq ?? 0));
      const position = keptPosition(this.#entry, this.conversationId);
      const seq = position === null ? queryNumber(this.placeName) : null;
      const around = position?.seq ?? seq;
      if (around === null) await this.stream.open(conversation?.unread_count ? conversation.read_seq : null);
      else await this.stream.loadAround(around);
      if (this.isClosed) return this.stream.close();
      this.#open(seq, position);
    } catch (error) {
      const problem = asProblem(error);
      if (!this.isClosed) this.showProblem(problem);
    }
  }

  /** The address has changed, but not the conversation. */
  onAddress() {
    const entry = currentEntry();
    if (entry !== this.#entry) this.#keepPosition();
    this.#entry = entry;
    const position = keptPosition(entry, this.conversationId);
    const seq = queryNumber(this.placeName);
    if (position) this.history?.returnTo(position);
    else if (seq !== null) this.history?.jumpTo(seq);
  }

  /**
   * Presses a button of a post or message. One that has changed meanwhile is shown as it is now.
   * @param {number} seq
   * @param {number} index
   */
  async press(seq, index) {
    try {
      await this.stream.press(seq, index);
    } catch (error) {
      await this.stream.reload(seq).catch(() => {});
      throw error;
    }
  }

  async reload() {
    if (!this.history) return this.load();
    try {
      this.info = await this.fetchInfo();
      this.conversation = this.isMember ? await conversations.find(this.conversationId) : null;
      if (this.isClosed) return;
      if (this.conversation) this.history.startReporting(this.conversation.read_seq);
      this.showHeader();
      this.showFooter();
      this.history.renderAgain();
    } catch (error) {
      this.showProblem(asProblem(error));
    }
  }

  /** @param {App.Failure} problem */
  showProblem(problem) {
    const isGone = [400, 403, 404].includes(problem.status);
    fill(
      this.element,
      h(
        "div.gone",
        {},
        h("p", { role: "alert" }, isGone ? this.goneText : problem.userMessage),
        isGone ? null : retryButton(() => this.load()),
        h("a.button.plain", { href: this.above ?? "/", "data-inside": true }, t("app.back")),
      ),
    );
  }

  /**
   * @param {number | null} seq
   * @param {App.ReadingPosition | null} position
   */
  #open(seq, position) {
    const { conversation } = this;
    this.history = new History({
      stream: this.stream,
      readSeq: conversation?.read_seq ?? null,
      unread: conversation?.unread_count ?? 0,
      renderItem: (item, old) => this.renderItem(item, old),
      onSeen: this.onSeen,
      onRead: (readSeq) => {
        if (this.conversation) conversations.markRead(this.conversationId, readSeq).catch(() => {});
      },
    });
    fill(this.element, this.header, this.banner, this.history.element, this.footer);
    this.showHeader();
    this.showFooter();
    this.history.open(position);
    if (seq === null) focusHeading(this.element);
    else this.history.jumpTo(seq);
    this.onOpened();
    if (this.#isStale) this.reload();
  }

  /** For users who may not read: what it is, and how to join. */
  #showProfileOnly() {
    fill(this.element, this.header, h("div.gone.about", {}, this.profile()), this.footer);
    this.showHeader();
    this.showFooter();
    focusHeading(this.element);
  }

  /** @returns {App.Child[]} */
  profile() {
    const { organization, introduction, notification } = this.info;
    return [
      avatar({ ...this.picture, size: "huge" }),
      organization ? h("p.soft", { dir: "auto" }, organization) : null,
      introduction ? h("p.text", { dir: "auto" }, introduction) : null,
      notification ? h("p.text", { dir: "auto" }, notification) : null,
      this.subtitle ? h("p.soft", {}, this.subtitle) : null,
    ];
  }

  showHeader() {
    setPageName(this.identity.name);
    const conversation = conversations.byId.get(this.conversationId);
    const more = menuButton({ label: t("conversation.menu"), open: (button) => menu(button, this.#menuEntries()) });
    fill(
      this.header,
      h(
        this.above ? "button.quiet.square" : "button.quiet.square.narrow-only",
        { type: "button", "aria-label": t("app.back"), on: { click: () => back(this.above ?? "/") } },
        icon("back"),
      ),
      h(
        "div.conversation-name",
        {},
        avatar(this.picture),
        h(
          "span.conversation-title",
          {},
          h("h1", { dir: "auto", tabindex: "-1" }, this.#nameButtonElement(), this.nameMarks()),
          this.subtitle ? h("span.soft", {}, this.subtitle) : null,
        ),
      ),
      conversation?.muted ? mark("mute", t("list.muted")) : null,
      this.headerTools(),
      this.#menuEntries().length ? more : null,
    );
  }

  /** One element, so that it keeps its focus when the header is rendered again. */
  #nameButtonElement() {
    this.#nameButton ??= h("button.conversation-open", { type: "button", on: { click: () => this.showProfile() } });
    this.#nameButton.textContent = this.identity.name;
    return this.#nameButton;
  }

  /** @returns {App.MenuEntries} */
  #menuEntries() {
    const conversation = conversations.byId.get(this.conversationId);
    /** @type {App.MenuEntry[]} */
    const search =
      this.history && this.isSearchable
        ? [{ label: t("conversation.search"), icon: "search", act: () => runCommand("searchHere") }]
        : [];
    const groups = [
      [...search, ...this.menuEntries()],
      conversation ? conversationEntries(conversation) : [],
      this.leavingEntries(),
    ].filter((entries) => entries.length);
    return groups.flatMap((entries, index) => (index ? [null, ...entries] : entries));
  }

  showFooter() {
    const focused = this.#menuPlace.contains(document.activeElement) ? document.activeElement : null;
    this.renderFooter();
    this.#showMenu();
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus(); // it was taken out and put back
    this.footer.hidden = [...this.footer.children].every((child) => child instanceof HTMLElement && child.hidden);
  }

  /** Puts the channel's menu above what else the footer holds. Its script is loaded with the first menu. */
  #showMenu() {
    const channel = session.isBusiness ? null : this.menuChannel;
    if (!channel?.menu_version) return;
    this.footer.prepend(this.#menuPlace);
    if (this.#menuVersion === channel.menu_version) return;
    this.#menuVersion = channel.menu_version;
    this.#loadMenu(channel).catch(() => {
      this.#menuVersion = 0; // it is tried again when the footer is shown again
    });
  }

  /** @param {Api.ChannelResponse} channel */
  async #loadMenu({ channel_id: channelId, name: channelName }) {
    const { MenuBar } = await import("../self_service/menu_bar.js");
    this.#menuBar ??= new MenuBar({ channelId, channelName, isInChat: this.#isChat });
    await this.#menuBar.load();
    if (this.isClosed) return;
    fill(this.#menuPlace, this.#menuBar.element);
    this.#menuPlace.hidden = false;
    this.footer.hidden = false;
  }

  get #isChat() {
    return this.conversationId !== groupConversationId(this.id);
  }

  #onConversations = () => {
    if (this.isClosed || !this.history) return;
    const conversation = conversations.byId.get(this.conversationId);
    if (!this.conversation && this.isMember && conversation) {
      // The first message has just created it.
      this.conversation = conversation;
      this.history.startReporting(conversation.read_seq);
    }
    this.showHeader();
  };

  #onRestriction = () => {
    if (this.isClosed || !this.history) return;
    this.showFooter();
    this.history.renderAgain();
  };

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    // What is being loaded may be older than this event.
    if (event.conversation_id === this.conversationId && !this.history) this.#isStale = true;
    this.onEvent(event);
  };
}
