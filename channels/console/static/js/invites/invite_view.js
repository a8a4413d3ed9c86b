// The page of an invite link: what it leads to, and joining, or asking to join with a message to the admins.
//
// It says whether the user is in already or waits for an answer, and opens the place by itself once an admin has approved.

import { asProblem, client, del, get, part, post } from "../client/api.js";
import { limits } from "../client/limits.js";
import { session } from "../client/session.js";
import { field, submitForm } from "../console/form.js";
import { businessNote } from "../reader/business.js";
import { channelPath, go, groupPath } from "../router.js";
import "./texts.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { fill, focusHeading, h, submitting } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, notice } from "../ui/overlay.js";
import { setPageName } from "../ui/page_title.js";
import { retryButton } from "../ui/retry.js";
import { showOwnRequests } from "./own_requests.js";
import { placeOf } from "./places.js";

export class InviteView {
  /** @param {string} code */
  constructor(code) {
    this.#path = `/v1/invite-links/${part(code)}`;
    this.element = h("section.page", {}, h("div.page-inner", {}, this.#inner));
    client.socket.addEventListener("event", this.#onEvent);
    setPageName(t("invite.title"));
    this.#load();
  }

  /** @type {`/v1/invite-links/${Api.Part}`} */
  #path;
  #inner = h("article.panel.invite-card", {}, h("p.empty", { role: "status" }, t("app.loading")));
  #actions = h("div.invite-actions");
  /** @type {Api.InvitePreviewResponse | null} */
  #invite = null;
  #isClosed = false;

  close() {
    this.#isClosed = true;
    client.socket.removeEventListener("event", this.#onEvent);
  }

  async #load() {
    try {
      const invite = await get(this.#path);
      if (!this.#isClosed) this.#show(invite);
    } catch (error) {
      const problem = asProblem(error);
      if (!this.#isClosed) this.#showProblem(problem);
    }
  }

  /** @param {Api.InvitePreviewResponse} invite */
  #show(invite) {
    this.#invite = invite;
    const { face_url: url, id, introduction, kind, member_count: n, name } = invite;
    setPageName(name);
    fill(
      this.#inner,
      h("p.soft", {}, t(`invite.${kind}`)),
      avatar({ id, name, url, shape: kind === "channel" ? "tile" : "round", size: "huge" }),
      h("h1", { dir: "auto", tabindex: "-1" }, name, " ", verifiedMark(invite)),
      h("p.soft", {}, t(kind === "channel" ? "channel.subscribers" : "group.members", { n })),
      introduction ? h("p.text", { dir: "auto" }, introduction) : null,
      this.#actions,
    );
    this.#showActions(invite);
    focusHeading(this.element);
  }

  /** @param {Api.InvitePreviewResponse} invite */
  #showActions(invite) {
    if (invite.is_member) fill(this.#actions, this.#memberElements(invite));
    else if (session.isBusiness) fill(this.#actions, businessNote());
    else if (invite.has_requested) fill(this.#actions, this.#waitingElements());
    else if (invite.approval) fill(this.#actions, this.#askForm());
    else
      fill(
        this.#actions,
        h(
          "button.primary",
          { type: "button", on: { click: () => attempt(() => this.#join()) } },
          t(invite.kind === "channel" ? "channel.subscribe" : "group.join"),
        ),
      );
  }

  /** @param {Api.InvitePreviewResponse} invite */
  #memberElements({ id, kind }) {
    return [
      h("p", { role: "status" }, t(`invite.member.${kind}`)),
      h(
        "a.button.primary",
        { href: kind === "channel" ? channelPath(id) : groupPath(id), "data-inside": true },
        t("invite.open"),
      ),
    ];
  }

  #askForm() {
    const text = field({
      name: "text",
      label: t("invite.text"),
      hint: t("invite.text.hint"),
      limit: limits.request_text_bytes,
      rows: 3,
    });
    const error = h("p.error", { role: "alert", hidden: true });
    const button = h("button.primary", { type: "submit" }, t("invite.ask"));
    const work = () => this.#join(text.value.trim());
    return h(
      "form.form",
      { novalidate: true, on: { submit: submitting(() => submitForm({ fields: [text], error, button, work })) } },
      h("p", {}, t("invite.approval")),
      text.element,
      error,
      h("div.actions", {}, button),
    );
  }

  #waitingElements() {
    return [
      h("p", { role: "status" }, t("invite.asked")),
      h("button.plain", { type: "button", on: { click: () => this.#withdraw() } }, t("invite.withdraw")),
      h("button.quiet", { type: "button", on: { click: () => this.#showOwnRequests() } }, t("requests.own")),
    ];
  }

  /** The user may take back this one there as well. */
  async #showOwnRequests() {
    await showOwnRequests();
    if (!this.#isClosed) await this.#load();
  }

  /** @param {string} [text] */
  async #join(text) {
    const answer = await post(`${this.#path}/join`, text ? { text } : {});
    if (answer.status === "joined") this.#enter();
    else await this.#load();
  }

  #enter() {
    const invite = this.#invite;
    if (invite === null || this.#isClosed) return;
    const { id, kind, name } = invite;
    notice(kind === "channel" ? t("channel.subscribed", { name }) : t("group.joined", { name }));
    go(kind === "channel" ? channelPath(id) : groupPath(id), { replace: true });
  }

  async #withdraw() {
    const invite = this.#invite;
    if (invite === null) return;
    const { name } = invite;
    if (!(await attempt(() => del(`${placeOf(invite)}/join-requests/me`)))) return;
    notice(t("invite.withdrawn", { name }));
    await this.#load();
  }

  /** @param {import("../client/api.js").Problem} problem */
  #showProblem(problem) {
    const isGone = problem.status === 404;
    const isEnded = problem.code === "invite_link_ended";
    const text = isGone ? t("invite.gone") : isEnded ? t("invite.ended") : problem.userMessage;
    fill(
      this.#inner,
      h("h1", { tabindex: "-1" }, t("invite.title")),
      h("p", { role: "alert" }, text),
      isGone || isEnded ? null : retryButton(() => this.#load()),
      h("a.button.plain", { href: "/", "data-inside": true }, icon("back"), t("app.back")),
    );
    focusHeading(this.element);
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    const invite = this.#invite;
    if (invite === null || event.user_id !== session.userId) return;
    if (invite.id !== (event.channel_id ?? event.group_id)) return;
    if (event.type === "channel.subscribed" || event.type === "group.joined") this.#enter();
    else if (event.type === "join.refused") {
      notice(t("invite.refused"));
      this.#load();
    }
  };
}
