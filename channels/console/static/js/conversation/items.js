// The elements of one post of a channel and of one message of a chat.
//
// An element is updated in place, and only where it has changed: a video keeps playing while others react, and a button
// keeps its focus while a count beside it grows.

import { asksNotToBeTracked, reportClick } from "../client/link_clicks.js";
import { channelPath } from "../router.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { contentElements } from "../ui/content.js";
import { fill, h } from "../ui/dom.js";
import { count, exact, time } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { menuButton } from "../ui/overlay.js";
import { ReactionBar } from "../ui/reactions.js";

/**
 * The fields that the body of an item shows.
 * @type {(keyof App.Content | "recalled_at")[]}
 */
const BODY_FIELDS = [
  "recalled_at",
  "kind",
  "title",
  "text",
  "links",
  "images",
  "video",
  "audio",
  "file",
  "location",
  "custom",
  "form_answer",
  "forwarded_from",
];
/** @typedef {{ article: HTMLElement; body: Body; poll: PollSlot; buttons: ButtonSlot; acknowledge: AcknowledgeSlot; footer: Footer; reactions: ReactionBar }} Parts */
/** @typedef {Parts & { picture: HTMLElement; head: HTMLElement; senderJson: string | null; quote: QuoteLine }} MessageParts */
/** Of a view in which nothing can be pressed. */
const NO_BUTTONS = { channelId: "", channelName: "", press: null };
/**
 * By element: the parts that are updated.
 * @type {WeakMap<HTMLElement, Parts>}
 */
const partsOf = new WeakMap();

/**
 * The element of a post.
 * @param {App.Item} item
 * @param {App.PostOptions} options
 * @param {HTMLElement | null} [old]
 */
export function postElement(
  item,
  {
    channel,
    react,
    polls = null,
    buttons = null,
    acknowledge = null,
    openMenu = null,
    author = null,
    replyHref = null,
    commentsHref = null,
    countsClicksOf = null,
  },
  old = null,
) {
  const element = old ?? newPost(item.seq, channel, react, polls, buttons, acknowledge);
  const parts = /** @type {Parts} */ (partsOf.get(element));
  const { article, body, poll, footer, reactions } = parts;
  body.countsClicksOf = countsClicksOf;
  article.classList.toggle("recalled", Boolean(item.recalled_at));
  body.update(item, "post.deleted");
  poll.update(item);
  parts.buttons.update(item);
  parts.acknowledge.update(item);
  const name = author ?? item.signature;
  footer.update(item, { author: name ? t("post.by", { name }) : null, openMenu, replyHref, commentsHref });
  reactions.update(item);
  return element;
}

/**
 * @param {number} seq
 * @param {App.PostOptions["channel"]} channel
 * @param {App.React | null} react
 * @param {App.Polls | null} polls
 * @param {App.Buttons | null} pressing
 * @param {App.Acknowledge | null} acknowledge
 */
function newPost(seq, channel, react, polls, pressing, acknowledge) {
  const [body, poll, footer] = [new Body(), new PollSlot(seq, polls), new Footer("post.menu")];
  const [buttons, asked] = [new ButtonSlot(seq, pressing), new AcknowledgeSlot(seq, acknowledge)];
  const reactions = new ReactionBar({
    policy: channel.settings.reactions,
    react: react && ((emoji, isOn) => react(seq, emoji, isOn)),
  });
  const article = h(
    "article.post",
    {},
    body.element,
    poll.element,
    buttons.element,
    asked.element,
    h("footer.post-foot", {}, reactions.element, footer.element),
    footer.comments,
  );
  const element = h("li.post-item", {}, article);
  partsOf.set(element, { article, body, poll, buttons, acknowledge: asked, footer, reactions });
  return element;
}

/**
 * The element of a message.
 * @param {App.Item} item
 * @param {App.MessageOptions} options
 * @param {HTMLElement | null} [old]
 */
export function messageElement(
  item,
  {
    policy,
    react,
    polls = null,
    buttons = null,
    acknowledge = null,
    sender = null,
    author = null,
    isOwn,
    isFirst,
    openMenu = null,
    quote = null,
  },
  old = null,
) {
  const element = old ?? newMessage(item.seq, policy, react, polls, buttons, acknowledge, isOwn);
  const parts = /** @type {MessageParts} */ (partsOf.get(element));
  const { article, picture, head, body, poll, footer, reactions } = parts;
  element.classList.toggle("first", isFirst);
  head.hidden = !sender || !isFirst;
  const senderJson = JSON.stringify(sender);
  if (sender && parts.senderJson !== senderJson) {
    parts.senderJson = senderJson;
    fill(
      head,
      sender.href
        ? h(
            "a",
            { href: sender.href, "data-inside": true, title: t("dialogue.with", { name: sender.name }) },
            sender.name,
          )
        : sender.name,
    );
    fill(
      picture,
      avatar({ id: item.sender_id ?? "", name: sender.name, url: sender.faceUrl, shape: "round", size: "small" }),
    );
  }
  article.classList.toggle("recalled", Boolean(item.recalled_at));
  parts.quote.update(quote);
  body.update(item, "message.deleted");
  poll.update(item);
  parts.buttons.update(item);
  parts.acknowledge.update(item);
  footer.update(item, { author, openMenu });
  reactions.update(item);
  return element;
}

/**
 * @param {number} seq
 * @param {App.ReactionPolicy} policy
 * @param {App.React | null} react
 * @param {App.Polls | null} polls
 * @param {App.Buttons | null} pressing
 * @param {App.Acknowledge | null} acknowledge
 * @param {boolean} isOwn
 */
function newMessage(seq, policy, react, polls, pressing, acknowledge, isOwn) {
  const head = h("p.sender", { dir: "auto" });
  const [body, poll, footer] = [new Body(), new PollSlot(seq, polls), new Footer("message.menu")];
  const asked = new AcknowledgeSlot(seq, isOwn ? null : acknowledge);
  const reactions = new ReactionBar({ policy, react: react && ((emoji, isOn) => react(seq, emoji, isOn)) });
  const quote = new QuoteLine();
  const buttons = new ButtonSlot(seq, pressing);
  const inside = [head, quote.element, body.element, poll.element, buttons.element, asked.element, footer.element];
  const article = h("article.bubble", {}, inside);
  const picture = h("span.message-avatar", { hidden: isOwn });
  const element = h("li.message", {}, picture, h("div.message-stack", {}, article, reactions.element));
  element.classList.toggle("own", isOwn);
  /** @type {MessageParts} */
  const parts = {
    ...{ article, picture, head, quote, body, poll, buttons, acknowledge: asked, footer, reactions },
    senderJson: null,
  };
  partsOf.set(element, parts);
  return element;
}

/** The message that one quotes, in a line that leads to it. */
class QuoteLine {
  /** @type {App.Quote | null} */
  #quote = null;
  #name = h("strong", { dir: "auto" });
  #text = h("span.soft", { dir: "auto" });
  element = h(
    "button.quote",
    { type: "button", hidden: true, on: { click: () => this.#quote?.open() } },
    this.#name,
    this.#text,
  );

  /** @param {App.Quote | null} quote */
  update(quote) {
    this.#quote = quote;
    this.element.hidden = quote === null;
    if (quote === null) return;
    this.#name.textContent = quote.name;
    this.#text.textContent = quote.text;
    this.element.setAttribute("aria-label", t("quote.open", { name: quote.name, text: quote.text }));
    this.element.disabled = quote.isMissing;
  }
}

/** The poll, whose script is loaded with the first one. Until it is there, the question and the answers are texts. */
class PollSlot {
  /**
   * @param {number} seq
   * @param {App.Polls | null} polls
   */
  constructor(seq, polls) {
    this.#seq = seq;
    this.#polls = polls;
  }

  element = h("div.poll-slot", { hidden: true });
  #seq;
  #polls;
  /** @type {App.Poll | null} */
  #poll = null;
  /** @type {import("../polls/poll_box.js").PollBox | null} */
  #box = null;
  #isLoading = false;

  /** @param {App.Item} item */
  update({ poll = null, recalled_at: recalledAt }) {
    this.#poll = recalledAt ? null : poll;
    this.element.hidden = this.#poll === null;
    if (this.#poll === null) return;
    if (this.#box) this.#box.update(this.#poll);
    else if (!this.#isLoading) this.#load(this.#poll);
  }

  /** @param {App.Poll} poll */
  async #load({ question, options }) {
    this.#isLoading = true;
    const answers = h(
      "ul",
      {},
      options.map(({ text }) => h("li", { dir: "auto" }, text)),
    );
    fill(this.element, h("p.poll-question", { dir: "auto" }, question), answers);
    const module = await import("../polls/poll_box.js").catch(() => null);
    this.#isLoading = false;
    if (module === null || this.#box) return; // it is tried again when the item changes
    const [seq, polls] = [this.#seq, this.#polls];
    this.#box = new module.PollBox({
      vote: polls?.vote ? (chosen) => polls.vote?.(seq, chosen) : null,
      reload: async () => polls?.reload(seq),
      showVoters: polls?.showVoters ? (shown) => polls.showVoters?.(seq, shown) : null,
      isPreview: polls?.isPreview ?? false,
    });
    if (this.#poll) this.#box.update(this.#poll);
    fill(this.element, this.#box.element);
    // The list has to put the new controls into the order of the Tab key, or take them out.
    this.element.dispatchEvent(new CustomEvent("controls", { bubbles: true }));
  }
}

/** The buttons, whose script is loaded with the first ones. Until it is there, they are texts. */
class ButtonSlot {
  /**
   * @param {number} seq
   * @param {App.Buttons | null} buttons
   */
  constructor(seq, buttons) {
    this.#seq = seq;
    this.#buttons = buttons;
  }

  element = h("div.button-slot", { hidden: true });
  #seq;
  #buttons;
  /** @type {import("../self_service/button_box.js").ButtonBox | null} */
  #box = null;
  #isLoading = false;

  /** @param {App.Item} item */
  update({ buttons, recalled_at: recalledAt }) {
    const rows = recalledAt ? null : buttons;
    this.element.hidden = !rows;
    if (!rows) return;
    if (this.#box) this.#box.update(rows);
    else if (!this.#isLoading) this.#load(rows);
  }

  /** @param {App.ShownButton[][]} rows */
  async #load(rows) {
    this.#isLoading = true;
    fill(this.element, h("p.soft", { dir: "auto" }, rows.flatMap((row) => row.map(({ text }) => text)).join(" · ")));
    const module = await import("../self_service/button_box.js").catch(() => null);
    this.#isLoading = false;
    if (module === null) return; // it is tried again when the item changes
    const [seq, { press = null, ...others }] = [this.#seq, this.#buttons ?? NO_BUTTONS];
    this.#box = new module.ButtonBox({ ...others, press: press && ((index) => press(seq, index)) });
    this.#box.update(rows);
    fill(this.element, this.#box.element);
    this.element.dispatchEvent(new CustomEvent("controls", { bubbles: true }));
  }
}

/** What the item asks its readers to confirm, whose script is loaded with the first one. */
class AcknowledgeSlot {
  /**
   * @param {number} seq
   * @param {App.Acknowledge | null} acknowledge
   */
  constructor(seq, acknowledge) {
    this.#act = acknowledge && (() => acknowledge(seq));
  }

  element = h("div.acknowledge-slot", { hidden: true });
  #act;
  /** @type {App.Item["acknowledge"]} */
  #asked = null;
  /** @type {import("../acknowledgements/acknowledge_box.js").AcknowledgeBox | null} */
  #box = null;
  #isLoading = false;

  /** @param {App.Item} item */
  update({ acknowledge = null, recalled_at: recalledAt }) {
    this.#asked = recalledAt ? null : acknowledge;
    this.element.hidden = this.#asked === null;
    if (this.#asked === null) return;
    if (this.#box) this.#box.update(this.#asked);
    else if (!this.#isLoading) this.#load();
  }

  async #load() {
    this.#isLoading = true;
    const module = await import("../acknowledgements/acknowledge_box.js").catch(() => null);
    this.#isLoading = false;
    if (module === null || this.#box) return; // it is tried again when the item changes
    this.#box = new module.AcknowledgeBox(this.#act);
    if (this.#asked) this.#box.update(this.#asked);
    fill(this.element, this.#box.element);
    // The list has to put the new button into the order of the Tab key, or take it out.
    this.element.dispatchEvent(new CustomEvent("controls", { bubbles: true }));
  }
}

/** The content, or a line that says that it was deleted. */
class Body {
  element = h("div.post-body", {
    on: { click: (event) => this.#onClick(event), auxclick: (event) => this.#onClick(event) },
  });
  /** @type {string | null} */
  #json = null;
  #seq = 0;
  /**
   * The channel that counts clicks on the links of this post.
   * @type {string | null}
   */
  countsClicksOf = null;

  /**
   * @param {App.Item} item
   * @param {"post.deleted" | "message.deleted"} deletedKey
   */
  update(item, deletedKey) {
    this.#seq = item.seq;
    const json = JSON.stringify([this.countsClicksOf, ...BODY_FIELDS.map((name) => item[name] ?? null)]);
    if (json === this.#json) return;
    this.#json = json;
    if (item.recalled_at) fill(this.element, h("p.soft", {}, t(deletedKey)));
    else fill(this.element, forwardedLine(item), contentElements(item));
    // Readers are told where it happens.
    if (this.countsClicksOf !== null && this.element.querySelector("[data-counted]"))
      this.element.append(
        h("p.soft.clicks-note", {}, t(asksNotToBeTracked() ? "post.clicksNotYours" : "post.clicksCounted")),
      );
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const isOpened = event.type === "click" || event.button === 1;
    if (this.countsClicksOf === null || !isOpened || !(event.target instanceof Element)) return;
    const link = /** @type {HTMLElement | null} */ (event.target.closest("[data-counted]"));
    if (link?.dataset.counted) reportClick(this.countsClicksOf, this.#seq, link.dataset.counted);
  }
}

/**
 * For a forwarded item: where it is from. The name is null when that is private.
 * @param {App.Content} item
 */
function forwardedLine({ forwarded_from: from }) {
  if (!from) return null;
  if (from.name === null) return h("p.forwarded.soft", {}, icon("forward"), t("post.forwarded"));
  const name = from.channel_id
    ? h("a", { href: channelPath(from.channel_id, from.seq), "data-inside": true, dir: "auto" }, from.name)
    : h("strong", { dir: "auto" }, from.name);
  return h("p.forwarded.soft", {}, icon("forward"), h("span", {}, t("post.forwarded.from"), " ", name));
}

/** The line below the content: author, "edited", views, time, menu and reply; and the link to the comments, by itself. */
class Footer {
  /** @param {"post.menu" | "message.menu"} menuKey */
  constructor(menuKey) {
    this.#menu = menuButton({
      label: t(menuKey),
      style: "quiet.square.small",
      open: (button) => this.#item && this.#openMenu?.(this.#item, button),
    });
    this.element = h(
      "p.meta",
      {},
      this.#author,
      this.#automatic,
      this.#edited,
      this.#views,
      this.#time,
      this.#menu,
      this.#reply,
    );
  }

  #author = h("span.signature", { dir: "auto" });
  #automatic = h("span", {}, t("message.automatic"));
  #edited = h("span", {}, t("post.edited"));
  #viewCount = h("span");
  #views = h("span.views", { role: "img" }, icon("eye"), this.#viewCount);
  #time = h("time");
  #menu;
  #reply = h(
    "a.quiet.square.small",
    { "data-inside": true, "data-reply": true, "aria-label": t("post.reply"), title: t("post.reply") },
    icon("letter"),
  );
  #commentCount = h("span");
  comments = h(
    "a.comments-link",
    { "data-inside": true, "data-comments": true, hidden: true },
    icon("comments"),
    this.#commentCount,
  );
  /** @type {App.Item | null} */
  #item = null;
  /** @type {App.OpenItemMenu | null} */
  #openMenu = null;

  /**
   * @param {App.Item} item
   * @param {App.FooterOptions} options
   */
  update(item, { author = null, openMenu = null, replyHref = null, commentsHref = null }) {
    const isDeleted = Boolean(item.recalled_at);
    this.#item = item;
    this.#openMenu = openMenu;
    this.#author.hidden = author === null;
    this.#author.textContent = author ?? "";
    this.#automatic.hidden = !item.automatic || isDeleted;
    this.#edited.hidden = !item.edited_at || isDeleted;
    const views = item.views ?? 0;
    this.#views.hidden = !(views > 0) || isDeleted;
    if (views > 0) {
      this.#viewCount.textContent = count(views);
      this.#views.title = t("post.views", { n: views });
      this.#views.setAttribute("aria-label", this.#views.title);
    }
    this.#time.dateTime = item.created_at;
    this.#time.title = exact(item.created_at);
    this.#time.textContent = time(item.created_at);
    this.#menu.hidden = !openMenu || isDeleted;
    this.#reply.hidden = !replyHref || isDeleted;
    if (replyHref) this.#reply.href = replyHref;
    this.#showComments(item, isDeleted ? null : commentsHref);
  }
  /**
   * Without comments, only those who can write the first one get the link.
   * @param {App.Item} item
   * @param {string | null} href
   */
  #showComments({ comment_count: written, comments_frozen: isFrozen }, href) {
    const n = written ?? 0; // an event of a new post carries none
    this.comments.hidden = href === null || (n === 0 && Boolean(isFrozen));
    if (href !== null) this.comments.href = href;
    this.#commentCount.textContent = n ? t("comments.count", { n }) : t("comments.first");
  }
}
