// The channels that ask me to be their admin: shown above my own ones, answered with a button.

import { get, part, post } from "../api.js";
import { avatar } from "../avatar.js";
import { fill, h } from "../dom.js";
import { ago } from "../format.js";
import { attempt, notice } from "../overlay.js";
import { link } from "../socket.js";
import { t } from "../texts.js";
import { grantsLine } from "./people.js";

const MOST = 100;

export class OwnInvitations {
  /** `onAccept()` is called when a channel has become mine to run. */
  constructor({ onAccept }) {
    this.#onAccept = onAccept;
    this.element = h("section.own-invitations", { hidden: true, "aria-label": t("asked.title") });
    link.addEventListener("event", this.#onEvent);
    this.#load();
  }

  #onAccept;

  close() {
    link.removeEventListener("event", this.#onEvent);
  }

  #load() {
    return attempt(async () => {
      const { items } = await get("/v1/invitations", { limit: MOST });
      this.element.hidden = !items.length;
      fill(this.element, h("h2", {}, t("asked.title")), h("ul.own-channels", {}, items.map((one) => this.#row(one))));
    });
  }

  #row({ channel_id: id, channel_name: name, grants, expires_at: until }) {
    const answer = (accept) => async () => {
      if (await attempt(() => post(`/v1/channels/${part(id)}/invitations/me`, { accept }))) {
        notice(t(accept ? "asked.accepted" : "asked.declined", { name }));
        if (accept) this.#onAccept();
      }
      this.#load();
    };
    return h("li.own-channel.asked", {},
      avatar({ id, name, size: "large" }),
      h("span.card-text", {}, h("strong.card-title", { dir: "auto" }, name), h("span.soft", {}, t("asked.until", { when: ago(until) })), grantsLine(grants)),
      h("span.asked-answers", {},
        h("button.plain", { type: "button", "aria-label": t("asked.decline.of", { name }), on: { click: answer(false) } }, t("asked.decline")),
        h("button.primary", { type: "button", "aria-label": t("asked.accept.of", { name }), on: { click: answer(true) } }, t("asked.accept"))),
    );
  }

  #onEvent = ({ detail: event }) => {
    if (event.type === "channel.invited" || event.type === "channel.invitation_ended") this.#load();
  };
}
