// The channels that the application's admin suspended.

import { get } from "../../client/api.js";
import { consolePath } from "../../router.js";
import { t } from "../../texts.js";
import { avatar, verifiedMark } from "../../ui/avatar.js";
import { h } from "../../ui/dom.js";
import { PagedList } from "../../ui/paged_list.js";
import { lift, suspensionLines } from "./suspension.js";

export class SuspendedChannels {
  constructor() {
    this.element = h("div.panels", {}, h("section.panel", {}, this.#channels.elements));
    this.#channels.reload();
  }

  /** @type {PagedList<Api.ChannelResponse>} */
  #channels = new PagedList({
    fetchPage: (cursor) => get("/v1/channels", { suspended: true, cursor }),
    renderRow: (channel) => this.#row(channel),
    emptyText: () => t("suspension.empty"),
  });

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
