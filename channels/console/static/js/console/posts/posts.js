// The posts of a channel as its staff sees them: the composer, drafts and scheduled posts, and the posts with their views.

import "../../comments/texts.js";
import { del, get, part, put } from "../../client/api.js";
import { may } from "../../client/grants.js";
import { channelPosts } from "../../client/message_stream.js";
import { nameOf } from "../../client/people.js";
import { session } from "../../client/session.js";
import { forwardEntry } from "../../conversation/forward_entry.js";
import { postElement } from "../../conversation/items.js";
import { restrictionNotice, suspensionNotice } from "../../reports/sanctions.js";
import { commentsPath, go } from "../../router.js";
import { t } from "../../texts.js";
import { fill, h, reconcile } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { attempt, confirmDialog, menu, notice } from "../../ui/overlay.js";
import { Composer } from "./composer.js";
import { Drafts } from "./drafts.js";
import { LiveViews } from "./live_views.js";
import { showReactors } from "./reactors.js";
import { showReport } from "./report.js";

export class Posts {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    this.#channel = channel;
    this.#path = `/v1/channels/${part(channel.channel_id)}/posts`;
    this.#stream = channelPosts(channel.channel_id, channel.head_seq);
    const refusal = suspensionNotice(channel) ?? restrictionNotice();
    if (!refusal && (may(channel, "post") || may(channel, "edit_posts")))
      this.#composer = new Composer({
        channel,
        stream: this.#stream,
        onDrafts: () => this.#drafts?.reload(),
        onCalendar: () => this.#drafts?.showCalendar(true),
      });
    if (!refusal && may(channel, "post")) {
      this.#drafts = new Drafts({
        channel,
        onEdit: (draft) => this.#composer?.editDraft(draft),
        onNew: (at) => this.#composer?.scheduleAt(at),
        onPublish: (item) => this.#stream.add(item),
      });
    }
    this.#list = h("ol.items.newest-first", { "aria-label": t("posts.title") });
    this.#status = h("p.empty", { role: "status" }, t("app.loading"));
    this.#more = h(
      "button.plain.wide",
      { type: "button", hidden: true, on: { click: () => attempt(() => this.#stream.loadOlder()) } },
      t("app.more"),
    );
    this.element = h(
      "div.panels",
      {},
      channel.suspension ? null : refusal,
      this.#composer?.element,
      this.#drafts?.element,
      h("section.posted", {}, h("h2", {}, t("posts.title")), this.#status, this.#list, this.#more),
    );
    this.#stream.addEventListener("change", () => this.#render());
    this.#liveViews = new LiveViews({ stream: this.#stream, list: this.#list, path: this.#path });
    attempt(() => this.#stream.loadNewest());
  }

  #channel;
  /** @type {`${App.ChannelPath}/posts`} */
  #path;
  #stream;
  /** @type {Composer | null} */
  #composer = null;
  /** @type {Drafts | null} */
  #drafts = null;
  #list;
  #liveViews;
  #status;
  #more;
  /** @type {Map<number, { item: App.Item | null; element: HTMLElement }>} */
  #rendered = new Map();

  close() {
    this.#stream.close();
    this.#liveViews.close();
    this.#composer?.close();
    this.#drafts?.close();
  }

  #render() {
    const wanted = this.#stream
      .inOrder()
      .reverse()
      .map((item) => this.#element(item));
    reconcile(this.#list, wanted);
    this.#status.textContent = wanted.length ? "" : t("posts.empty");
    this.#more.hidden = !this.#stream.hasOlder;
  }

  /** @param {App.Item} item */
  #element(item) {
    const rendered = this.#rendered.get(item.seq);
    if (rendered?.item === item) return rendered.element;
    /** @type {App.React | null} */
    const react =
      this.#channel.subscribed_at === null || session.isBusiness
        ? null
        : (seq, emoji, isOn) => attempt(() => this.#stream.react(seq, emoji, isOn));
    /** @type {App.Polls} */
    const polls = {
      vote: react && ((seq, chosen) => this.#stream.vote(seq, chosen)),
      reload: (seq) => this.#stream.reload(seq),
    };
    const author = item.author_id ? nameOf(item.author_id, () => this.#renderAgain(item.seq)) : null;
    const element = postElement(
      item,
      {
        channel: this.#channel,
        react,
        polls,
        // A post that has just arrived does not name its author, who is not asked. Other admins confirm where they read.
        acknowledge: null,
        author,
        openMenu: (one, anchor) => this.#openMenu(one, anchor),
      },
      rendered?.element,
    );
    element.dataset.seq = String(item.seq);
    showMarks(element, item, this.#hasComments ? commentsPath(this.#channel.channel_id, item.seq) : null);
    this.#rendered.set(item.seq, { item, element });
    return element;
  }

  /** @param {number} seq */
  #renderAgain(seq) {
    const rendered = this.#rendered.get(seq);
    if (!rendered) return;
    this.#rendered.set(seq, { ...rendered, item: null });
    const item = this.#stream.items.get(seq);
    if (item) this.#element(item);
  }

  /**
   * @param {App.Item} item
   * @param {HTMLElement} anchor
   */
  #openMenu(item, anchor) {
    /** @param {Api.Grant} grant */
    const mayDo = (grant) => may(this.#channel, grant);
    const isOwn = item.author_id === session.userId;
    // The composer cannot show what an application made for itself.
    const mayEdit = mayDo("edit_posts") || (isOwn && mayDo("post"));
    const canEdit = mayEdit && item.kind !== "custom";
    /** @type {App.MenuEntries} */
    const entries = [
      item.reactions.total > 0
        ? { label: t("reactors.menu"), icon: "smile", act: () => showReactors(this.#path, item) }
        : null,
      mayDo("see_insights")
        ? {
            label: t("report.menu"),
            icon: "eye",
            act: () => showReport(this.#path, item, this.#channel.settings.count_clicks),
          }
        : null,
      item.acknowledge && mayDo("see_insights")
        ? {
            label: t("posts.acknowledgements"),
            icon: "check",
            act: () => attempt(() => this.#showAcknowledgements(item.seq)),
          }
        : null,
      mayDo("pin_posts")
        ? {
            label: t(item.pinned ? "posts.unpin" : "posts.pin"),
            icon: "pin",
            act: () => this.#setMark(item, "pin", !item.pinned),
          }
        : null,
      mayDo(isOwn ? "post" : "edit_posts")
        ? {
            label: t(item.reactions_frozen ? "posts.unfreeze" : "posts.freeze"),
            icon: "lock",
            act: () => this.#setMark(item, "reactions-freeze", !item.reactions_frozen),
          }
        : null,
      ...this.#commentEntries(item, mayDo(isOwn ? "post" : "edit_posts")),
      mayEdit && item.poll && !item.poll.closed
        ? { label: t("poll.close"), icon: "poll", act: () => this.#closePoll(item) }
        : null,
      this.#channel.settings.protect_content
        ? null
        : forwardEntry({ channel_id: this.#channel.channel_id, seq: item.seq }),
      canEdit ? { label: t("post.edit"), icon: "pen", act: () => this.#composer?.editPost(item) } : null,
      isOwn || mayDo("delete_posts")
        ? { label: t("post.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(item) }
        : null,
    ];
    const known = entries.filter((entry) => entry !== null);
    if (known.length) menu(anchor, known);
  }

  get #hasComments() {
    return this.#channel.settings.comments !== "off";
  }

  /**
   * @param {App.Item} item
   * @param {boolean} mayClose
   * @returns {App.MenuEntries}
   */
  #commentEntries(item, mayClose) {
    if (!this.#hasComments) return [];
    const { comments_frozen: isClosed } = item;
    return [
      {
        label: t("posts.comments"),
        icon: "comments",
        act: () => go(commentsPath(this.#channel.channel_id, item.seq)),
      },
      mayClose
        ? {
            label: t(isClosed ? "comments.reopen" : "comments.close"),
            icon: "lock",
            act: () => this.#setMark(item, "comments-freeze", !isClosed),
          }
        : null,
    ];
  }

  /** @param {number} seq */
  async #showAcknowledgements(seq) {
    const { showAcknowledgements } = await import("../../acknowledgements/overview.js");
    await showAcknowledgements(`${this.#path}/${seq}`);
  }

  /** @param {App.Item} item */
  async #closePoll(item) {
    const texts = { title: t("poll.close"), text: t("poll.close.confirm"), action: t("poll.close") };
    if (await confirmDialog(texts)) await attempt(() => this.#stream.closePoll(item.seq));
  }

  /**
   * Pins a post, freezes its reactions or closes its comments (`mark`), or undoes that.
   * @param {App.Item} item
   * @param {"pin" | "reactions-freeze" | "comments-freeze"} mark
   * @param {boolean} isOn
   */
  #setMark(item, mark, isOn) {
    const path = /** @type {const} */ (`${this.#path}/${item.seq}`);
    return attempt(async () => {
      if (isOn) return this.#stream.add(await put(`${path}/${mark}`));
      await del(`${path}/${mark}`);
      return this.#stream.add(await get(path));
    });
  }

  /** @param {App.Item} item */
  async #delete(item) {
    if (!(await confirmDialog({ title: t("post.delete"), text: t("post.delete.confirm"), action: t("post.delete") })))
      return;
    if (await attempt(() => this.#stream.recall(item.seq))) notice(t("compose.deleted"));
  }
}

/**
 * The line below a post that only the staff sees.
 * @param {HTMLElement} element
 * @param {App.Item} item
 * @param {string | null} commentsHref Null where comments are off.
 */
function showMarks(element, item, commentsHref) {
  /** @type {HTMLElement} */
  const line = element.querySelector(".post-marks") ?? element.appendChild(h("p.post-marks.soft"));
  const marks = [
    item.pinned ? h("span.post-mark", {}, icon("pin"), t("posts.pinned")) : null,
    item.reactions_frozen ? h("span.post-mark", {}, icon("lock"), t("posts.frozen")) : null,
    commentsHref && item.comments_frozen ? h("span.post-mark", {}, icon("lock"), t("posts.commentsClosed")) : null,
    item.silent ? h("span", {}, t("posts.silent")) : null,
    item.signature ? h("span", { dir: "auto" }, t("posts.signed", { name: item.signature })) : null,
    h("span", {}, t("posts.views", { n: item.views ?? 0 })),
    h("span", {}, t("posts.reactions", { n: item.reactions?.total ?? 0 })),
    commentsHref
      ? h("a", { href: commentsHref, "data-inside": true }, t("comments.count", { n: item.comment_count ?? 0 }))
      : null,
  ];
  fill(line, marks);
  line.hidden = Boolean(item.recalled_at);
}
