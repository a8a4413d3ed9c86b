// Forwarding: the dialog that sends a copy of a post or message to chats and to channels in which the user may post.

import { part, post } from "../client/api.js";
import { conversations, isChannelId } from "../client/conversations.js";
import { may } from "../client/grants.js";
import { myChannels } from "../client/my_channels.js";
import { session } from "../client/session.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { fill, h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, dialog } from "../ui/overlay.js";
import { SearchField } from "../ui/search_field.js";

/**
 * Opens the dialog. `source` says what is forwarded: {channel_id | group_id | conversation_id, seq}.
 * @param {Api.ForwardBody} source
 */
export const forward = (source) => new ForwardDialog(source).show();

class ForwardDialog {
  /** @param {Api.ForwardBody} source */
  constructor(source) {
    this.#source = source;
  }

  #source;
  /** @type {(App.Recipient & { element: Element })[]} */
  #targets = [];
  #list = h("ul.people-list");
  #status = h("p.empty", { role: "status" }, t("app.loading"));
  #search = new SearchField({ label: t("forward.search"), autofocus: true, onSearch: () => this.#render() });

  show() {
    dialog({
      title: t("forward.title"),
      className: "members",
      build: () => h("div.sheet-body", {}, this.#search.element, this.#status, this.#list),
    });
    attempt(() => this.#load());
  }

  async #load() {
    const [channels] = await Promise.all([myChannels(), conversations.loadAll("chats")]);
    /** @type {App.Recipient[]} */
    const chats = conversations
      .list("chats")
      .map(({ conversation_id: id, group_id: groupId, peer_id: peerId, title, face_url: url }) => ({
        id: groupId ?? peerId ?? "",
        name: peerId === session.userId ? t("dialogue.self") : title,
        url,
        shape: peerId !== null && isChannelId(peerId) ? "tile" : "round",
        kind: groupId !== null ? "forward.group" : isChannelId(peerId ?? "") ? "list.private" : "forward.person",
        path: groupId === null ? `/v1/conversations/${part(id)}/messages` : `/v1/groups/${part(groupId)}/messages`,
      }));
    /** @type {App.Recipient[]} */
    const posts = channels
      .filter((channel) => may(channel, "post"))
      .map(({ channel_id: id, name, face_url: url }) => ({
        id,
        name,
        url,
        shape: "tile",
        kind: "forward.channel",
        path: `/v1/channels/${part(id)}/posts`,
      }));
    this.#targets = [...chats, ...posts].map((target) => ({ ...target, element: this.#row(target) }));
    this.#render();
  }

  #render() {
    const words = this.#search.words.toLowerCase();
    const shown = this.#targets.filter(({ id, name }) => `${name} ${id}`.toLowerCase().includes(words));
    fill(
      this.#list,
      shown.map(({ element }) => element),
    );
    this.#status.textContent = shown.length ? "" : t(this.#targets.length ? "forward.noMatch" : "forward.noTarget");
  }

  /** @param {App.Recipient} recipient */
  #row({ id, name, url, shape, kind, path }) {
    const send = async () => {
      button.disabled = true;
      const isSent = await attempt(() => post(path, { forward: this.#source }));
      button.disabled = isSent; // once is enough
      if (isSent) fill(button, icon("check"), t("forward.sent"));
    };
    const button = h(
      "button.plain.small",
      { type: "button", "aria-label": t("forward.to", { name }), on: { click: send } },
      t("forward.send"),
    );
    const text = h("span.person-text", {}, h("span.person-name", { dir: "auto" }, name), h("span.soft", {}, t(kind)));
    return h(
      "li.person-line",
      {},
      h("span.person-link", {}, avatar({ id, name, url, shape, size: "small" }), text),
      button,
    );
  }
}
