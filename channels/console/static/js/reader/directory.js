// The directory of public channels: search while typing, three orders, and a button to subscribe.

import { get } from "../client/api.js";
import { session } from "../client/session.js";
import { channelPath } from "../router.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { h, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { PagedList } from "../ui/paged_list.js";
import { SearchField } from "../ui/search_field.js";
import { businessNote } from "./business.js";
import { subscribeButton } from "./subscribe.js";

const PAGE = 24;
const SORTS = /** @type {const} */ (["popular", "new", "active"]);

/** A search field and a choice of orders for a list of channels; `onChange()` is called when either has changed. */
export class ChannelFinder {
  /** @param {{ label: string; onChange: () => unknown }} options */
  constructor({ label, onChange }) {
    this.#search = new SearchField({ label, onSearch: onChange });
    this.#sort = h(
      "select",
      { "aria-label": t("directory.sort"), on: { change: () => onChange() } },
      SORTS.map((sort) => h("option", { value: sort }, t(`directory.sort.${sort}`))),
    );
    this.element = h("div.finder", {}, this.#search.element, this.#sort);
  }

  #search;
  #sort;

  get query() {
    return { q: this.#search.words, sort: SORTS[this.#sort.selectedIndex] };
  }
}

export class Directory {
  constructor() {
    const finder = new ChannelFinder({ label: t("directory.search"), onChange: () => channels.reload() });
    const channels = new PagedList({
      list: h("ul.cards"),
      fetchPage: (cursor) => get("/v1/channels", { ...finder.query, limit: PAGE, cursor }),
      renderRow: card,
      emptyText: () => (finder.query.q ? t("directory.noMatch", finder.query) : t("directory.empty")),
    });
    this.element = h(
      "section.page",
      {},
      h(
        "div.page-inner.broad",
        {},
        h(
          "header.page-head",
          {},
          h(
            "a.quiet.square.narrow-only",
            { href: "/", "data-inside": true, "aria-label": t("app.back") },
            icon("back"),
          ),
          h("h1", { tabindex: "-1" }, t("directory.title")),
        ),
        session.isBusiness ? businessNote() : null,
        finder.element,
        channels.elements,
      ),
    );
    channels.reload();
  }

  close() {}
}

/** @param {Api.ChannelResponse} channel */
function card(channel) {
  const id = uniqueId("card");
  const button = session.isBusiness ? null : subscribeButton(channel, `${id}-name`);
  return h(
    "li.card",
    {},
    h(
      "a.card-link",
      { href: channelPath(channel.channel_id), "data-inside": true },
      avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url, size: "large" }),
      h(
        "span.card-text",
        {},
        h("strong.card-title", { id: `${id}-name`, dir: "auto" }, channel.name, " ", verifiedMark(channel)),
        channel.organization ? h("span.soft", { dir: "auto" }, channel.organization) : null,
      ),
    ),
    channel.introduction ? h("p.card-intro", { dir: "auto" }, channel.introduction) : null,
    h("div.card-foot", {}, h("span.soft", {}, t("channel.subscribers", { n: channel.subscriber_count })), button),
  );
}
