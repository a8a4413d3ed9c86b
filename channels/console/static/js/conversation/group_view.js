// An open chat group: its messages and members, and how one joins and leaves it.

import { del, get, part, put } from "../client/api.js";
import { isChannelId } from "../client/conversations.js";
import { isStaff } from "../client/grants.js";
import { groupMessages } from "../client/message_stream.js";
import { whenLoaded } from "../client/offline.js";
import { personOf, rememberPeople } from "../client/people.js";
import { session } from "../client/session.js";
import { businessNote } from "../reader/business.js";
import { reportEntry } from "../reports/report_entry.js";
import { restrictionNotice } from "../reports/sanctions.js";
import { dialoguePath, go } from "../router.js";
import { t } from "../texts.js";
import { fill, h, throttle } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, confirmDialog, dialog, notice } from "../ui/overlay.js";
import { ChatView } from "./chat_view.js";
import { showMembers } from "./members.js";

const RELOAD_EVERY = 2000; // milliseconds, while members join and leave

/** @extends {ChatView<Api.GroupResponse>} */
export class GroupView extends ChatView {
  #hasAskedToJoin = false; // the API says so only in the answer to a request

  /** @param {string} id */
  constructor(id) {
    super(id);
    this.load();
  }

  /** @returns {App.GroupPath} */
  get #path() {
    return `/v1/groups/${part(this.id)}`;
  }

  async fetchInfo() {
    const group = await get(this.#path);
    if (group.joined_at !== null) {
      get(`${this.#path}/members`, { limit: 100 }).then(
        (page) => {
          rememberPeople(page.items);
          this.history?.renderAgain();
        },
        () => {},
      );
    }
    return group;
  }

  /** @param {number} headSeq */
  createStream(headSeq) {
    return groupMessages(this.id, headSeq);
  }

  get isMember() {
    return this.info.joined_at !== null;
  }

  get mayRead() {
    return this.isMember || this.info.visibility === "public" || session.isAdmin;
  }

  get isStaff() {
    return isStaff(this.info) || session.isAdmin;
  }

  /** @returns {App.Identity} */
  get identity() {
    return { id: this.id, name: this.info.name, url: this.info.face_url, shape: "round" };
  }

  get subtitle() {
    return t("group.members", { n: this.info.member_count });
  }

  get reactionPolicy() {
    return this.info.reactions;
  }

  get mayReact() {
    return this.isMember && this.mayWrite;
  }

  /** @returns {App.Polls} */
  get polls() {
    return {
      vote: this.mayReact ? (seq, chosen) => this.stream.vote(seq, chosen) : null,
      reload: (seq) => this.stream.reload(seq),
      showVoters: this.isMember
        ? async (seq, poll) => (await import("../polls/voters.js")).showVoters(this.#path, seq, poll)
        : null,
    };
  }

  /** @returns {App.Acknowledge | null} */
  get acknowledge() {
    return this.isMember && this.mayWrite ? (seq) => this.stream.acknowledge(seq) : null;
  }

  get mayAskToAcknowledge() {
    return isStaff(this.info);
  }

  /** @returns {((seq: number) => unknown) | null} */
  get showAcknowledgements() {
    if (!this.isStaff) return null;
    return (seq) =>
      attempt(async () =>
        (await import("../acknowledgements/overview.js")).showAcknowledgements(`${this.#path}/messages/${seq}`),
      );
  }

  onPoll = () =>
    attempt(async () => {
      const { askPoll } = await import("../polls/new_poll.js");
      askPoll(this.conversationId, (body, key) => this.stream.post(body, key));
    });

  get maySend() {
    const { info } = this;
    if (!this.mayWrite) return false;
    return this.isMember && ((!info.muted_all && info.posting === "everyone") || this.isStaff);
  }

  get forwardSource() {
    return { group_id: this.id };
  }

  /** @param {App.Item} item @returns {Api.TargetBody} */
  reportTarget({ seq }) {
    return { type: "message", group_id: this.id, seq };
  }

  /** @param {App.Item} item */
  senderOf(item) {
    const id = item.sender_id;
    if (!id) return null;
    const { name, face_url: faceUrl } = personOf(id, this.#onNames);
    return { name, faceUrl, href: isChannelId(id) ? null : dialoguePath(id) };
  }

  #onNames = () => this.history?.renderAgain();

  /** @returns {App.MenuEntry[]} */
  menuEntries() {
    if (!this.isMember) return [];
    /** @type {App.MenuEntry[]} */
    const inviting = this.isStaff
      ? [{ label: t("members.invites"), icon: "link", act: () => attempt(() => this.#showInvites()) }]
      : [];
    return [{ label: t("members.show"), icon: "people", act: () => this.#showMembers() }, ...inviting];
  }

  /** @returns {App.MenuEntry[]} */
  leavingEntries() {
    const reporting = this.isStaff ? [] : [reportEntry({ type: "group", group_id: this.id })];
    return [...reporting, ...this.#leavingEntries()];
  }

  /** @returns {App.MenuEntry[]} */
  #leavingEntries() {
    if (!this.isMember) return [];
    // The owner of a work group may leave it; the owner of another group deletes it instead.
    if (this.info.role !== "owner" || this.info.type === "work")
      return [{ label: t("group.leave"), icon: "out", isDangerous: true, act: () => this.#leave() }];
    return [{ label: t("group.delete"), icon: "trash", isDangerous: true, act: () => this.#delete() }];
  }

  async #leave() {
    const { name } = this.info;
    if (
      !(await confirmDialog({
        title: t("group.leave"),
        text: t("group.leave.confirm", { name }),
        action: t("group.leave"),
      }))
    )
      return;
    if (await attempt(() => del(`${this.#path}/members/me`))) go("/", { replace: true });
  }

  async #delete() {
    const { name } = this.info;
    if (
      !(await confirmDialog({
        title: t("group.delete"),
        text: t("group.delete.confirm", { name }),
        action: t("group.delete"),
      }))
    )
      return;
    if (await attempt(() => del(this.#path))) go("/", { replace: true });
  }

  async #showInvites() {
    (await whenLoaded(import("../invites/dialog.js"))).showInvites({ kind: "group", id: this.id });
  }

  #showMembers() {
    showMembers(this.info, { isStaff: this.isStaff });
  }

  showProfile() {
    dialog({
      title: this.info.name,
      className: "profile",
      build: (close) => {
        const showMembersInstead = () => {
          close();
          this.#showMembers();
        };
        return h(
          "div.sheet-body",
          {},
          this.profile(),
          h("p.soft", {}, t("group.id"), " ", h("code", { dir: "auto" }, this.id)),
          this.isMember
            ? h(
                "button.plain",
                { type: "button", on: { click: showMembersInstead } },
                icon("people"),
                t("members.show"),
              )
            : null,
        );
      },
    });
  }

  renderFooter() {
    if (this.maySend) fill(this.footer, this.writerElement());
    else if (session.isBusiness) fill(this.footer, businessNote());
    else if (this.isMember && !this.mayWrite) fill(this.footer, restrictionNotice());
    else if (this.isMember) fill(this.footer, this.readOnlyElement(t("write.staffOnly")));
    else fill(this.footer, this.#joinElement());
  }

  #joinElement() {
    if (this.info.join_option === "invite") return this.readOnlyElement(t("group.inviteOnly"));
    if (this.#hasAskedToJoin) {
      return h(
        "div.join",
        {},
        h("p", { role: "status" }, t("group.requested")),
        h("button.plain", { type: "button", on: { click: () => this.#withdraw() } }, t("group.withdraw")),
      );
    }
    const needsApproval = this.info.join_option === "approval";
    return h(
      "div.join",
      {},
      h("p", {}, t(needsApproval ? "group.needsApproval" : "group.open")),
      h(
        "button.primary",
        { type: "button", on: { click: () => this.#join() } },
        t(needsApproval ? "group.request" : "group.join"),
      ),
    );
  }

  async #join() {
    const isDone = await attempt(async () => {
      const group = await put(`${this.#path}/members/me`);
      this.#hasAskedToJoin = group.role === null;
      if (!this.#hasAskedToJoin) notice(t("group.joined", { name: group.name }));
    });
    if (isDone) this.reload();
  }

  async #withdraw() {
    if (await attempt(() => del(`${this.#path}/join-requests/me`))) this.#hasAskedToJoin = false;
    this.showFooter();
  }

  /** @param {App.Event} event */
  onEvent(event) {
    if (event.conversation_id !== this.conversationId || !this.info) return;
    const isMe = event.user_id === session.userId;
    if (event.type === "group.updated") this.reload();
    else if (event.type === "group.disbanded" || (isMe && event.type === "group.left"))
      this.showProblem({ status: 404 });
    else if (isMe && event.type === "join.refused") {
      this.#hasAskedToJoin = false;
      this.showFooter();
      notice(t("group.declined", { name: this.info.name }));
    } else if (isMe && (event.type === "group.joined" || event.type === "member.changed")) this.reload();
    else if (event.type === "group.joined" || event.type === "group.left") this.#reloadSoon();
  }

  #reloadSoon = throttle(RELOAD_EVERY, () => {
    if (!this.isClosed) this.reload();
  });
}
