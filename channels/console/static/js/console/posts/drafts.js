// Posts that are not published yet: scheduled ones by their time, as a list or in a calendar, and drafts.

import { client, get, part } from "../../client/api.js";
import { nameOf } from "../../client/people.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { icon } from "../../ui/icons.js";
import { menuButton } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { contentPreview } from "../../ui/previews.js";
import { Calendar } from "./calendar.js";
import { canEdit, DraftActions } from "./draft_actions.js";
import { zoneText } from "./publish_time.js";

const PAGE = 20;

export class Drafts {
  /**
   * `onEdit(draft)` opens a draft in the composer, and `onNew(at)` a new post to be published then. `onPublish(post)` is
   * called with a post that has been published.
   * @param {{ channel: Api.ChannelResponse; onEdit: (draft: Api.DraftResponse) => unknown; onNew: (at: Date) => unknown; onPublish: (post: Api.PostResponse) => unknown }} options
   */
  constructor({ channel, onEdit, onNew, onPublish }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}/drafts`;
    this.#channelId = channel.channel_id;
    this.#onNew = onNew;
    this.#actions = new DraftActions({
      channelId: channel.channel_id,
      onEdit,
      onPublish,
      onChange: () => this.reload(),
    });
    this.#scheduled.element.querySelector(".panel-head")?.append(this.#calendarButton);
    this.#scheduled.element.append(this.#calendarSlot);
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
  #onNew;
  #actions;
  /** @type {Calendar | null} */
  #calendar = null;
  #calendarSlot = h("div.calendar-slot");
  #calendarButton = h(
    "button.plain.calendar-button",
    { type: "button", on: { click: () => this.showCalendar(this.#calendar === null) } },
    icon("calendar"),
    t("calendar.open"),
  );
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
    const head = h("div.panel-head", {}, h("h2", {}, t(`drafts.${kind}`)));
    const rows = h("div.draft-list", {}, list.elements);
    return { list, rows, element: h("section.panel.drafts-panel", { hidden: true }, head, rows) };
  }

  /** Loads both lists, and the calendar where it is open, again. */
  async reload() {
    await Promise.all([
      this.#calendar?.reload(),
      ...this.#panels.map(async ({ list, element }) => {
        await list.reload();
        element.hidden = list.isEmpty && !(element === this.#scheduled.element && this.#calendar);
      }),
    ]);
  }

  /**
   * Shows the scheduled posts in a calendar, or as a list. A narrow window has the list always.
   * @param {boolean} isOn
   */
  showCalendar(isOn) {
    this.#calendar = isOn
      ? new Calendar({
          fetchScheduled: () => client.list(this.#path, { scheduled: true }).all(),
          actions: this.#actions,
          onNew: (at) => this.#onNew(at),
        })
      : null;
    fill(this.#calendarSlot, this.#calendar?.element);
    this.#scheduled.element.classList.toggle("with-calendar", isOn);
    this.#scheduled.element.hidden = this.#scheduled.list.isEmpty && !isOn;
    this.#calendarButton.lastChild?.replaceWith(t(isOn ? "calendar.close" : "calendar.open"));
    if (isOn) this.#scheduled.element.scrollIntoView({ block: "nearest" });
  }

  /** @param {Api.DraftResponse} draft */
  #row(draft) {
    const { post: content, publish_at: publishAt, failure } = draft;
    const preview = contentPreview(content);
    const details = h("span.soft", { title: publishAt ? zoneText() : null });
    const showDetails = () => {
      const author = t("post.by", { name: nameOf(draft.author_id, showDetails) });
      const when = publishAt
        ? t("drafts.publishAt", { when: exact(publishAt), ago: ago(publishAt) })
        : t("drafts.changed", { when: ago(draft.updated_at) });
      details.textContent = [when, author, content.silent ? t("posts.silent") : ""].filter(Boolean).join(" · ");
    };
    showDetails();
    const more = menuButton({
      label: t("drafts.menu", { preview }),
      open: (button) => this.#actions.openMenu(draft, button),
    });
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
        canEdit(draft)
          ? h("button.plain", { type: "button", on: { click: () => this.#actions.edit(draft) } }, t("post.edit"))
          : null,
        more,
      ),
    );
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
