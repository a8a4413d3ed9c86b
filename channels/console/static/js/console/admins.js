// Who runs the channel: owner and admins with what they may do, invitations that are open, handing the channel over.

import { del, get, part, post, put } from "../api.js";
import { fill, h } from "../dom.js";
import { ago, exact } from "../format.js";
import { icon } from "../icons.js";
import { attempt, dialog, menu, notice, sure } from "../overlay.js";
import { session } from "../session.js";
import { link } from "../socket.js";
import { t } from "../texts.js";
import { field, send } from "./fields.js";
import { grantBoxes, grantsLine, personRow } from "./people.js";
import { GRANTS, isOwner } from "../rights.js";

const PAGE = 50;

export class Admins {
  constructor({ channel, onChange }) {
    this.#channel = channel;
    this.#onChange = onChange;
    this.#path = `/v1/channels/${part(channel.channel_id)}`;
    this.#admins = this.#listOf("admins", (member) => this.#admin(member));
    this.element = h("div.panels", {}, h("section.panel", {}, h("h2", {}, t("admins.title")), this.#admins.element));
    this.#admins.load();
    if (isOwner(channel)) {
      this.#invitations = this.#listOf("invitations", (invitation) => this.#invitation(invitation));
      this.element.append(this.#inviting(), h("section.panel", {}, h("h2", {}, t("admins.pending")), this.#invitations.element));
      this.#invitations.load();
    }
    link.addEventListener("event", this.#onEvent);
  }

  #channel;
  #onChange;
  #path;
  #admins;
  #invitations = null;

  close() {
    link.removeEventListener("event", this.#onEvent);
  }

  #listOf(name, draw) {
    const list = h("ul.people");
    const told = h("p.empty", { role: "status" });
    const more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => fetch(true) } }, t("app.more"));
    let cursor = null;
    let latest = 0;
    const fetch = (isMore) => attempt(async () => {
      const asked = (latest += 1);
      const page = await get(`${this.#path}/${name}`, { limit: PAGE, cursor: isMore ? cursor : null });
      if (asked !== latest) return;
      cursor = page.next_cursor;
      more.hidden = cursor === null;
      const rows = page.items.map(draw);
      if (isMore) list.append(...rows);
      else fill(list, rows);
      told.textContent = list.childElementCount ? "" : t(`admins.${name}.none`);
    });
    return { element: [list, told, more], load: () => fetch(false) };
  }

  #admin(member) {
    const user = member.user_id;
    const mayChange = isOwner(this.#channel) && member.role === "admin" && user !== session.userId;
    const more = h("button.quiet.square", { type: "button", "aria-label": t("people.menu", { user }), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openMenu(member, more) } }, icon("more"));
    return personRow(member, [h("span.role", {}, t(`console.role.${member.role}`)), mayChange ? more : h("span.square")],
      member.role === "owner" ? null : grantsLine(member.grants));
  }

  #openMenu(member, anchor) {
    const user = member.user_id;
    menu(anchor, [
      { label: t("admins.change"), icon: "pen", act: () => this.#changeGrants(member) },
      { label: t("admins.handOver"), icon: "out", act: () => this.#handOver(user) },
      null,
      { label: t("people.dismiss"), icon: "person", isDangerous: true, act: () => this.#do("people.dismissed", user, () => del(`${this.#path}/admins/${part(user)}`)) },
    ]);
  }

  async #changeGrants(member) {
    const user = member.user_id;
    const boxes = grantBoxes(member.grants);
    const isSure = await dialog({
      title: t("admins.change.of", { user }),
      build: (close) => h("form.sheet-body", { on: { submit: (event) => (event.preventDefault(), close(true)) } },
        boxes.element,
        h("div.actions", {}, h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")), h("button.primary", { type: "submit" }, t("app.save"))),
      ),
    });
    if (isSure) this.#do("admins.changed", user, () => put(`${this.#path}/admins/${part(user)}`, { grants: boxes.value }));
  }

  async #handOver(user) {
    const text = t("settings.owner.sure", { user, name: this.#channel.name });
    if (!(await sure({ title: t("settings.owner"), text, action: t("settings.owner.do") }))) return;
    await this.#do("settings.owner.done", user, async () => this.#become(await post(`${this.#path}/owner`, { user_id: user })));
  }

  /** The channel as it is to us now: what only an owner does may not be for us any more. */
  #become(channel) {
    this.#channel = channel;
    this.#onChange(channel);
    if (isOwner(channel) || !this.#invitations) return;
    this.#invitations = null;
    fill(this.element, this.element.firstElementChild);
  }

  #inviting() {
    const user = field({ name: "user_id", label: t("people.add.user"), hint: t("admins.invite.hint"), required: true, spellcheck: "false", autocapitalize: "none" });
    const boxes = grantBoxes(GRANTS);
    const told = h("p.wrong", { role: "alert", hidden: true });
    const button = h("button.primary", { type: "submit" }, t("admins.invite.do"));
    const submit = async (event) => {
      event.preventDefault();
      const name = user.value.trim();
      const work = () => post(`${this.#path}/invitations`, { user_id: name, grants: boxes.value });
      if (!(await send({ fields: [user], told, button, work }))) return;
      notice(t("admins.invited", { user: name }));
      user.input.value = "";
      boxes.value = GRANTS;
      this.#invitations.load();
    };
    return h("form.panel.form", { novalidate: true, on: { submit } }, h("h2", {}, t("admins.invite")), user.element, boxes.element, told, h("div.actions", {}, button));
  }

  #invitation(invitation) {
    const user = invitation.user_id;
    const cancel = () => this.#do("admins.cancelled", user, () => del(`${this.#path}/invitations/${part(user)}`));
    return personRow({ user_id: user }, [
      h("button.plain", { type: "button", "aria-label": t("admins.cancel.of", { user }), on: { click: cancel } }, t("app.cancel")),
    ], [
      h("span.soft", { title: exact(invitation.expires_at) }, t("admins.asked", { when: ago(invitation.invited_at), until: ago(invitation.expires_at) })),
      grantsLine(invitation.grants),
    ]);
  }

  async #do(told, user, work) {
    if (await attempt(work)) notice(t(told, { user }));
    this.#admins.load();
    this.#invitations?.load();
  }

  /** Somebody became an admin, or is none any more: who owns it comes first, since that says what may be asked for. */
  #onEvent = ({ detail: event }) => {
    if (event.channel_id !== this.#channel.channel_id) return;
    if (!["member.changed", "channel.subscribed", "channel.invitation_ended"].includes(event.type)) return;
    get(this.#path).then((channel) => {
      this.#become(channel);
      this.#admins.load();
      this.#invitations?.load();
    }, () => {}); // it is gone, or we are: the view around this one tells
  };
}
