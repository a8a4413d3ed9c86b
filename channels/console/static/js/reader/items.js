// One post of a channel, one message of a chat, as elements.
//
// What an element shows anew is only what has changed: a video goes on playing while others react, and a button keeps its
// focus while a count beside it grows.

import { avatar } from "../avatar.js";
import { contentOf } from "../content.js";
import { fill, h } from "../dom.js";
import { count, exact, time } from "../format.js";
import { icon } from "../icons.js";
import { ReactionBar } from "../reactions.js";
import { channelPath } from "../router.js";
import { t } from "../texts.js";

const CONTENT = ["recalled_at", "kind", "title", "text", "links", "images", "video", "file", "location", "custom", "forwarded_from"];
const parts = new WeakMap(); // by element: what is drawn anew inside it

/**
 * The article of a post. `channel` gives the policy; `react` is null for who may not; `more(item, anchor)` opens a menu;
 * `reply` is where one writes to the channel about it.
 */
export function postElement(item, { channel, react, more = null, by = null, reply = null }, old = null) {
  const element = old ?? h("li.post-place", {}, newPost(channel, react && ((emoji, isOn) => react(item.seq, emoji, isOn))));
  const { article, body, meta, bar } = parts.get(element.firstElementChild);
  article.classList.toggle("recalled", Boolean(item.recalled_at));
  body.show(item, "post.recalled");
  meta.show(item, { by: by ?? (item.signature ? t("post.by", { name: item.signature }) : null), more, reply });
  bar.update(item);
  return element;
}

function newPost(channel, react) {
  const [body, meta] = [new Body(), new Meta()];
  const bar = new ReactionBar({ policy: channel.settings.reactions, react });
  const article = h("article.post", {}, body.element, h("footer.post-foot", {}, bar.element, meta.element));
  parts.set(article, { article, body, meta, bar });
  return article;
}

/**
 * A message of a chat, `isFirst` of several in a row by the same person. `sender` is {name, faceUrl, href}, null where
 * nobody needs to be named; `policy` is that of reactions.
 */
export function messageElement(item, { policy, react, sender, isOwn, isFirst, more = null }, old = null) {
  const element = old ?? newMessage(policy, react && ((emoji, isOn) => react(item.seq, emoji, isOn)), isOwn);
  const place = parts.get(element);
  const { bubble, face, head, body, meta, bar } = place;
  element.classList.toggle("first", isFirst);
  head.hidden = !sender || !isFirst;
  const told = JSON.stringify(sender);
  if (sender && place.sender !== told) {
    place.sender = told;
    fill(head, sender.href ? h("a", { href: sender.href, "data-inside": true, title: t("dialogue.with", { name: sender.name }) }, sender.name) : sender.name);
    fill(face, avatar({ id: item.sender_id, name: sender.name, url: sender.faceUrl, shape: "round", size: "small" }));
  }
  bubble.classList.toggle("recalled", Boolean(item.recalled_at));
  body.show(item, "message.recalled");
  meta.show(item, { more });
  bar.update(item);
  return element;
}

function newMessage(policy, react, isOwn) {
  const head = h("p.sender", { dir: "auto" });
  const [body, meta] = [new Body(), new Meta()];
  const bar = new ReactionBar({ policy: policy ?? "none", react });
  const bubble = h("article.bubble", {}, head, body.element, meta.element);
  const face = h("span.face", { hidden: isOwn });
  const element = h("li.message", {}, face, h("div.message-stack", {}, bubble, bar.element));
  element.classList.toggle("own", isOwn);
  parts.set(element, { bubble, face, head, body, meta, bar, sender: null });
  return element;
}

/** What is said. */
class Body {
  element = h("div.post-body");
  #shown = null;

  show(item, recalled) {
    const shown = JSON.stringify(CONTENT.map((name) => item[name] ?? null));
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (item.recalled_at) fill(this.element, h("p.soft", {}, t(recalled)));
    else fill(this.element, forwardedLine(item), contentOf(item));
  }
}

/** Where it was first written, if it is a copy; what is private is not named. */
export function forwardedLine({ forwarded_from: from }) {
  if (!from) return null;
  if (from.name === null) return h("p.forwarded.soft", {}, icon("forward"), t("post.forwarded"));
  const name = from.channel_id
    ? h("a", { href: channelPath(from.channel_id, from.seq), "data-inside": true, dir: "auto" }, from.name)
    : h("strong", { dir: "auto" }, from.name);
  return h("p.forwarded.soft", {}, icon("forward"), h("span", {}, t("post.forwarded.from"), " ", name));
}

/** Who, how many have seen it, when, and what can be done with it. */
class Meta {
  #by = h("span.signature", { dir: "auto" });
  #seen = h("span");
  #views = h("span.views", { role: "img" }, icon("eye"), this.#seen);
  #edited = h("span", {}, t("post.edited"));
  #time = h("time");
  #more = h("button.quiet.square.small", {
    type: "button", "aria-label": t("post.menu"), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#open(this.#item, this.#more) },
  }, icon("more"));
  #reply = h("a.quiet.square.small", { "data-inside": true, "aria-label": t("post.reply"), title: t("post.reply") }, icon("letter"));
  #item = null;
  #open = null;
  element = h("p.meta", {}, this.#by, this.#edited, this.#views, this.#time, this.#more, this.#reply);

  show(item, { by = null, more = null, reply = null }) {
    const isThere = !item.recalled_at;
    this.#item = item;
    this.#open = more;
    this.#by.hidden = by === null;
    this.#by.textContent = by ?? "";
    this.#edited.hidden = !(item.edited_at && isThere);
    this.#views.hidden = !(item.views > 0 && isThere);
    if (item.views > 0) {
      this.#seen.textContent = count(item.views);
      this.#views.title = t("post.views", { n: item.views });
      this.#views.setAttribute("aria-label", this.#views.title);
    }
    this.#time.dateTime = item.created_at;
    this.#time.title = exact(item.created_at);
    this.#time.textContent = time(item.created_at);
    this.#more.hidden = !(more && isThere);
    this.#reply.hidden = !(reply && isThere);
    if (reply) this.#reply.href = reply;
  }
}
