// A chat group, open: messages of its members, who they are, how one joins and leaves.

import { del, get, part, put } from "../api.js";
import { atMostEvery, fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { attempt, dialog, notice, sure } from "../overlay.js";
import { go, withPath } from "../router.js";
import { isChannelId } from "../inbox.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { showMembers } from "./members.js";
import { MessageTalk } from "./messages.js";
import { learn, personOf } from "./people.js";

const COUNT_EVERY = 2000; // milliseconds between asking anew how many are in, while people come and go

export class ChatTalk extends MessageTalk {
  #isAsking = false; // to be let in; the API tells it only to who asks again

  constructor(id) {
    super("chat", id);
    this.load();
  }

  get #path() {
    return `/v1/groups/${part(this.id)}`;
  }

  async fetch() {
    const group = await get(this.#path);
    if (group.joined_at !== null) {
      get(`${this.#path}/members`, { limit: 100 }).then((page) => {
        learn(page.items);
        this.history?.redraw();
      }, () => {});
    }
    return group;
  }

  get isMember() {
    return this.place.joined_at !== null;
  }

  get mayRead() {
    return this.isMember || this.place.visibility === "public" || session.isAdmin;
  }

  get isStaff() {
    return this.place.role === "owner" || this.place.role === "admin" || session.isAdmin;
  }

  get face() {
    return { id: this.id, name: this.place.name, url: this.place.face_url, shape: "round" };
  }

  get subtitle() {
    return t("channel.members", { n: this.place.member_count });
  }

  get reactions() {
    return this.place.reactions;
  }

  get react() {
    return this.isMember ? (seq, emoji, isOn) => attempt(() => this.stream.react(seq, emoji, isOn)) : null;
  }

  get maySend() {
    const { place } = this;
    return this.isMember && ((!place.muted_all && place.posting === "everyone") || this.isStaff);
  }

  #onNames = () => this.history?.redraw();

  get forwardable() {
    return { group_id: this.id };
  }

  senderOf(item) {
    const { name, face_url: faceUrl } = personOf(item.sender_id, this.#onNames);
    return { name, faceUrl, href: isChannelId(item.sender_id) ? null : withPath(item.sender_id) };
  }

  entries() {
    return this.isMember ? [[{ label: t("members.show"), icon: "people", act: () => this.#showMembers() }]] : [];
  }

  lastEntries() {
    if (!this.isMember) return [];
    const isWork = this.place.type === "work";
    const entries = [];
    if (this.place.role !== "owner" || isWork) entries.push({ label: t("talk.leave"), icon: "out", isDangerous: true, act: () => this.#leave() });
    if (this.place.role === "owner" && !isWork) entries.push({ label: t("group.disband"), icon: "trash", isDangerous: true, act: () => this.#disband() });
    return entries;
  }

  async #leave() {
    if (!(await sure({ title: t("talk.leave"), text: this.place.name, action: t("talk.leave") }))) return;
    if (await attempt(() => del(`${this.#path}/members/me`))) go("/", { replace: true });
  }

  async #disband() {
    const { name } = this.place;
    if (!(await sure({ title: t("group.disband"), text: t("group.disband.sure", { name }), action: t("group.disband") }))) return;
    if (await attempt(() => del(this.#path))) go("/", { replace: true });
  }

  #showMembers() {
    showMembers(this.place, { isStaff: this.isStaff });
  }

  showProfile() {
    dialog({
      title: this.place.name,
      className: "profile",
      build: (close) => h("div.sheet-body", {}, this.profile(),
        h("p.soft", {}, t("group.address"), " ", h("code", { dir: "auto" }, this.id)),
        this.isMember ? h("button.plain", { type: "button", on: { click: () => (close(), this.#showMembers()) } }, icon("people"), t("members.show")) : null),
    });
  }

  fillFoot() {
    if (this.maySend) fill(this.foot, this.writerElement());
    else if (this.isMember) fill(this.foot, this.cannot(t("write.not")));
    else fill(this.foot, this.#joining());
  }

  #joining() {
    if (this.place.join_option === "invite") return this.cannot(t("group.invite_only"));
    if (this.#isAsking) {
      return h("div.join", {}, h("p", { role: "status" }, t("group.asked")),
        h("button.plain", { type: "button", on: { click: () => this.#withdraw() } }, t("group.withdraw")));
    }
    const isApproved = this.place.join_option === "approval";
    return h("div.join", {}, h("p", {}, t(isApproved ? "group.approval" : "group.open")),
      h("button.primary", { type: "button", on: { click: () => this.#join() } }, t(isApproved ? "group.ask" : "group.join")));
  }

  async #join() {
    const done = await attempt(async () => {
      const group = await put(`${this.#path}/members/me`);
      this.#isAsking = group.role === null;
      if (!this.#isAsking) notice(t("group.joined", { name: group.name }));
    });
    if (done) this.reload();
  }

  async #withdraw() {
    if (await attempt(() => del(`${this.#path}/join-requests/me`))) this.#isAsking = false;
    this.showFoot();
  }

  hear(event) {
    if (event.conversation_id !== this.conversationId || !this.place) return;
    const isMe = event.user_id === session.userId;
    if (event.type === "group.updated") this.reload();
    else if (event.type === "group.disbanded" || (isMe && event.type === "group.left")) this.showRefusal({ status: 404 });
    else if (isMe && event.type === "join.refused") {
      this.#isAsking = false;
      this.showFoot();
      notice(t("group.refused", { name: this.place.name }));
    } else if (isMe && (event.type === "group.joined" || event.type === "member.changed")) this.reload();
    else if (event.type === "group.joined" || event.type === "group.left") this.#countSoon();
  }

  #countSoon = atMostEvery(COUNT_EVERY, () => {
    if (!this.isClosed) this.reload();
  });
}
