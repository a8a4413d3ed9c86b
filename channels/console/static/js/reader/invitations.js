// Channels that ask me to be their admin: shown above the list until they are answered.

import { get, part, post } from "../api.js";
import { arrange, h } from "../dom.js";
import { day } from "../format.js";
import { inbox } from "../inbox.js";
import { attempt, notice } from "../overlay.js";
import { consolePath, go } from "../router.js";
import { session } from "../session.js";
import { link } from "../socket.js";
import { t } from "../texts.js";

const GRANTS = 9; // how many rights there are: with all of them, one word says it

export class Invitations {
  constructor() {
    this.element = h("ul.invitations", { "aria-label": t("invited.label"), hidden: true });
    link.addEventListener("event", this.#onEvent);
    link.addEventListener("ready", this.#load);
    this.#load();
  }

  #cards = new Map(); // by channel id: what was told, and its card

  close() {
    link.removeEventListener("event", this.#onEvent);
    link.removeEventListener("ready", this.#load);
  }

  #onEvent = ({ detail: event }) => {
    const isMine = event.user_id === session.userId;
    if (isMine && (event.type === "channel.invited" || event.type === "channel.invitation_ended")) this.#load();
    else if (event.type === "channel.deleted" && this.#cards.has(event.channel_id)) this.#load();
  };

  #load = async () => {
    if (!session.token) return;
    try {
      const page = await get("/v1/invitations", { limit: 20 });
      arrange(this.element, page.items.map((invitation) => this.#card(invitation)));
      this.element.hidden = !page.items.length;
    } catch (problem) {
      // The list is here without them; the next word of the socket asks again.
      if (problem.code === undefined) throw problem;
    }
  };

  #card(invitation) {
    const { channel_id: id, channel_name: name } = invitation;
    const told = JSON.stringify(invitation);
    const known = this.#cards.get(id);
    if (known?.told === told) return known.card;
    const rights = invitation.grants.length === GRANTS ? t("invited.all") : invitation.grants.map((grant) => t(`invited.grant.${grant}`)).join(", ");
    const card = h("li.invitation", {},
      h("p", { dir: "auto" }, t("invited.text", { name })),
      h("p.soft", {}, rights ? t("invited.rights", { rights }) : t("invited.none"), " ", t("invited.until", { when: day(invitation.expires_at) })),
      h("div.actions", {},
        h("button.plain", { type: "button", "aria-label": t("invited.decline.who", { name }), on: { click: () => this.#answer(invitation, false) } }, t("invited.decline")),
        h("button.primary", { type: "button", "aria-label": t("invited.accept.who", { name }), on: { click: () => this.#answer(invitation, true) } }, t("invited.accept"))),
    );
    this.#cards.set(id, { told, card });
    return card;
  }

  async #answer({ channel_id: id, channel_name: name }, accept) {
    const done = await attempt(() => post(`/v1/channels/${part(id)}/invitations/me`, { accept }));
    await this.#load();
    if (!done) return;
    notice(t(accept ? "invited.accepted" : "invited.declined", { name }));
    if (accept) {
      inbox.load().catch(() => {});
      go(consolePath(id));
    }
  }
}
