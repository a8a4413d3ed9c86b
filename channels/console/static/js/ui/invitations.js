// Invitations to become an admin of a channel: shown above the list of conversations and in the console until answered.

import { asProblem, get, part, post } from "../client/api.js";
import { conversations } from "../client/conversations.js";
import { grantsText } from "../client/grants.js";
import { session } from "../client/session.js";
import { socket } from "../client/socket.js";
import { t } from "../texts.js";
import { h, reconcile } from "./dom.js";
import { day } from "./format.js";
import { attempt, notice } from "./overlay.js";

const MAX_SHOWN = 100;

export class Invitations {
  /**
   * `onAccept(channelId)` is called after the user has become an admin.
   * @param {{ onAccept: (channelId: string) => unknown }} options
   */
  constructor({ onAccept }) {
    this.#onAccept = onAccept;
    socket.addEventListener("event", this.#onEvent);
    conversations.addEventListener("change", this.#show);
    this.#show();
  }

  element = h("ul.invitations", { "aria-label": t("invitation.list"), hidden: true });
  #onAccept;
  /** @type {Api.OwnInvitationResponse[] | null} */
  #shown = null;
  /** @type {Map<string, { json: string; card: HTMLElement }>} */
  #cards = new Map(); // by channel id: the invitation as JSON, and its card

  close() {
    socket.removeEventListener("event", this.#onEvent);
    conversations.removeEventListener("change", this.#show);
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    const isForMe = event.user_id === session.userId;
    if (isForMe && (event.type === "channel.invited" || event.type === "channel.invitation_ended")) this.#load();
    else if (event.type === "channel.deleted" && this.#cards.has(event.channel_id ?? "")) this.#load();
  };

  #show = () => {
    const { invitations } = conversations;
    if (invitations === this.#shown) return;
    this.#shown = invitations;
    reconcile(
      this.element,
      invitations.map((invitation) => this.#card(invitation)),
    );
    this.element.hidden = !invitations.length;
  };

  #load = async () => {
    if (!session.token) return;
    try {
      conversations.invitations = (await get("/v1/invitations", { limit: MAX_SHOWN })).items;
      this.#show();
    } catch (error) {
      // The page works without them. The next event or reconnect tries again.
      asProblem(error);
    }
  };

  /**
   * A card is made again only when its invitation has changed, so its buttons keep their focus.
   * @param {Api.OwnInvitationResponse} invitation
   */
  #card(invitation) {
    const { channel_id: id, channel_name: name, grants, expires_at: expiresAt } = invitation;
    const json = JSON.stringify(invitation);
    const known = this.#cards.get(id);
    if (known?.json === json) return known.card;
    /** @param {boolean} accept */
    const answer = (accept) => () => this.#answer(invitation, accept);
    const card = h(
      "li.invitation",
      {},
      h("p", { dir: "auto" }, t("invitation.text", { name })),
      h("p.soft", {}, t("invitation.grants", { grants: grantsText(grants) })),
      h("p.soft", {}, t("invitation.expires", { when: day(expiresAt) })),
      h(
        "div.actions",
        {},
        h(
          "button.plain",
          { type: "button", "aria-label": t("invitation.decline.label", { name }), on: { click: answer(false) } },
          t("invitation.decline"),
        ),
        h(
          "button.primary",
          { type: "button", "aria-label": t("invitation.accept.label", { name }), on: { click: answer(true) } },
          t("invitation.accept"),
        ),
      ),
    );
    this.#cards.set(id, { json, card });
    return card;
  }

  /**
   * @param {Api.OwnInvitationResponse} invitation
   * @param {boolean} accept
   */
  async #answer({ channel_id: id, channel_name: name }, accept) {
    const isDone = await attempt(() => post(`/v1/channels/${part(id)}/invitations/me`, { accept }));
    await this.#load();
    if (!isDone) return;
    notice(t(accept ? "invitation.accepted" : "invitation.declined", { name }));
    if (accept) this.#onAccept(id);
  }
}
