// The channels that the application's admin suspended.

import { client } from "../../client/api.js";
import { consolePath } from "../../router.js";
import { t } from "../../texts.js";
import { avatar, verifiedMark } from "../../ui/avatar.js";
import { h } from "../../ui/dom.js";
import { PagedList } from "../../ui/paged_list.js";
import { LatestActs } from "./latest_acts.js";
import { lift, suspensionLines } from "./suspension.js";

export class SuspendedChannels {
  constructor() {
    this.element = h("div.panels", {}, h("section.panel", {}, this.#channels.elements));
    this.#channels.reload();
  }

  #acts = new LatestActs("channel_suspended", "channel_reinstated");
  /** @type {PagedList<Api.ChannelResponse>} */
  #channels = new PagedList({
    fetchPage: (cursor) => this.#fetchPage(cursor),
    renderRow: (channel) => this.#row(channel),
    emptyText: () => t("suspension.empty"),
  });

  /** Those that were not deleted meanwhile. @param {string | null} cursor */
  async #fetchPage(cursor) {
    const page = await this.#acts.page(cursor);
    const ids = page.items.flatMap(({ target_id: id }) => id ?? []);
    const found = await client.byIds("/v1/channels", "channel_id", ids);
    const items = ids.flatMap((id) => found.get(id) ?? []).filter(({ suspension }) => suspension !== null);
    return { items, next_cursor: page.next_cursor };
  }

  /** @param {Api.ChannelResponse} channel */
  #row(channel) {
    const { channel_id: id, face_url: url, name, suspension } = channel;
    const end = async () => {
      if (await lift(channel)) await this.#channels.reload();
    };
    return h(
      "li.person",
      {},
      avatar({ id, name, url }),
      h(
        "span.person-text.sanction",
        {},
        h("a", { href: consolePath(id, "settings"), "data-inside": true, dir: "auto" }, name),
        verifiedMark(channel),
        suspension ? suspensionLines(suspension) : null,
      ),
      h(
        "button.plain",
        { type: "button", "aria-label": t("suspension.lift.label", { name }), on: { click: end } },
        t("suspension.lift"),
      ),
    );
  }
}
