// The menu of a channel: up to three entries, each of which does something or opens a list. Loaded when a channel has one.

import "./texts.js";
import { get, newIdempotencyKey, part, post } from "../client/api.js";
import { whenLoaded } from "../client/offline.js";
import { dialoguePath, go } from "../router.js";
import { t } from "../texts.js";
import { fill, h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { linkTo, webAddress } from "../ui/markup.js";
import { attempt, menu, menuButton, notice } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";

await loadStyle("css/self_service.css");

export class MenuBar {
  /**
   * `isInChat`: what an entry sends is seen where the bar is.
   * @param {{ channelId: string; channelName: string; isInChat: boolean }} options
   */
  constructor({ channelId, channelName, isInChat }) {
    this.#channelId = channelId;
    this.#channelName = channelName;
    this.#isInChat = isInChat;
    this.element = h(
      "nav.channel-menu",
      { "aria-label": t("menu.label", { name: channelName }), hidden: true },
      this.#list,
    );
  }

  #channelId;
  #channelName;
  #isInChat;
  #list = h("ul");
  #version = 0;
  #json = "";
  #isSelecting = false;

  /** Loads the menu, and shows it unless it is what is shown. Throws what the API refused. */
  async load() {
    const { version, entries } = await get(`/v1/channels/${part(this.#channelId)}/menu`);
    this.#version = version;
    const json = JSON.stringify(entries);
    if (json === this.#json) return;
    this.#json = json;
    this.element.hidden = entries.length === 0;
    fill(
      this.#list,
      entries.map((entry, index) => h("li", {}, this.#entry(entry, String(index + 1)))),
    );
  }

  /**
   * @param {Api.EntryResponse} entry
   * @param {string} place
   */
  #entry(entry, place) {
    const text = h("span.menu-text", { dir: "auto" }, entry.text);
    const { entries } = entry;
    if (entries?.length)
      return menuButton({
        content: [icon("list"), text],
        style: "plain.menu-entry",
        open: (button) =>
          menu(
            button,
            entries.map((one, index) => ({
              label: one.text,
              icon: iconOf(one),
              act: () => this.#select(one, `${place}.${index + 1}`),
            })),
          ),
      });
    const address = entry.kind === "link" ? webAddress(entry.url ?? "") : null;
    if (address !== null) {
      const link = linkTo(address, text, icon("link"));
      link.classList.add("button", "plain", "menu-entry");
      return link;
    }
    return h(
      "button.plain.menu-entry",
      {
        type: "button",
        "aria-haspopup": entry.kind === "form" ? "dialog" : null,
        on: { click: () => this.#select(entry, place) },
      },
      text,
    );
  }

  /**
   * @param {Pick<Api.EntryResponse, "text" | "kind" | "url" | "reply" | "form">} entry
   * @param {string} place
   */
  async #select(entry, place) {
    const [channelId, channelName] = [this.#channelId, this.#channelName];
    if (entry.kind === "link") return openLink(entry.url ?? "");
    if (entry.kind === "form")
      return attempt(async () => {
        const { openForm } = await whenLoaded(import("./form_dialog.js"));
        await openForm({ channelId, channelName, name: entry.form ?? "", isInChat: this.#isInChat });
      });
    if (this.#isSelecting) return null;
    this.#isSelecting = true;
    const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/menu/selections`);
    const body = { entry: place, version: this.#version };
    const isDone = await attempt(() => post(path, body, newIdempotencyKey()));
    this.#isSelecting = false;
    // It may have been changed meanwhile.
    if (!isDone) return this.load().catch(() => {});
    if (entry.kind === "event") notice(t("menu.selected", { text: entry.text, name: channelName }));
    else if (!this.#isInChat)
      notice(t("service.sent", { text: entry.reply ?? "", name: channelName }), { href: dialoguePath(channelId) });
    return null;
  }
}

/** @param {Pick<Api.EntryResponse, "kind">} entry @returns {App.IconName | undefined} */
function iconOf({ kind }) {
  if (kind === "link") return "link";
  if (kind === "form") return "pen";
  return kind === "reply" ? "letter" : undefined;
}

/** Opens an address of this server in the app, and others in a new tab, as links do. @param {string} url */
function openLink(url) {
  const address = webAddress(url);
  if (address === null) return;
  const link = /** @type {HTMLAnchorElement} */ (linkTo(address));
  if (link.target) window.open(address, "_blank", "noopener,noreferrer");
  else go(link.pathname + link.search);
}
