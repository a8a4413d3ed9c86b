// Forwarding: a post or message is sent on, as a copy that says where it is from, to chats and to channels that one runs.

import { post, part } from "../api.js";
import { avatar } from "../avatar.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { inbox, isChannelId } from "../inbox.js";
import { attempt, dialog } from "../overlay.js";
import { ownChannels } from "../own.js";
import { may } from "../rights.js";
import { session } from "../session.js";
import { t } from "../texts.js";

/** The entry of a menu; `source` says where it is: {channel_id | group_id | conversation_id, seq}. */
export const forwardEntry = (source) => ({ label: t("forward.do"), icon: "forward", act: () => new Forwarding(source).show() });

class Forwarding {
  constructor(source) {
    this.#source = source;
  }

  #source;
  #places = [];
  #list = h("ul.people-list");
  #told = h("p.empty", { role: "status" }, t("app.loading"));
  #search = h("input", { type: "search", placeholder: t("forward.search"), "aria-label": t("forward.search"), autocomplete: "off", maxlength: "100", autofocus: true, on: { input: () => this.#render() } });

  show() {
    dialog({
      title: t("forward.title"),
      className: "members",
      build: () => h("div.sheet-body", {}, h("div.search", {}, icon("search"), this.#search), this.#told, this.#list),
    });
    attempt(() => this.#load());
  }

  async #load() {
    const [channels] = await Promise.all([ownChannels(), inbox.loadAll("chats")]);
    const chats = inbox.list("chats").map(({ conversation_id: id, group_id: groupId, peer_id: peerId, title, face_url: url }) => ({
      id: groupId ?? peerId,
      name: peerId === session.userId ? t("dialogue.self") : title,
      url,
      shape: peerId !== null && isChannelId(peerId) ? "tile" : "round",
      kind: groupId !== null ? "forward.group" : isChannelId(peerId) ? "list.private" : "forward.person",
      path: groupId === null ? `/v1/conversations/${part(id)}/messages` : `/v1/groups/${part(groupId)}/messages`,
    }));
    const own = channels.filter((channel) => may(channel, "post")).map(({ channel_id: id, name, face_url: url }) => ({
      id, name, url, shape: "tile", kind: "forward.channel", path: `/v1/channels/${part(id)}/posts`,
    }));
    this.#places = [...chats, ...own].map((place) => ({ ...place, element: this.#place(place) }));
    this.#render();
  }

  #render() {
    const words = this.#search.value.trim().toLowerCase();
    const shown = this.#places.filter(({ id, name }) => `${name} ${id}`.toLowerCase().includes(words));
    fill(this.#list, shown.map(({ element }) => element));
    this.#told.textContent = shown.length ? "" : t(this.#places.length ? "forward.none" : "forward.nowhere");
  }

  #place({ id, name, url, shape, kind, path }) {
    const send = async () => {
      // What was sent stays sent: its button has done its work.
      button.disabled = true;
      const isSent = await attempt(() => post(path, { forward: this.#source }));
      button.disabled = isSent;
      if (isSent) fill(button, icon("check"), t("forward.sent"));
    };
    const button = h("button.plain.small", { type: "button", "aria-label": t("forward.to", { name }), on: { click: send } }, t("forward.send"));
    const text = h("span.person-text", {}, h("span.person-name", { dir: "auto" }, name), h("span.soft", {}, t(kind)));
    return h("li.person-line", {}, h("span.person-link", {}, avatar({ id, name, url, shape, size: "small" }), text), button);
  }
}
