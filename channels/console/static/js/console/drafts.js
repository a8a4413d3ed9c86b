// Posts that are not out yet: scheduled ones by their hour, and drafts; taken up again, posted now, thrown away.

import { del, get, part, patch, post } from "../api.js";
import { fill, h } from "../dom.js";
import { ago, exact } from "../format.js";
import { icon } from "../icons.js";
import { attempt, menu, notice, sure } from "../overlay.js";
import { nameOf } from "../reader/people.js";
import { link } from "../socket.js";
import { t } from "../texts.js";

const PAGE = 20;

export class Drafts {
  /** `onEdit(draft)` takes it up; `onPost(post)` hears of one that is out. */
  constructor({ channel, onEdit, onPost }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}/drafts`;
    this.#id = channel.channel_id;
    this.#onEdit = onEdit;
    this.#onPost = onPost;
    this.element = h("div.panels", {}, this.#lists.map(({ element }) => element));
    link.addEventListener("event", this.#onEvent);
    link.addEventListener("ready", this.#onReady);
    this.load();
  }

  #path;
  #id;
  #onEdit;
  #onPost;
  #lists = ["scheduled", "kept"].map((name) => this.#listOf(name));

  close() {
    link.removeEventListener("event", this.#onEvent);
    link.removeEventListener("ready", this.#onReady);
  }

  #listOf(name) {
    const list = h("ul.drafts");
    const more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => attempt(() => this.#fetch(one, true)) } }, t("app.more"));
    const element = h("section.panel.drafts-panel", { hidden: true }, h("h2", {}, t(`drafts.${name}`)), list, more);
    const one = { name, list, more, element, cursor: null, asked: 0 };
    return one;
  }

  /** Read both lists anew. */
  load() {
    return attempt(() => Promise.all(this.#lists.map((one) => this.#fetch(one, false))));
  }

  async #fetch(one, isMore) {
    const asked = (one.asked += 1);
    const page = await get(this.#path, { limit: PAGE, scheduled: one.name === "scheduled" || null, cursor: isMore ? one.cursor : null });
    if (asked !== one.asked) return;
    one.cursor = page.next_cursor;
    one.more.hidden = one.cursor === null;
    const rows = page.items.map((draft) => this.#row(draft));
    if (isMore) one.list.append(...rows);
    else fill(one.list, rows);
    one.element.hidden = !one.list.childElementCount;
  }

  #row(draft) {
    const { post: content, publish_at: at, failure } = draft;
    const said = content.title || content.text || t(`kind.${content.kind}`);
    const when = h("span.soft", {});
    const show = () => {
      const by = t("post.by", { name: nameOf(draft.author_id, show) });
      when.textContent = [at ? t("drafts.at", { when: exact(at), ago: ago(at) }) : t("drafts.changed", { when: ago(draft.updated_at) }), by, content.silent ? t("posts.silent") : ""].filter(Boolean).join(" · ");
    };
    show();
    const more = h("button.quiet.square", { type: "button", "aria-label": t("drafts.menu", { said }), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openMenu(draft, more) } }, icon("more"));
    return h("li.draft-row", {},
      h("div.draft-text", {}, h("strong.draft-said", { dir: "auto" }, said), when, failure ? h("span.wrong", {}, t("drafts.failed", { reason: failure.detail })) : null),
      h("div.draft-actions", {},
        h("button.plain", { type: "button", on: { click: () => this.#onEdit(draft) } }, t("post.edit")), more),
    );
  }

  #openMenu(draft, anchor) {
    const path = `${this.#path}/${part(draft.draft_id)}`;
    menu(anchor, [
      { label: t("drafts.post"), icon: "send", act: () => this.#do("compose.posted", async () => this.#onPost(await post(`${path}/publish`))) },
      draft.publish_at ? { label: t("drafts.unschedule"), icon: "pen", act: () => this.#do("drafts.unscheduled", () => patch(path, { publish_at: null })) } : null,
      { label: t("drafts.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(path) },
    ].filter(Boolean));
  }

  async #delete(path) {
    if (await sure({ title: t("drafts.delete"), text: t("drafts.delete.sure"), action: t("drafts.delete") })) this.#do("drafts.deleted", () => del(path));
  }

  async #do(told, work) {
    if (await attempt(work)) notice(t(told));
    await this.load();
  }

  /** One that was scheduled may be out now. */
  #onEvent = ({ detail: event }) => {
    if (event.type === "message.posted" && event.post?.channel_id === this.#id && this.#lists[0].list.childElementCount) this.load();
  };

  #onReady = () => this.load();
}
