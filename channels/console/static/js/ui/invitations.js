// Invitations to a channel, as a subscriber or an admin, or to a group: shown above the list of conversations and in the
// console until answered.

import { asProblem, client, get, part, post } from "../client/api.js";
import { conversations } from "../client/conversations.js";
import { grantsText } from "../client/grants.js";
import { session } from "../client/session.js";
import { t } from "../texts.js";
import { h, reconcile } from "./dom.js";
import { day } from "./format.js";
import { attempt, notice } from "./overlay.js";

const MAX_SHOWN = 100;
/** @type {string[]} */
const TYPES = ["channel.invited", "channel.invitation_ended", "group.invited", "group.invitation_ended"];

/**
 * The name of what the invitation is to, its id, and its calls.
 * @param {App.Invitation} invitation
 */
function placeOf(invitation) {
  if ("channel_id" in invitation) {
    const { channel_id: id, channel_name: name } = invitation;
    return { id, name, answerPath: /** @type {const} */ (`/v1/channels/${part(id)}/invitations/me`) };
  }
  const { group_id: id, group_name: name } = invitation;
  return { id, name, answerPath: /** @type {const} */ (`/v1/groups/${part(id)}/invitations/me`) };
}

export class Invitations {
  /**
   * `onAccept` is called after the user has become a member or an admin.
   * @param {{ onAccept: (invitation: App.Invitation) => unknown }} options
   */
  constructor({ onAccept }) {
    this.#onAccept = onAccept;
    client.socket.addEventListener("event", this.#onEvent);
    conversations.addEventListener("change", this.#show);
    this.#show();
  }

  element = h("ul.invitations", { "aria-label": t("invitation.list"), hidden: true });
  #onAccept;
  /** @type {App.Invitation[] | null} */
  #shown = null;
  /** @type {Map<string, { json: string; card: HTMLElement }>} */
  #cards = new Map(); // by channel or group id: the invitation as JSON, and its card

  close() {
    client.socket.removeEventListener("event", this.#onEvent);
    conversations.removeEventListener("change", this.#show);
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    const isForMe = event.user_id === session.userId;
    if (isForMe && TYPES.includes(event.type)) this.#load();
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
   * @param {App.Invitation} invitation
   */
  #card(invitation) {
    const { id, name } = placeOf(invitation);
    const isChannel = "channel_id" in invitation;
    const isForAdmin = isChannel && invitation.role === "admin";
    const text = isForAdmin ? "invitation.text" : isChannel ? "invitation.subscribe" : "invitation.join";
    const json = JSON.stringify(invitation);
    const known = this.#cards.get(id);
    if (known?.json === json) return known.card;
    /** @param {boolean} accept */
    const answer = (accept) => () => this.#answer(invitation, accept);
    const card = h(
      "li.invitation",
      {},
      h("p", { dir: "auto" }, t(text, { name })),
      isForAdmin ? h("p.soft", {}, t("invitation.grants", { grants: grantsText(invitation.grants) })) : null,
      h("p.soft", {}, t("invitation.expires", { when: day(invitation.expires_at) })),
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
   * @param {App.Invitation} invitation
   * @param {boolean} accept
   */
  async #answer(invitation, accept) {
    const { name, answerPath } = placeOf(invitation);
    const isDone = await attempt(() => post(answerPath, { accept }));
    await this.#load();
    if (!isDone) return;
    const accepted = invitation.role === "admin" ? "invitation.accepted" : "invitation.joined";
    notice(t(accept ? accepted : "invitation.declined", { name }));
    if (accept) this.#onAccept(invitation);
  }
}
