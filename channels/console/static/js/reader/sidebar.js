// The list of conversations: a tab for channels and one for chats, each with its unread count; folders; and the rows.
//
// A conversation is put into a folder by dragging it there or, with any pointer or the keyboard, from its menu.

import { conversations, folderOf, isChannelId } from "../client/conversations.js";
import { whenLoaded } from "../client/offline.js";
import { session } from "../client/session.js";
import {
  channelPath,
  consolePath,
  currentRoute,
  dialoguePath,
  feedPath,
  folderPath,
  go,
  groupPath,
} from "../router.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { fill, h, isMac, reconcile, runCommand } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { Invitations } from "../ui/invitations.js";
import { mark, rowContent, showBadge } from "../ui/list_row.js";
import { attempt, menu, menuButton } from "../ui/overlay.js";
import { lastMessageText } from "../ui/previews.js";
import { RovingFocus } from "../ui/roving_focus.js";
import { conversationEntries, createFolder, deleteFolder, renameFolder, setInFolder } from "./conversation_menu.js";

/** @typedef {{ element: HTMLElement; anchor: HTMLAnchorElement; more: HTMLElement; conversation: Api.ConversationResponse | null }} ListRow */

/** @param {HTMLElement} anchor */
const openNewChatMenu = (anchor) =>
  attempt(async () => (await whenLoaded(import("./new_chat.js"))).openNewChatMenu(anchor));

const DRAG_TYPE = "application/x-channels-conversation";

export class Sidebar {
  constructor() {
    this.#tabs = { channels: this.#tab("channels"), chats: this.#tab("chats") };
    // The button is labelled until there is a folder beside it, which makes clear what it is for.
    this.#newFolderText = h("span", {}, t("folder.new"));
    this.#newFolder = h(
      "li",
      {},
      h(
        "button.folder.add",
        { type: "button", "aria-label": t("folder.new"), title: t("folder.new"), on: { click: createFolder } },
        icon("plus"),
        this.#newFolderText,
      ),
    );
    this.#newChat = menuButton({ label: t("newChat.label"), content: icon("plus"), open: openNewChatMenu });
    this.#newChat.title = t("newChat.label");
    this.#newChat.hidden = session.isBusiness;
    this.#more = h(
      "button.plain.wide",
      { type: "button", hidden: true, on: { click: () => attempt(() => conversations.loadMore(this.#scope)) } },
      t("app.more"),
    );
    this.#listMenu = menuButton({ open: () => this.#openListMenu() });
    this.element = h(
      "nav.sidebar",
      { "aria-label": t("nav.conversations") },
      h(
        "button.find-button",
        {
          type: "button",
          "aria-haspopup": "dialog",
          "aria-keyshortcuts": isMac ? "Meta+K" : "Control+K",
          on: { click: () => runCommand("palette") },
        },
        icon("search"),
        h("span", {}, t("nav.find")),
        h("kbd", { "aria-hidden": "true" }, isMac ? "⌘K" : "Ctrl K"),
      ),
      h(
        "div.tabs",
        { role: "group", "aria-label": t("nav.conversations") },
        this.#tabs.channels.element,
        this.#tabs.chats.element,
      ),
      this.#folders,
      h("div.list-head", {}, this.#heading, h("span.list-tools", {}, this.#newChat, this.#listMenu)),
      h("div.list-scroll", {}, this.#feed, this.#invitations.element, this.#empty, this.#list, this.#more),
    );
    this.#focus = new RovingFocus(this.#list, "a.row", { tool: ".row-menu" });
    conversations.addEventListener("change", this.#onChange);
  }

  /** @type {App.Scope} */
  #scope = "channels"; // "channels", "chats", or {folder}
  #tabs;
  #folders = h("ul.folders", { "aria-label": t("folder.list") });
  #newFolder;
  #newFolderText;
  #heading = h("div.list-title", { role: "heading", "aria-level": "2", dir: "auto", tabindex: "-1" });
  #newChat;
  #listMenu;
  #invitations = new Invitations({
    onAccept: (invitation) => {
      conversations.load().catch(() => {});
      if (!("channel_id" in invitation)) go(groupPath(invitation.group_id));
      else if (invitation.role === "admin") go(consolePath(invitation.channel_id));
      else go(channelPath(invitation.channel_id));
    },
  });
  #empty = h("div.empty", { hidden: true });
  #list = h("ul.rows");
  #feed = h("a.feed-link", { "data-inside": true, hidden: true }, icon("feed"), h("span", {}, t("nav.feed")));
  #focus;
  #more;
  /** @type {Map<string, ListRow>} */
  #rows = new Map(); // by conversation id
  /** @type {Map<string, { element: HTMLElement; anchor: HTMLElement; badge: HTMLElement }>} */
  #chips = new Map(); // by folder name
  /** @type {string | null} */
  #draggedId = null;

  close() {
    conversations.removeEventListener("change", this.#onChange);
    this.#invitations.close();
  }

  #onChange = () => this.render();

  /**
   * Shows this scope; null keeps the one that is shown.
   * @param {App.Scope | null} wanted
   */
  show(wanted) {
    // Opening a conversation keeps the folder in which it is listed. Going back to the list leaves the folder.
    const isInFolder =
      folderOf(this.#scope) !== undefined &&
      conversations.list(this.#scope).some((conversation) => pathOf(conversation) === location.pathname);
    const scope = wanted === "chats" && isInFolder ? null : wanted;
    if (scope !== null) this.#scope = scope;
    else if (currentRoute().name === "channels" && folderOf(this.#scope) !== undefined) this.#scope = "channels";
    this.render();
    if (scope !== null && folderOf(scope) !== undefined) attempt(() => conversations.loadMore(scope));
  }

  /** @param {"channels" | "chats"} scope */
  #tab(scope) {
    const badge = h("span.badge", { hidden: true });
    const open = () => {
      const { name } = currentRoute();
      if (name === "folder" || name === "directory") go("/");
      this.show(scope);
    };
    return {
      element: h(
        "button.tab",
        { type: "button", data: { scope }, on: { click: open } },
        h("span", {}, t(`nav.${scope}`)),
        badge,
      ),
      badge,
    };
  }

  render() {
    const scope = this.#scope;
    for (const name of /** @type {const} */ (["channels", "chats"])) {
      const { element, badge } = this.#tabs[name];
      element.setAttribute("aria-pressed", String(scope === name));
      showBadge(badge, conversations.unread[name]);
    }
    this.#newFolderText.hidden = conversations.folders.length > 0;
    reconcile(this.#folders, [...conversations.folders.map((name) => this.#chip(name)), this.#newFolder]);
    // Where no conversation is open, the list is the page, so its heading is the page's.
    this.#heading.setAttribute("aria-level", ["channels", "folder"].includes(currentRoute().name) ? "1" : "2");
    this.#heading.textContent = typeof scope === "object" ? scope.folder : t(`nav.${scope}`);
    this.#listMenu.setAttribute(
      "aria-label",
      typeof scope === "object" ? t("folder.menu", { name: scope.folder }) : t("conversation.menu"),
    );
    this.#newChat.hidden = scope !== "chats";
    const shown = conversations.list(scope);
    reconcile(
      this.#list,
      shown.map((conversation) => this.#row(conversation)),
    );
    this.#focus.refresh();
    // A folder may hold chats only; their messages are in no feed.
    this.#feed.hidden = scope === "chats" || !shown.some((conversation) => conversation.is_channel);
    this.#feed.href = feedPath(folderOf(scope));
    setCurrent(this.#feed, location.pathname === "/feed");
    this.#showEmpty(conversations.isReady && !shown.length);
    this.#more.hidden = !shown.length || !conversations.hasMore(scope);
  }

  /** @param {boolean} isEmpty */
  #showEmpty(isEmpty) {
    this.#empty.hidden = !isEmpty;
    if (!isEmpty) return;
    const kind = typeof this.#scope === "object" ? "folder" : this.#scope;
    if (this.#empty.dataset.kind !== kind) fill(this.#empty, this.#emptyText(kind));
    this.#empty.dataset.kind = kind;
  }

  /** @param {"channels" | "chats" | "folder"} kind */
  #emptyText(kind) {
    if (session.isBusiness && kind !== "folder")
      return [
        h("p", {}, t("list.empty.business")),
        h("a.button.primary", { href: "/console", "data-inside": true }, t("business.console")),
      ];
    return [h("p", {}, t(`list.empty.${kind}`)), this.#firstStep(kind)];
  }

  /**
   * The button under an empty list.
   * @param {"channels" | "chats" | "folder"} kind
   */
  #firstStep(kind) {
    if (kind === "channels") return h("a.button.primary", { href: "/find", "data-inside": true }, t("nav.directory"));
    return kind === "chats"
      ? menuButton({ content: t("newChat.first"), style: "primary", open: openNewChatMenu })
      : null;
  }

  /** @param {string} name */
  #chip(name) {
    let chip = this.#chips.get(name);
    if (!chip) {
      const badge = h("span.badge", { hidden: true });
      const anchor = h(
        "a.folder",
        { href: folderPath(name), "data-inside": true },
        h("span", { dir: "auto" }, name),
        badge,
      );
      const element = h("li", {}, anchor);
      element.addEventListener("dragover", (event) => {
        if (!this.#draggedId) return;
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = "move";
        anchor.classList.add("over");
      });
      element.addEventListener("dragleave", () => anchor.classList.remove("over"));
      element.addEventListener("drop", (event) => {
        event.preventDefault();
        anchor.classList.remove("over");
        const conversation = conversations.byId.get(event.dataTransfer?.getData(DRAG_TYPE) ?? "");
        if (conversation) setInFolder(conversation, name, true);
      });
      chip = { element, anchor, badge };
      this.#chips.set(name, chip);
    }
    setCurrent(chip.anchor, folderOf(this.#scope) === name);
    showBadge(chip.badge, conversations.unread.conversation_groups[name] ?? 0);
    return chip.element;
  }

  /** @param {Api.ConversationResponse} conversation */
  #row(conversation) {
    const id = conversation.conversation_id;
    let row = this.#rows.get(id);
    if (!row) {
      row = this.#newRow(conversation);
      this.#rows.set(id, row);
    }
    if (row.conversation !== conversation) this.#fillRow(row, conversation);
    setCurrent(row.anchor, location.pathname === pathOf(conversation));
    return row.element;
  }

  /**
   * @param {Api.ConversationResponse} conversation
   * @returns {ListRow}
   */
  #newRow(conversation) {
    const id = conversation.conversation_id;
    const anchor = h("a.row", {
      href: pathOf(conversation),
      "data-inside": true,
      draggable: "true",
      on: {
        dragstart: (event) => {
          this.#draggedId = id;
          event.dataTransfer?.setData(DRAG_TYPE, id);
          if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
          this.element.classList.add("dragging");
        },
        dragend: () => {
          this.#draggedId = null;
          this.element.classList.remove("dragging");
        },
        contextmenu: (event) => {
          event.preventDefault();
          this.#openMenu(id, event);
        },
      },
    });
    const more = menuButton({ style: "quiet.square.small.row-menu", open: () => this.#openMenu(id) });
    return {
      element: h("li.row-item", { data: { conversation: id } }, anchor, more),
      anchor,
      more,
      conversation: null,
    };
  }

  /**
   * @param {ListRow} row
   * @param {Api.ConversationResponse} conversation
   */
  #fillRow(row, conversation) {
    row.conversation = conversation;
    const { draft, last_message: last, muted: isMuted, title, unread_count: unread } = conversation;
    const isWithChannel = conversation.peer_id !== null && isChannelId(conversation.peer_id);
    fill(
      row.anchor,
      rowContent({
        picture: avatar({
          id: conversation.group_id ?? conversation.peer_id ?? "",
          name: title,
          url: conversation.face_url,
          shape: conversation.is_channel || isWithChannel ? "tile" : "round",
        }),
        title: conversation.peer_id === session.userId ? t("dialogue.self") : title,
        verified: verifiedMark(conversation),
        last,
        preview: draft
          ? [h("span.draft", {}, t("list.draft")), ` ${draft}`]
          : lastMessageText(last, { isChannel: conversation.is_channel }),
        marks: [
          isWithChannel ? mark("letter", t("list.private")) : null,
          conversation.pinned_at ? mark("pin", t("list.pinned")) : null,
          isMuted ? mark("mute", t("list.muted")) : null,
          conversation.notifications === "none" ? mark("bellOff", t("list.quiet")) : null,
        ],
        unread,
        isMuted,
      }),
    );
    row.more.setAttribute("aria-label", t("list.menu", { title }));
    row.anchor.classList.toggle("has-unread", unread > 0 && !isMuted);
  }

  /**
   * Opens at the pointer after a right click, otherwise at the row's button.
   * @param {string} id
   * @param {MouseEvent | null} [event]
   */
  #openMenu(id, event = null) {
    const row = this.#rows.get(id);
    const conversation = conversations.byId.get(id);
    if (!row || !conversation) return;
    const isByPointer = event !== null && event.clientX > 0;
    menu(
      row.more,
      conversationEntries(conversation),
      isByPointer ? { at: { x: event.clientX, y: event.clientY } } : {},
    );
  }

  #openListMenu() {
    const scope = this.#scope;
    const folder = folderOf(scope);
    /** @type {App.MenuEntries} */
    const entries = [
      { label: t("list.readAll"), icon: "check", act: () => attempt(() => conversations.markAllRead(scope)) },
    ];
    if (folder !== undefined) {
      entries.push(
        null,
        { label: t("folder.rename"), icon: "pen", act: () => renameFolder(folder) },
        { label: t("folder.delete"), icon: "trash", isDangerous: true, act: () => deleteFolder(folder) },
      );
    }
    menu(this.#listMenu, entries);
  }
}

/**
 * @param {HTMLElement} anchor
 * @param {boolean} isCurrent
 */
function setCurrent(anchor, isCurrent) {
  if (isCurrent) anchor.setAttribute("aria-current", "page");
  else anchor.removeAttribute("aria-current");
}

/**
 * The address at which a conversation is opened.
 * @param {Api.ConversationResponse} conversation
 */
function pathOf(conversation) {
  if (conversation.group_id === null) return dialoguePath(conversation.peer_id ?? "");
  return conversation.is_channel ? channelPath(conversation.group_id) : groupPath(conversation.group_id);
}
