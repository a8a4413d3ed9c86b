// The list of conversations: two tabs with their own unread, folders, and the rows.
//
// A row is put into a folder by dragging it there, or by its menu, which every pointer and the keyboard reach.

import { avatar, verifiedMark } from "../avatar.js";
import { arrange, fill, h } from "../dom.js";
import { count, exact, shortTime } from "../format.js";
import { icon } from "../icons.js";
import { inbox, isChannelId } from "../inbox.js";
import { limits, bytesOf } from "../limits.js";
import { ask, attempt, menu, notice, sure } from "../overlay.js";
import { channelPath, chatPath, folderPath, go, here, withPath } from "../router.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { openBeginning } from "./beginning.js";
import { Invitations } from "./invitations.js";
import { shownPreview } from "./previews.js";

const DRAGGED = "application/x-channels-conversation";

/** How a folder's name is refused; null when it can be used. */
function refusedName(name) {
  if (!name.trim()) return t("error.required");
  const limit = limits.conversation_group_name_bytes;
  return bytesOf(name) > limit ? t("error.field_too_long", { limit }) : null;
}

async function refusedBy(name, work) {
  const refused = refusedName(name);
  if (refused) return refused;
  try {
    await work();
    return null;
  } catch (problem) {
    return problem.shown;
  }
}

async function newFolder() {
  const name = await ask({
    title: t("folder.new"),
    label: t("folder.name"),
    action: t("folder.make"),
    check: (text) => refusedBy(text, () => inbox.makeFolder(text)),
  });
  return name;
}

/** The menu entries of a conversation, also offered inside it. */
export function talkEntries(row) {
  const id = row.conversation_id;
  const set = (changes) => () => attempt(() => inbox.set(id, changes));
  return [
    row.unread_count > 0 ? { label: t("talk.read"), icon: "check", act: () => attempt(() => inbox.read(id)) } : undefined,
    row.pinned_at ? { label: t("talk.unpin"), icon: "pin", act: set({ pinned: false }) } : { label: t("talk.pin"), icon: "pin", act: set({ pinned: true }) },
    row.muted ? { label: t("talk.unmute"), icon: "mute", act: set({ muted: false }) } : { label: t("talk.mute"), icon: "mute", act: set({ muted: true }) },
    null,
    ...inbox.folders.map((name) => {
      const isIn = row.conversation_groups.includes(name);
      return { label: t(isIn ? "folder.take" : "folder.put", { name }), checked: isIn, icon: "folder", act: () => file(row, name, !isIn) };
    }),
    {
      label: `${t("folder.new")}…`,
      icon: "plus",
      act: async () => {
        const name = await newFolder();
        if (name !== null) file(row, name, true);
      },
    },
  ].filter((entry) => entry !== undefined);
}

async function file(row, folder, isIn) {
  const done = await attempt(() => inbox.file(row.conversation_id, folder, isIn));
  if (done) notice(t(isIn ? "folder.put.done" : "folder.take.done", { name: folder }));
}

export class Sidebar {
  constructor() {
    this.#tabs = {
      channels: this.#tab("channels", "/", t("nav.channels")),
      chats: this.#tab("chats", null, t("nav.chats")),
    };
    // What it is for is said until there is a folder to tell.
    this.#addFolderText = h("span", {}, t("folder.new"));
    this.#folders = h("ul.folders", { "aria-label": t("folder.drop") });
    this.#addFolder = h("button.folder.add", { type: "button", "aria-label": t("folder.new"), title: t("folder.new"), on: { click: newFolder } }, icon("plus"), this.#addFolderText);
    this.#rows = h("ul.rows");
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => attempt(() => inbox.loadMore(this.#scope)) } }, t("app.more"));
    this.#empty = h("div.empty", { hidden: true });
    this.#heading = h("div.list-title", { role: "heading", "aria-level": "2", dir: "auto", tabindex: "-1" });
    this.#listMenu = h("button.quiet.square", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openListMenu() } }, icon("more"));
    this.#begin = h("button.quiet.square", { type: "button", "aria-label": t("begin.label"), title: t("begin.label"), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => openBeginning(this.#begin) } }, icon("plus"));
    this.#invitations = new Invitations();
    this.element = h("nav.sidebar", { "aria-label": t("nav.places") },
      h("div.tabs", { role: "group", "aria-label": t("nav.places") }, this.#tabs.channels.element, this.#tabs.chats.element),
      this.#folders,
      h("div.list-head", {}, this.#heading, h("span.list-tools", {}, this.#begin, this.#listMenu)),
      h("div.list-scroll", {}, this.#invitations.element, this.#empty, this.#rows, this.#more),
    );
    inbox.addEventListener("change", this.#onChange);
  }

  close() {
    inbox.removeEventListener("change", this.#onChange);
    this.#invitations.close();
  }

  #onChange = () => this.render();

  #scope = "channels";
  #tabs;
  #folders;
  #addFolder;
  #addFolderText;
  #rows;
  #more;
  #empty;
  #heading;
  #listMenu;
  #begin;
  #invitations;
  #drawn = new Map();
  #chips = new Map();
  #dragged = null;

  /** Show this scope; null keeps the one that is shown. */
  show(scope) {
    // A folder is left by going to the list, and kept by opening what is in it.
    const isInFolder = this.#scope.folder !== undefined && inbox.list(this.#scope).some((row) => pathOf(row) === location.pathname);
    if (scope === "chats" && isInFolder) scope = null;
    if (scope !== null) this.#scope = scope;
    else if (here().name === "channels" && this.#scope.folder !== undefined) this.#scope = "channels";
    this.render();
    if (scope?.folder !== undefined) attempt(() => inbox.loadMore(scope));
  }

  #tab(scope, _path, label) {
    const badge = h("span.badge", { hidden: true });
    const button = h("button.tab", { type: "button", data: { scope }, on: { click: () => {
      if (here().name === "folder" || here().name === "find") go("/");
      this.show(scope);
    } } }, h("span", {}, label), badge);
    return { element: button, badge };
  }

  render() {
    const scope = this.#scope;
    for (const name of ["channels", "chats"]) {
      const { element, badge } = this.#tabs[name];
      element.setAttribute("aria-pressed", String(scope === name));
      showBadge(badge, inbox.unread[name]);
    }
    this.#addFolderText.hidden = inbox.folders.length > 0;
    arrange(this.#folders, [...inbox.folders.map((name) => this.#chip(name)), this.#adder()]);
    // Alone on the page, the list is what the page is about.
    this.#heading.setAttribute("aria-level", ["channels", "folder"].includes(here().name) ? "1" : "2");
    this.#heading.textContent = scope.folder ?? t(`nav.${scope}`);
    this.#listMenu.setAttribute("aria-label", scope.folder === undefined ? t("talk.menu") : t("folder.menu", { name: scope.folder }));
    this.#begin.hidden = scope !== "chats";
    const rows = inbox.list(scope);
    arrange(this.#rows, rows.map((row) => this.#row(row)));
    const isEmpty = inbox.isReady && !rows.length;
    this.#empty.hidden = !isEmpty;
    if (isEmpty) {
      const kind = scope.folder !== undefined ? "folder" : scope;
      if (this.#empty.dataset.kind !== kind) fill(this.#empty, h("p", {}, t(`list.${kind}.empty`)), this.#next(kind));
      this.#empty.dataset.kind = kind;
    }
    this.#more.hidden = !rows.length || !inbox.hasMore(scope);
  }

  /** What to do about an empty list. */
  #next(kind) {
    if (kind === "channels") return h("a.button.primary", { href: "/find", "data-inside": true }, t("nav.find"));
    if (kind !== "chats") return null;
    const begin = h("button.primary", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => openBeginning(begin) } }, t("begin.first"));
    return begin;
  }

  #adder() {
    this.adder ??= h("li", {}, this.#addFolder);
    return this.adder;
  }

  #chip(name) {
    let chip = this.#chips.get(name);
    if (!chip) {
      const badge = h("span.badge", { hidden: true });
      const anchor = h("a.folder", { href: folderPath(name), "data-inside": true }, h("span", { dir: "auto" }, name), badge);
      const element = h("li", {}, anchor);
      element.addEventListener("dragover", (event) => {
        if (!this.#dragged) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "move";
        anchor.classList.add("over");
      });
      element.addEventListener("dragleave", () => anchor.classList.remove("over"));
      element.addEventListener("drop", (event) => {
        event.preventDefault();
        anchor.classList.remove("over");
        const row = inbox.rows.get(event.dataTransfer.getData(DRAGGED));
        if (row) file(row, name, true);
      });
      chip = { element, anchor, badge };
      this.#chips.set(name, chip);
    }
    const isHere = this.#scope.folder === name;
    if (isHere) chip.anchor.setAttribute("aria-current", "page");
    else chip.anchor.removeAttribute("aria-current");
    showBadge(chip.badge, inbox.unread.conversation_groups[name] ?? 0);
    return chip.element;
  }

  #row(row) {
    const id = row.conversation_id;
    let drawn = this.#drawn.get(id);
    if (!drawn) {
      const anchor = h("a.row", {
        href: pathOf(row),
        "data-inside": true,
        draggable: "true",
        on: {
          dragstart: (event) => {
            this.#dragged = id;
            event.dataTransfer.setData(DRAGGED, id);
            event.dataTransfer.effectAllowed = "move";
            this.element.classList.add("dragging");
          },
          dragend: () => {
            this.#dragged = null;
            this.element.classList.remove("dragging");
          },
          contextmenu: (event) => {
            event.preventDefault();
            this.#openMenu(id, event);
          },
        },
      });
      const more = h("button.quiet.square.small.row-menu", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openMenu(id) } }, icon("more"));
      drawn = { element: h("li.row-place", {}, anchor, more), anchor, more, row: null };
      this.#drawn.set(id, drawn);
    }
    if (drawn.row !== row) this.#fillRow(drawn, row);
    if (location.pathname === pathOf(row)) drawn.anchor.setAttribute("aria-current", "page");
    else drawn.anchor.removeAttribute("aria-current");
    return drawn.element;
  }

  #fillRow(drawn, row) {
    drawn.row = row;
    const last = row.last_message;
    const badge = h("span.badge", { hidden: true });
    if (row.muted) badge.classList.add("muted");
    showBadge(badge, row.unread_count);
    fill(drawn.anchor,
      avatar({ id: row.group_id ?? row.peer_id, name: row.title, url: row.face_url, shape: isOfChannel(row) ? "tile" : "round" }),
      h("span.row-text", {},
        h("span.row-top", {},
          h("span.row-title", { dir: "auto" }, row.peer_id === session.userId ? t("dialogue.self") : row.title),
          verifiedMark(row),
          last ? h("time.soft", { datetime: last.at, title: exact(last.at) }, shortTime(last.at)) : null,
        ),
        h("span.row-bottom", {},
          h("span.preview.soft", { dir: "auto" }, row.draft ? [h("span.draft", {}, t("list.draft")), ` ${row.draft}`] : shownPreview(last, { isChannel: row.is_channel })),
          isOfChannel(row) && !row.is_channel ? h("span.mark", { role: "img", "aria-label": t("list.private"), title: t("list.private") }, icon("letter")) : null,
          row.pinned_at ? h("span.mark", { role: "img", "aria-label": t("list.pinned") }, icon("pin")) : null,
          row.muted ? h("span.mark", { role: "img", "aria-label": t("list.muted") }, icon("mute")) : null,
          badge,
        ),
      ),
    );
    drawn.more.setAttribute("aria-label", t("list.menu", { title: row.title }));
    drawn.anchor.classList.toggle("has-unread", row.unread_count > 0 && !row.muted);
  }

  #openMenu(id, event = null) {
    const { more } = this.#drawn.get(id);
    const isByPointer = event !== null && event.clientX > 0;
    menu(more, talkEntries(inbox.rows.get(id)), isByPointer ? { at: { x: event.clientX, y: event.clientY } } : {});
  }

  #openListMenu() {
    const scope = this.#scope;
    const entries = [{ label: t("list.read.all"), icon: "check", act: () => attempt(() => inbox.readAll(scope)) }];
    if (scope.folder !== undefined) {
      const name = scope.folder;
      entries.push(null, { label: t("folder.rename"), icon: "pen", act: () => this.#rename(name) }, { label: t("folder.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(name) });
    }
    menu(this.#listMenu, entries);
  }

  async #rename(name) {
    const newName = await ask({
      title: t("folder.rename").replace("…", ""),
      label: t("folder.name"),
      value: name,
      action: t("app.save"),
      check: (text) => (text === name ? null : refusedBy(text, () => inbox.renameFolder(name, text))),
    });
    if (newName !== null) go(folderPath(newName), { replace: true });
  }

  async #delete(name) {
    if (!(await sure({ title: t("folder.delete"), text: t("folder.delete.sure", { name }), action: t("folder.delete") }))) return;
    if (await attempt(() => inbox.deleteFolder(name))) go("/", { replace: true });
  }
}

/** Where a conversation is opened. */
function pathOf(row) {
  if (row.group_id === null) return withPath(row.peer_id);
  return row.is_channel ? channelPath(row.group_id) : chatPath(row.group_id);
}

/** A channel itself, or what one writes to it in private. */
const isOfChannel = (row) => row.is_channel || (row.peer_id !== null && isChannelId(row.peer_id));

function showBadge(badge, n) {
  badge.hidden = !(n > 0);
  badge.textContent = n > 0 ? count(n) : "";
  if (n > 0) badge.setAttribute("aria-label", t("nav.unread", { n }));
  badge.setAttribute("role", "img");
}
