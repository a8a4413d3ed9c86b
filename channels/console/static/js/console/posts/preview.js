// The preview of what is being written. The server renders it (`posts/preview`) and the reader's code draws it, so it equals
// what readers will see. While the server cannot be reached, the page draws what it knows.
//
// On a narrow window it is a line above the buttons, which unfolds.

import { asProblem, part, post } from "../../client/api.js";
import { postElement } from "../../conversation/items.js";
import { t } from "../../texts.js";
import { webAddress } from "../../ui/content.js";
import { debounce, fill, h, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { contentPreview } from "../../ui/previews.js";

const AFTER = 250; // milliseconds without a key

export class PostPreview {
  /**
   * `read()` says what is being written: the body for the API, or null while there is nothing to show, and the same content
   * with its uploads described. `onGone(mediaId)` is called when the server has lost an upload.
   * @param {{ channel: Api.ChannelResponse; read: () => { body: Api.WriteMessage | null; content: App.Content }; onGone: (mediaId: string) => unknown }} options
   */
  constructor({ channel, read, onGone }) {
    this.#channel = channel;
    this.#read = read;
    this.#onGone = onGone;
    const headingId = uniqueId("preview");
    this.#stage.id = uniqueId("stage");
    this.#stage.setAttribute("aria-labelledby", headingId);
    this.#toggle.setAttribute("aria-controls", this.#stage.id);
    this.element = h(
      "section.preview-side",
      { "aria-labelledby": headingId },
      h(
        "div.preview-inner",
        {},
        h("div.preview-head", {}, h("h2", { id: headingId }, t("compose.preview")), this.#line, this.#toggle),
        this.#stage,
      ),
    );
    this.#show();
  }

  #channel;
  #read;
  #onGone;
  #line = h("span.preview-line.soft", { dir: "auto", "aria-hidden": "true" });
  #toggle = h(
    "button.quiet.square.preview-toggle",
    {
      type: "button",
      "aria-expanded": "false",
      "aria-label": t("compose.preview.open"),
      on: { click: () => this.#unfold() },
    },
    icon("down"),
  );
  /** A long post scrolls in it, also by keyboard. */
  #stage = h("div.preview-stage", { role: "group", tabindex: "0" });
  #requests = 0;
  #isClosed = false;

  /** Asks for no more previews. */
  close() {
    this.#isClosed = true;
  }

  /** Draws it again soon, since what is being written has changed. */
  update() {
    this.#requests += 1; // a preview that is being loaded is out of date
    this.#showLine();
    this.#showSoon();
  }

  #showSoon = debounce(AFTER, () => this.#show());

  #unfold() {
    const isOpen = this.element.classList.toggle("open");
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
  }

  #showLine() {
    const { body, content } = this.#read();
    this.#line.textContent = body === null ? t("compose.preview.none") : contentPreview(content);
  }

  async #show() {
    if (this.#isClosed) return;
    this.#showLine();
    const request = this.#requests;
    const { body, content } = this.#read();
    if (body === null) {
      fill(this.#stage, h("p.empty", {}, t("compose.preview.empty")));
      return;
    }
    // A link that is still being typed must not hide the preview.
    if (body.links) body.links = body.links.filter((one) => webAddress(one.url) !== null);
    // Nor must a closing time that is still being chosen.
    if (body.poll?.closes_at && Date.parse(body.poll.closes_at) <= Date.now())
      body.poll = { ...body.poll, closes_at: null };
    try {
      const preview = await post(`/v1/channels/${part(this.#channel.channel_id)}/posts/preview`, body);
      if (request === this.#requests) this.#draw(preview);
    } catch (error) {
      const problem = asProblem(error);
      if (request !== this.#requests) return;
      if (problem.code === "media_not_found") this.#onGone(String(problem.details.media_id));
      if (problem.status === 0 || problem.status >= 500 || problem.status === 429) this.#draw(this.#localItem(content));
      else
        fill(
          this.#stage,
          h("p.error", {}, t("compose.preview.refused", { reason: problem.fields[0]?.[1] ?? problem.userMessage })),
        );
    }
  }

  /** @param {App.Item} item */
  #draw(item) {
    const polls = { vote: null, reload: async () => {}, isPreview: true };
    const { channel_id: channelId, name: channelName } = this.#channel;
    const buttons = { channelId, channelName, press: null, isPreview: true };
    const options = { channel: this.#channel, react: null, polls, buttons };
    fill(this.#stage, h("ol.items", {}, postElement(item, options)));
  }

  /**
   * @param {App.Content} content
   * @returns {App.Item}
   */
  #localItem(content) {
    const now = new Date().toISOString();
    const item = { ...content, seq: 0, created_at: now, reactions: { counts: {}, total: 0, mine: [] } };
    return /** @type {App.Item} */ (/** @type {unknown} */ (item));
  }
}
