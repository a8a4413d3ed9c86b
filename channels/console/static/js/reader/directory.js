// Finding channels: search as one types, three orders, subscribing on the spot.

import { del, get, part, put } from "../api.js";
import { avatar, verifiedMark } from "../avatar.js";
import { fill, freshId, h, settled } from "../dom.js";
import { icon } from "../icons.js";
import { attempt, notice } from "../overlay.js";
import { channelPath } from "../router.js";
import { t } from "../texts.js";

const PAGE = 24;
const PAUSE = 200; // milliseconds between the last key and the search

export class Directory {
  constructor() {
    const id = freshId("find");
    this.#words = h("input", { id, type: "search", placeholder: t("find.search"), "aria-label": t("find.search"), autocomplete: "off", maxlength: "100", on: { input: settled(PAUSE, () => this.#search()) } });
    this.#sort = h("select", { "aria-label": t("find.sort"), on: { change: () => this.#search() } },
      ["popular", "new", "active"].map((sort) => h("option", { value: sort }, t(`find.${sort}`))));
    this.#cards = h("ul.cards");
    this.#told = h("p.empty", { role: "status" });
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => this.#next() } }, t("app.more"));
    this.element = h("section.page", {},
      h("div.page-inner.broad", {},
        h("header.page-head", {}, h("a.quiet.square.narrow-only", { href: "/", "data-inside": true, "aria-label": t("app.back") }, icon("back")), h("h1", { tabindex: "-1" }, t("find.title"))),
        h("div.finder", {}, h("div.search", {}, icon("search"), this.#words), this.#sort),
        this.#told, this.#cards, this.#more,
      ),
    );
    this.#search();
  }

  #words;
  #sort;
  #cards;
  #told;
  #more;
  #cursor = null;
  #asked = 0;

  close() {}

  async #search() {
    this.#cursor = null;
    await this.#load((cards) => fill(this.#cards, cards));
  }

  async #next() {
    await this.#load((cards) => this.#cards.append(...cards));
  }

  async #load(show) {
    const asked = (this.#asked += 1);
    const q = this.#words.value.trim();
    await attempt(async () => {
      const page = await get("/v1/channels", { q, sort: this.#sort.value, limit: PAGE, cursor: this.#cursor });
      // An answer to older words that comes late is not shown over a newer one.
      if (asked !== this.#asked) return;
      this.#cursor = page.next_cursor;
      this.#more.hidden = page.next_cursor === null;
      show(page.items.map(card));
      this.#told.textContent = this.#cards.childElementCount ? "" : q ? t("find.none", { q }) : t("find.empty");
    });
  }
}

function card(channel) {
  const id = freshId("card");
  const button = subscribeButton(channel, `${id}-name`);
  return h("li.card", {},
    h("a.card-link", { href: channelPath(channel.channel_id), "data-inside": true },
      avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url, size: "large" }),
      h("span.card-text", {},
        h("strong.card-title", { id: `${id}-name`, dir: "auto" }, channel.name, " ", verifiedMark(channel)),
        channel.organization ? h("span.soft", { dir: "auto" }, channel.organization) : null,
      ),
    ),
    channel.introduction ? h("p.card-intro", { dir: "auto" }, channel.introduction) : null,
    h("div.card-foot", {}, h("span.soft", {}, t("channel.subscribers", { n: channel.subscriber_count })), button),
  );
}

/** Subscribes and unsubscribes; `onChange` hears the channel as it is then. */
export function subscribeButton(channel, describedBy = null, onChange = () => {}) {
  let isIn = channel.subscribed_at !== null;
  const button = h("button", { type: "button", "aria-describedby": describedBy });
  const show = () => {
    button.className = isIn ? "plain" : "primary";
    button.textContent = isIn ? t("find.subscribed") : t("channel.subscribe");
    button.disabled = isIn;
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    await attempt(async () => {
      const changed = await put(`/v1/channels/${part(channel.channel_id)}/subscription`);
      isIn = true;
      notice(t("channel.subscribed", { name: changed.name }));
      onChange(changed);
    });
    button.disabled = false;
    show();
  });
  show();
  return button;
}

/** Unsubscribe; whether it was done. */
export function unsubscribe(channelId) {
  return attempt(() => del(`/v1/channels/${part(channelId)}/subscription`));
}
