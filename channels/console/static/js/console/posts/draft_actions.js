// What can be done with a draft or a scheduled post: the menu and the calls, for the list and for the calendar.

import { del, part, patch, post } from "../../client/api.js";
import { t } from "../../texts.js";
import { exact } from "../../ui/format.js";
import { attempt, confirmDialog, menu, notice } from "../../ui/overlay.js";
import { askPublishTime, publishTimeError } from "./publish_time.js";

export class DraftActions {
  /**
   * `onEdit(draft)` opens a draft in the composer. `onPublish(post)` is called with a post that has been published, and
   * `onChange()` after everything that was done or tried.
   * @param {{ channelId: string; onEdit: (draft: Api.DraftResponse) => unknown; onPublish: (post: Api.PostResponse) => unknown; onChange: () => unknown }} options
   */
  constructor({ channelId, onEdit, onPublish, onChange }) {
    this.#path = /** @type {const} */ (`/v1/channels/${part(channelId)}/drafts`);
    this.#onEdit = onEdit;
    this.#onPublish = onPublish;
    this.#onChange = onChange;
  }

  /** @type {`${App.ChannelPath}/drafts`} */
  #path;
  #onEdit;
  #onPublish;
  #onChange;

  /**
   * Opens the menu of a draft.
   * @param {Api.DraftResponse} draft
   * @param {HTMLElement} anchor
   * @param {{ withEdit?: boolean }} [options]
   */
  openMenu(draft, anchor, { withEdit = false } = {}) {
    const path = this.#pathOf(draft);
    const { publish_at: publishAt } = draft;
    /** @type {App.MenuEntries} */
    const entries = [
      withEdit && canEdit(draft) ? { label: t("post.edit"), icon: "pen", act: () => this.#onEdit(draft) } : null,
      publishAt ? { label: t("schedule.move"), icon: "calendar", act: () => this.askTime(draft) } : null,
      {
        label: t("drafts.publish"),
        icon: "send",
        act: () => this.#do("compose.posted", async () => this.#onPublish(await post(`${path}/publish`))),
      },
      publishAt
        ? {
            label: t("drafts.unschedule"),
            icon: "file",
            act: () => this.#do("drafts.movedToDrafts", () => patch(path, { publish_at: null })),
          }
        : null,
      { label: t("drafts.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(path) },
    ];
    menu(
      anchor,
      entries.filter((entry) => entry !== null),
    );
  }

  /** @param {Api.DraftResponse} draft */
  edit(draft) {
    this.#onEdit(draft);
  }

  /**
   * Asks for another time of a scheduled post.
   * @param {Api.DraftResponse} draft
   */
  askTime(draft) {
    return askPublishTime(draft.publish_at ?? "", async (at) => {
      await patch(this.#pathOf(draft), { publish_at: at });
      notice(t("compose.scheduled", { when: exact(at) }));
      this.#onChange();
    });
  }

  /**
   * Moves a scheduled post to another time, unless nothing can be published then.
   * @param {Api.DraftResponse} draft
   * @param {Date} at
   */
  async moveTo(draft, at) {
    const error = publishTimeError(at);
    if (error !== null) return notice(error, { isBad: true });
    const isDone = await attempt(() => patch(this.#pathOf(draft), { publish_at: at.toISOString() }));
    if (isDone) notice(t("compose.scheduled", { when: exact(at.getTime()) }));
    this.#onChange();
    return null;
  }

  /** @param {Api.DraftResponse} draft */
  #pathOf(draft) {
    return /** @type {App.DraftPath} */ (`${this.#path}/${part(draft.draft_id)}`);
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
    this.#onChange();
  }
}

/**
 * Whether the composer can show all of a draft. A forward keeps its content, and an app's own post has none to edit.
 * @param {Api.DraftResponse} draft
 */
export const canEdit = ({ post: { kind, forwarded_from: from } }) => kind !== "custom" && !from;
