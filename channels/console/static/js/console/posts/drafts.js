// Posts that are not published yet: scheduled ones by their time, and drafts. They can be edited, published and deleted.

import { client, del, get, part, patch, post } from "../../client/api.js";
import { nameOf } from "../../client/people.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, menu, menuButton, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { contentPreview } from "../../ui/previews.js";

const PAGE = 20;

export class Drafts {
  /**
   * `onEdit(draft)` opens a draft in the composer. `onPublish(post)` is called with a post that has been published.
   * @param {{ channel: Api.ChannelResponse; onEdit: (draft: Api.DraftResponse) => unknown; onPublish: (post: Api.PostResponse) => unknown }} options
   */
  constructor({ channel, onEdit, onPublish }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}/drafts`;
    this.#channelId = channel.channel_id;
    this.#onEdit = onEdit;
    this.#onPublish = onPublish;
    this.element = h(
      "div.panels",
      {},
      this.#panels.map(({ element }) => element),
    );
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.#onReady);
    this.reload();
  }

  /** @type {`${App.ChannelPath}/drafts`} */
  #path;
  #channelId;
  #onEdit;
  #onPublish;
  #scheduled = this.#panel("scheduled");
  #panels = [this.#scheduled, this.#panel("unscheduled")];

  close() {
    client.socket.removeEventListener("event", this.#onEvent);
    client.socket.removeEventListener("ready", this.#onReady);
  }

  /** @param {"scheduled" | "unscheduled"} kind */
  #panel(kind) {
    const list = new PagedList({
      list: h("ul.drafts"),
      fetchPage: (cursor) => get(this.#path, { limit: PAGE, scheduled: kind === "scheduled" || null, cursor }),
      renderRow: (draft) => this.#row(draft),
    });
    return {
      list,
      element: h("section.panel.drafts-panel", { hidden: true }, h("h2", {}, t(`drafts.${kind}`)), list.elements),
    };
  }

  /** Loads both lists again. */
  async reload() {
    await Promise.all(
      this.#panels.map(async ({ list, element }) => {
        await list.reload();
        element.hidden = list.isEmpty;
      }),
    );
  }

  /** @param {Api.DraftResponse} draft */
  #row(draft) {
    const { post: content, publish_at: publishAt, failure } = draft;
    const preview = contentPreview(content);
    const details = h("span.soft");
    const showDetails = () => {
      const author = t("post.by", { name: nameOf(draft.author_id, showDetails) });
      const when = publishAt
        ? t("drafts.publishAt", { when: exact(publishAt), ago: ago(publishAt) })
        : t("drafts.changed", { when: ago(draft.updated_at) });
      details.textContent = [when, author, content.silent ? t("posts.silent") : ""].filter(Boolean).join(" · ");
    };
    showDetails();
    const more = menuButton({ label: t("drafts.menu", { preview }), open: (button) => this.#openMenu(draft, button) });
    return h(
      "li.draft-row",
      {},
      h(
        "div.draft-text",
        {},
        h("strong.draft-preview", { dir: "auto" }, preview),
        details,
        failure ? h("span.error", {}, t("drafts.failed", { reason: failure.detail })) : null,
      ),
      h(
        "div.draft-actions",
        {},
        h("button.plain", { type: "button", on: { click: () => this.#onEdit(draft) } }, t("post.edit")),
        more,
      ),
    );
  }

  /**
   * @param {Api.DraftResponse} draft
   * @param {HTMLElement} anchor
   */
  #openMenu(draft, anchor) {
    const path = /** @type {App.DraftPath} */ (`${this.#path}/${part(draft.draft_id)}`);
    /** @type {App.MenuEntry[]} */
    const entries = [
      {
        label: t("drafts.publish"),
        icon: "send",
        act: () => this.#do("compose.posted", async () => this.#onPublish(await post(`${path}/publish`))),
      },
    ];
    if (draft.publish_at)
      entries.push({
        label: t("drafts.unschedule"),
        icon: "pen",
        act: () => this.#do("drafts.movedToDrafts", () => patch(path, { publish_at: null })),
      });
    entries.push({ label: t("drafts.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(path) });
    menu(anchor, entries);
  }

  /** @param {App.DraftPath} path */
  async #delete(path) {
    const isSure = await confirmDialog({
      title: t("drafts.delete"),
      text: t("drafts.delete.confirm"),
      action: t("drafts.delete"),
    });
    if (isSure) this.#do("drafts.deleted", () => del(path));
  }

  /**
   * @param {App.TextKey} doneKey
   * @param {() => unknown} work
   */
  async #do(doneKey, work) {
    if (await attempt(work)) notice(t(doneKey));
    await this.reload();
  }

  /**
   * A new post may be one that was scheduled.
   * @param {CustomEvent<App.Event>} event
   */
  #onEvent = ({ detail: event }) => {
    if (event.type === "message.posted" && event.post?.channel_id === this.#channelId && !this.#scheduled.list.isEmpty)
      this.reload();
  };

  #onReady = () => this.reload();
}
