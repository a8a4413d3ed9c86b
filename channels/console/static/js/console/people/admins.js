// The owner and the admins of a channel with their grants, pending invitations, and transferring ownership.

import { client, del, get, part, post, put } from "../../client/api.js";
import { GRANTS, grantsText, isOwner } from "../../client/grants.js";
import { session } from "../../client/session.js";
import { t } from "../../texts.js";
import { fill, h, submitting } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, dialog, menu, menuButton, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { field, submitForm } from "../form.js";
import { grantBoxes, personRow, rowOfUser } from "./rows.js";

const PAGE = 50;

export class Admins {
  /** @param {{ channel: Api.ChannelResponse; onChange: (channel: Api.ChannelResponse) => unknown }} options */
  constructor({ channel, onChange }) {
    this.#channel = channel;
    this.#onChange = onChange;
    this.#path = `/v1/channels/${part(channel.channel_id)}`;
    this.#admins = new PagedList({
      fetchPage: (cursor) => get(`${this.#path}/admins`, { limit: PAGE, cursor }),
      renderRow: (member) => this.#adminRow(member),
      emptyText: () => t("admins.empty.admins"),
    });
    this.element = h("div.panels", {}, h("section.panel", {}, h("h2", {}, t("admins.title")), this.#admins.elements));
    if (isOwner(channel)) {
      this.#invitations = new PagedList({
        fetchPage: (cursor) => get(`${this.#path}/invitations`, { limit: PAGE, cursor }),
        renderRow: (invitation) => this.#invitationRow(invitation),
        emptyText: () => t("admins.empty.invitations"),
      });
      this.element.append(
        this.#inviteForm(),
        h("section.panel", {}, h("h2", {}, t("admins.pending")), this.#invitations.elements),
      );
    }
    this.#reload();
    client.socket.addEventListener("event", this.#onEvent);
  }

  #channel;
  #onChange;
  /** @type {App.ChannelPath} */
  #path;
  #admins;
  /** @type {PagedList<Api.InvitationResponse> | null} */
  #invitations = null; // only the owner sees them

  close() {
    client.socket.removeEventListener("event", this.#onEvent);
  }

  #reload() {
    this.#admins.reload();
    this.#invitations?.reload();
  }

  /** @param {Api.AdminResponse} member */
  #adminRow(member) {
    const user = member.user_id;
    const mayChange = isOwner(this.#channel) && member.role === "admin" && user !== session.userId;
    const label = t("people.menu", { user: member.name || user });
    const more = menuButton({ label, open: (button) => this.#openMenu(member, button) });
    const grants = member.role === "owner" ? null : grantsLine(member.grants);
    return personRow(
      member,
      [
        h("span.role", {}, t(member.role === "owner" ? "role.owner" : "role.admin")),
        mayChange ? more : h("span.square"),
      ],
      grants,
    );
  }

  /**
   * @param {Api.AdminResponse} member
   * @param {HTMLElement} anchor
   */
  #openMenu(member, anchor) {
    const { user_id: user, name } = member;
    menu(anchor, [
      { label: t("admins.change"), icon: "pen", act: () => this.#changeGrants(member) },
      { label: t("admins.transfer"), icon: "out", act: () => this.#transferOwnership(user, name || user) },
      null,
      {
        label: t("people.dismiss"),
        icon: "person",
        isDangerous: true,
        act: () => this.#do("people.dismissed", name || user, () => del(`${this.#path}/admins/${part(user)}`)),
      },
    ]);
  }

  /** @param {Api.AdminResponse} member */
  async #changeGrants(member) {
    const user = member.name || member.user_id;
    const boxes = grantBoxes(member.grants);
    const isSaved = await dialog({
      title: t("admins.change.title", { user }),
      build: (close) =>
        h(
          "form.sheet-body",
          { on: { submit: submitting(() => close(true)) } },
          boxes.element,
          h(
            "div.actions",
            {},
            h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
            h("button.primary", { type: "submit" }, t("app.save")),
          ),
        ),
    });
    const path = /** @type {const} */ (`${this.#path}/admins/${part(member.user_id)}`);
    if (isSaved) this.#do("admins.changed", user, () => put(path, { grants: boxes.value }));
  }

  /**
   * @param {string} user
   * @param {string} shown The name, or the id again.
   */
  async #transferOwnership(user, shown) {
    const text = t("owner.transfer.confirm", { user: shown, name: this.#channel.name });
    if (!(await confirmDialog({ title: t("owner.transfer"), text, action: t("owner.transfer.do") }))) return;
    await this.#do("owner.transferred", shown, async () =>
      this.#setChannel(await post(`${this.#path}/owner`, { user_id: user })),
    );
  }

  /**
   * The user may no longer be the owner, who alone may invite admins.
   * @param {Api.ChannelResponse} channel
   */
  #setChannel(channel) {
    this.#channel = channel;
    this.#onChange(channel);
    if (isOwner(channel) || !this.#invitations) return;
    this.#invitations = null;
    fill(this.element, this.element.firstElementChild);
  }

  #inviteForm() {
    const userId = field({
      name: "user_id",
      label: t("people.id"),
      hint: t("admins.invite.hint"),
      required: true,
      spellcheck: "false",
      autocapitalize: "none",
    });
    const boxes = grantBoxes(GRANTS);
    const error = h("p.error", { role: "alert", hidden: true });
    const button = h("button.primary", { type: "submit" }, t("admins.invite.do"));
    const submit = submitting(async () => {
      const user = userId.value.trim();
      const work = () => post(`${this.#path}/invitations`, { user_id: user, grants: boxes.value });
      if (!(await submitForm({ fields: [userId], error, button, work }))) return;
      notice(t("admins.invited", { user }));
      userId.input.value = "";
      boxes.value = GRANTS;
      this.#invitations?.reload();
    });
    return h(
      "form.panel.form",
      { novalidate: true, on: { submit } },
      h("h2", {}, t("admins.invite")),
      userId.element,
      boxes.element,
      error,
      h("div.actions", {}, button),
    );
  }

  /** @param {Api.InvitationResponse} invitation */
  #invitationRow(invitation) {
    const user = invitation.user_id;
    const details = [
      h(
        "span.soft",
        { title: exact(invitation.expires_at) },
        t("admins.invitation.times", { when: ago(invitation.invited_at), until: ago(invitation.expires_at) }),
      ),
      invitation.role === "admin"
        ? grantsLine(invitation.grants)
        : h("span.soft", {}, t("admins.invitation.subscribe")),
    ];
    return rowOfUser(user, (name) => {
      const cancel = () => this.#do("admins.cancelled", name, () => del(`${this.#path}/invitations/${part(user)}`));
      const label = t("admins.cancel.label", { user: name });
      const button = h("button.plain", { type: "button", "aria-label": label, on: { click: cancel } }, t("app.cancel"));
      return { atEnd: button, details };
    });
  }

  /**
   * @param {App.TextKey} doneKey
   * @param {string} user
   * @param {() => unknown} work
   */
  async #do(doneKey, user, work) {
    if (await attempt(work)) notice(t(doneKey, { user }));
    this.#reload();
  }

  /**
   * The admins have changed. The channel is loaded first, since it says whether the user is still the owner.
   * @param {CustomEvent<App.Event>} event
   */
  #onEvent = ({ detail: event }) => {
    if (event.channel_id !== this.#channel.channel_id) return;
    if (!["member.changed", "channel.subscribed", "channel.invitation_ended"].includes(event.type)) return;
    get(this.#path).then(
      (channel) => {
        this.#setChannel(channel);
        this.#reload();
      },
      () => {},
    ); // the channel is gone, or the user may no longer see it; the view around this one shows that
  };
}

/** @param {Api.Grant[]} grants */
const grantsLine = (grants) => h("span.soft.grants-line", {}, grantsText(grants));
