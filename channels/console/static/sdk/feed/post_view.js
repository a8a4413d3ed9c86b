// One post as elements. Texts become text nodes and attributes, never markup; links lead to http, https and mailto only.

import { parseMarkup } from "../core/markup.js";

/** @import { Http } from "../core/http.js" */
/** @import { Post, ShownChannel } from "./public_source.js" */
/** @import { Words } from "./texts.js" */
/** @import * as Api from "../types/api.js" */
/** @import { MarkupBlock, MarkupInline, MarkupList } from "../types/channels.js" */

/** The emoji that the policy "basic" allows, and the first choice under "all". */
const BASIC = ["👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "🔥"];

/**
 * Makes an element. Null and false attributes are left out; a name in `parts` is a part that a page may style.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {{ [attribute: string]: string | number | boolean | null | undefined }} attributes
 * @param {(Node | string | null)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, String(value));
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * The address if a page may link to it, otherwise null.
 * @param {string} text
 */
function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} text
 * @param {...(Node | string)} label
 */
function link(text, ...label) {
  const href = /^mailto:/i.test(text) ? text : webAddress(text);
  if (href === null) return null;
  return make(
    "a",
    { href, part: "link", target: "_blank", rel: "noopener noreferrer nofollow ugc", dir: "auto" },
    ...label,
  );
}

/**
 * The element of a text with marks.
 * @param {string} text
 */
function textElement(text) {
  const blocks = parseMarkup(text);
  const [first] = blocks;
  return blocks.length === 1 && first.type === "text"
    ? make("p", { class: "text", part: "text", dir: "auto" }, ...inline(first.children))
    : make("div", { class: "text", part: "text" }, ...blocks.map(blockElement));
}

/**
 * @param {MarkupBlock} block
 * @returns {HTMLElement}
 */
function blockElement(block) {
  if (block.type === "text") return make("p", { dir: "auto" }, ...inline(block.children));
  if (block.type === "code") return make("pre", { dir: "ltr" }, make("code", {}, block.text));
  if (block.type === "quote") return make("blockquote", {}, ...block.children.map(blockElement));
  return listElement(block);
}

/**
 * @param {MarkupList} list
 * @returns {HTMLElement}
 */
function listElement({ start, items }) {
  const children = items.map((item) =>
    make("li", { dir: "auto" }, ...inline(item.children), ...item.lists.map(listElement)),
  );
  return start === null ? make("ul", {}, ...children) : make("ol", { start: start === 1 ? null : start }, ...children);
}

const TAGS = /** @type {const} */ ({ bold: "strong", italic: "em", strike: "s" });

/**
 * @param {MarkupInline[]} children
 * @returns {(Node | string)[]}
 */
function inline(children) {
  return children.flatMap((child) => {
    if (typeof child === "string") return child;
    if (child.type === "code") return make("code", {}, child.text);
    const inside = inline(child.children);
    if (child.type !== "link") return make(TAGS[child.type], {}, ...inside);
    return link(child.url, ...inside) ?? inside;
  });
}

/** A post, updated in place, so that buttons keep the focus while counts change. */
export class PostView {
  /**
   * @param {Http} client
   * @param {Words} words
   * @param {(seq: number, emoji: string, isOn: boolean) => void} react
   */
  constructor(client, words, react) {
    this.#client = client;
    this.#words = words;
    this.#react = react;
    this.#add.addEventListener("click", () => this.#toggle(this.#picker.hidden === true));
    this.#add.setAttribute("aria-label", words.say("react"));
    this.#picker.setAttribute("aria-label", words.say("react"));
    this.element.append(this.#content, this.#bar, this.#picker);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.#picker.hidden) {
        this.#toggle(false);
        this.#add.focus();
      }
    });
  }

  #client;
  #words;
  #react;
  element = make("article", { part: "post", tabindex: 0 });
  #content = make("div", { part: "content" });
  #bar = make("div", { class: "reactions", part: "reactions" });
  #add = make("button", { type: "button", part: "reaction-add", "aria-expanded": "false" }, "☺+");
  #picker = make("div", { class: "picker", part: "picker", role: "group", hidden: "" });
  /** @type {Map<string, HTMLElement>} */
  #chips = new Map();
  #drawn = "";
  /** @type {Post | null} */
  #post = null;

  /**
   * @param {Post} post
   * @param {ShownChannel} channel
   */
  update(post, channel) {
    this.#post = post;
    const { reactions: _, views: __, comment_count: ___, ...content } = post;
    const drawn = JSON.stringify(content);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#content.replaceChildren(...this.#elements(post));
      this.element.setAttribute("data-seq", String(post.seq));
    }
    this.#updateReactions(post, channel);
  }

  /** @param {Post} post */
  #elements(post) {
    const words = this.#words;
    const time = make(
      "footer",
      { part: "footer" },
      make("time", { datetime: post.created_at, part: "time" }, words.time(post.created_at)),
      post.edited_at && !post.recalled_at ? make("span", { class: "soft" }, ` · ${words.say("edited")}`) : null,
    );
    if (post.recalled_at) return [make("p", { class: "soft" }, words.say("deleted")), time];
    const elements = [
      post.title ? make("h3", { part: "title", dir: "auto" }, post.title) : null,
      post.images?.length ? this.#pictures(post.images) : null,
      post.video ? this.#video(post.video) : null,
      post.audio ? make("audio", { src: this.#address(post.audio.url), controls: "", preload: "none" }) : null,
      post.text ? textElement(post.text) : null,
      post.file ? make("p", {}, link(this.#address(post.file.url), post.file.name || post.file.content_type)) : null,
      post.location ? this.#place(post.location) : null,
      post.poll ? this.#poll(post.poll) : null,
      post.links?.length ? links(post.links) : null,
      post.buttons?.length ? buttonLinks(post.buttons.flat()) : null,
      post.kind === "custom" ? make("p", { class: "soft" }, words.say("custom")) : null,
      time,
    ];
    return elements.filter((element) => element !== null);
  }

  /**
   * The address of an upload. One that is not on the server itself is left out: its host would learn who reads what.
   * @param {string | null} path
   */
  #address(path) {
    const address = this.#client.url(path ?? "");
    return new URL(address).origin === new URL(this.#client.baseUrl).origin ? address : "";
  }

  /** @param {Api.MediaResponse} video */
  #video({ url, width, height, poster_url: poster }) {
    return make("video", {
      src: this.#address(url),
      controls: "",
      preload: poster ? "none" : "metadata",
      poster: poster ? this.#address(poster) : null,
      width,
      height,
    });
  }

  /** @param {Api.MediaResponse[]} images */
  #pictures(images) {
    return make(
      "div",
      { class: "pictures", part: "pictures" },
      ...images.map((image, index) =>
        make(
          "a",
          { href: this.#address(image.url), target: "_blank", rel: "noopener", part: "picture" },
          make("img", {
            src: this.#address(image.large_url ?? image.url),
            alt: image.name || this.#words.say("picture", { n: index + 1, of: images.length }),
            // With both known, nothing moves when the picture is loaded.
            width: image.width,
            height: image.height,
            loading: "lazy",
            decoding: "async",
          }),
        ),
      ),
    );
  }

  /** @param {Api.LocationResponse} place */
  #place(place) {
    const at = `mlat=${Number(place.latitude)}&mlon=${Number(place.longitude)}`;
    const map = `https://www.openstreetmap.org/?${at}`;
    return make(
      "p",
      { part: "place" },
      make("span", { dir: "auto" }, [place.name, place.address].filter(Boolean).join(", ")),
      " ",
      link(map, this.#words.say("place")),
    );
  }

  /**
   * The question and the answers, with their votes where everybody may see them. One votes in the app.
   * @param {Api.PollResponse} poll
   */
  #poll({ question, options }) {
    const answers = options.map(({ text, votes }) =>
      make(
        "li",
        {},
        make("span", { dir: "auto" }, text),
        votes === null ? null : make("span", { class: "soft" }, ` ${this.#words.say("poll.votes", { n: votes })}`),
      ),
    );
    return make("div", { part: "poll" }, make("h3", { dir: "auto" }, question), make("ul", {}, ...answers));
  }

  // --- reactions

  /**
   * @param {Post} post
   * @param {ShownChannel} channel
   */
  #updateReactions(post, channel) {
    const counts = post.recalled_at ? {} : (post.reactions?.counts ?? {});
    const canReact = channel.canReact && !post.recalled_at;
    const canAdd = canReact && !post.reactions_frozen;
    /** @type {HTMLElement[]} */
    const wanted = Object.entries(counts)
      .filter(([, number]) => number > 0)
      .map(([emoji, number]) => this.#chip(emoji, number, canReact, canAdd));
    if (canAdd) wanted.push(this.#add);
    const kept = new Set(wanted);
    for (const child of [...this.#bar.children]) if (!kept.has(/** @type {HTMLElement} */ (child))) child.remove();
    // Only what is out of place moves: a moved button loses the focus.
    let next = this.#bar.firstElementChild;
    for (const element of wanted) {
      if (element === next) next = next.nextElementSibling;
      else this.#bar.insertBefore(element, next);
    }
    this.#bar.hidden = wanted.length === 0;
    if (!canAdd) this.#toggle(false);
    else if (!this.#picker.childElementCount) this.#fillPicker(channel.policy);
  }

  /**
   * @param {string} emoji
   * @param {number} number
   * @param {boolean} canReact
   * @param {boolean} canAdd
   */
  #chip(emoji, number, canReact, canAdd) {
    let chip = this.#chips.get(emoji);
    if (!chip || (chip.tagName === "BUTTON") !== canReact) {
      chip = canReact
        ? make("button", { type: "button", part: "reaction" })
        : make("span", { role: "img", class: "count", part: "reaction" });
      if (canReact) chip.addEventListener("click", () => this.#press(emoji));
      this.#chips.set(emoji, chip);
    }
    chip.textContent = `${emoji} ${new Intl.NumberFormat(this.#words.lang).format(number)}`;
    chip.setAttribute("aria-label", this.#words.say("react.count", { emoji, n: number }));
    if (chip instanceof HTMLButtonElement) {
      const isMine = this.#post?.reactions?.mine.includes(emoji) ?? false;
      chip.setAttribute("aria-pressed", String(isMine));
      // Frozen reactions can be removed but not added.
      chip.disabled = !canAdd && !isMine;
    }
    return chip;
  }

  /** @param {Api.SettingsResponse["reactions"]} policy */
  #fillPicker(policy) {
    const offered = Array.isArray(policy) ? policy : BASIC;
    this.#picker.replaceChildren(
      ...offered.map((emoji) => {
        const label = this.#words.say("react.with", { emoji });
        const button = make("button", { type: "button", "aria-label": label }, emoji);
        button.addEventListener("click", () => {
          this.#toggle(false);
          this.#add.focus();
          this.#press(emoji);
        });
        return button;
      }),
    );
  }

  /** @param {string} emoji */
  #press(emoji) {
    if (this.#post) this.#react(this.#post.seq, emoji, !this.#post.reactions?.mine.includes(emoji));
  }

  /** @param {boolean} isOpen */
  #toggle(isOpen) {
    this.#picker.hidden = !isOpen;
    this.#add.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) /** @type {HTMLElement | null} */ (this.#picker.firstElementChild)?.focus();
  }
}

/** @param {Api.LinkResponse[]} list */
function links(list) {
  const items = list.map(({ url, title }) => link(url, title || url)).filter((element) => element !== null);
  return make("ul", { part: "links" }, ...items.map((element) => make("li", {}, element)));
}

/**
 * The buttons that lead to an address. The others send or count something for a user of the app, and are left out.
 * @param {Api.ButtonResponse[]} buttons
 */
function buttonLinks(buttons) {
  const shown = buttons
    .map(({ kind, url, text }) => (kind === "link" ? link(url ?? "", text) : null))
    .filter((element) => element !== null);
  for (const element of shown) element.setAttribute("part", "link button");
  return shown.length ? make("div", { class: "buttons", part: "buttons" }, ...shown) : null;
}
