// The tab of a channel's console with its requests to join and its invite links.

import { InviteLinks } from "../../invites/links.js";
import { JoinRequests } from "../../invites/requests.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";

export class InvitesTab {
  /** @param {{ channel: Api.ChannelResponse; requests: import("./request_badge.js").RequestBadge | null }} options */
  constructor({ channel, requests }) {
    const place = /** @type {const} */ ({ kind: "channel", id: channel.channel_id });
    this.#links = new InviteLinks(place);
    this.#requests = new JoinRequests(place, { onChange: () => requests?.reload() });
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel",
        {},
        h("h2", {}, t("requests.title")),
        h("p.soft", {}, t("requests.lead")),
        this.#requests.element,
      ),
      this.#links.element,
    );
  }

  #links;
  #requests;

  close() {
    this.#links.close();
    this.#requests.close();
  }
}
