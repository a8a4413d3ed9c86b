// One feed of all channels that the user subscribes to, at `/feed`; with `?folder=`, of those in a folder.
//
// Nothing is marked as read here: a channel stays unread until it is opened. What was on the screen counts as viewed, as in
// the channel. Posts far from the screen give up their content and keep their height, so a long feed stays light. The way
// back from a channel leads to the same place of the feed.

import { conversations } from "../client/conversations.js";
import { restriction } from "../client/restriction.js";
import { reportSeen } from "../client/seen_posts.js";
import { session } from "../client/session.js";
import { acceptsMessages } from "../conversation/channel_view.js";
import { forwardEntry } from "../conversation/forward_entry.js";
import { postElement } from "../conversation/items.js";
import { reportEntry } from "../reports/report_entry.js";
import { channelPath, commentsPath, dialoguePath, feedPath, go } from "../router.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { fill, h, reconcile } from "../ui/dom.js";
import { exact, shortTime } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { attempt, menu } from "../ui/overlay.js";
import { FeedPosts, keyOf } from "./feed_posts.js";

/** @typedef {import("./feed_posts.js").FeedItem} FeedItem */
/** @typedef {{ element: HTMLElement; item: FeedItem | null; post: HTMLElement | null; height: number }} Shown */

const LOAD_WITHIN = "1200px"; // from the end of the list
const KEEP_WITHIN = "2500px"; // from the screen: posts beyond it give up their content
const SEEN_AFTER = 700; // milliseconds on the screen
const SEEN_SHARE = 0.5;
const KEEP_PLACE_FOR = 1_800_000; // milliseconds

/** The feed that was left last. @type {{ folder: string | null; posts: FeedPosts; scrollTop: number; heights: Map<string, number>; at: number } | null} */
let left = null;
session.addEventListener("signedout", () => {
  left = null;
});

const folderInAddress = () => new URLSearchParams(location.search).get("folder") || null;

export class FeedView {
  constructor() {
    this.#filter = h("select", { "aria-label": t("feed.filter"), on: { change: () => this.#onFilter() } });
    this.#newButton = h(
      "button.primary.feed-new",
      { type: "button", hidden: true, on: { click: () => this.#showNew() } },
      icon("back"),
      this.#newText,
    );
    this.element = h(
      "section.page.feed",
      { on: { scroll: () => this.#onScroll() } },
      h(
        "div.page-inner",
        {},
        h(
          "header.page-head",
          {},
          h(
            "a.quiet.square.narrow-only",
            { href: "/", "data-inside": true, "aria-label": t("app.back") },
            icon("back"),
          ),
          h("h1", { tabindex: "-1" }, t("feed.title")),
          this.#filter,
        ),
        h("div.feed-top", {}, this.#newButton, this.#announced),
        this.#list,
        this.#status,
        this.#end,
      ),
    );
    const root = this.element;
    this.#near = new IntersectionObserver((entries) => this.#onNear(entries), { root, rootMargin: KEEP_WITHIN });
    this.#visible = new IntersectionObserver((entries) => this.#onVisible(entries), {
      root,
      threshold: [0, SEEN_SHARE, 1],
    });
    this.#atEnd = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#loadMore(), {
      root,
      rootMargin: LOAD_WITHIN,
    });
    document.addEventListener("visibilitychange", this.#onVisibility);
    conversations.addEventListener("change", this.#onConversations);
    this.#open();
  }

  /** @type {FeedPosts} */
  #posts = /** @type {never} */ (null);
  /** @type {string | null} */
  #folder = null;
  #filter;
  #newButton;
  #newText = h("span");
  #announced = h("p.unseen", { role: "status" });
  #list = h("ol.feed-list", { "aria-label": t("feed.list") });
  #status = h("div.empty", { role: "status" });
  #end = h("p.start.soft");
  #near;
  #visible;
  #atEnd;
  /** @type {Map<string, Shown>} */
  #shown = new Map(); // by key
  /** @type {Map<string, number>} */
  #onScreen = new Map(); // by key: since when, until it is reported as seen
  #seenTimer = 0;
  #scrollTop = 0;
  #isClosed = false;

  close() {
    this.#isClosed = true;
    this.#leave();
    clearTimeout(this.#seenTimer);
    for (const observer of [this.#near, this.#visible, this.#atEnd]) observer.disconnect();
    document.removeEventListener("visibilitychange", this.#onVisibility);
    conversations.removeEventListener("change", this.#onConversations);
  }

  /** The folder has changed. */
  onAddress() {
    if (folderInAddress() === this.#folder) return;
    this.#leave();
    this.#shown.clear();
    this.#onScreen.clear();
    fill(this.#list);
    this.#open();
  }

  /** Keeps what is loaded, for the way back. */
  #leave() {
    const heights = new Map([...this.#shown].map(([key, shown]) => [key, shown.height]));
    this.#posts.removeEventListener("change", this.#onChange);
    this.#posts.close();
    left = this.#posts.isLoaded
      ? { folder: this.#folder, posts: this.#posts, scrollTop: this.#scrollTop, heights, at: Date.now() }
      : null;
  }

  #open() {
    this.#folder = folderInAddress();
    this.#showFilter();
    const known = left;
    left = null;
    const isBack = known !== null && known.folder === this.#folder && Date.now() - known.at < KEEP_PLACE_FOR;
    this.#posts = isBack ? known.posts : new FeedPosts(this.#folder);
    this.#posts.addEventListener("change", this.#onChange);
    if (!isBack) {
      this.#load();
      return;
    }
    this.#posts.reopen();
    this.#render(known.heights);
    // Once it is on the page.
    requestAnimationFrame(() => {
      this.element.scrollTop = known.scrollTop;
    });
  }

  async #load() {
    const posts = this.#posts;
    fill(this.#status, t("app.loading"));
    if (await attempt(() => posts.load())) return;
    if (posts !== this.#posts || this.#isClosed) return;
    const retry = h("button.plain", { type: "button", on: { click: () => this.#load() } }, t("app.retry"));
    fill(this.#status, h("p", {}, t("app.failed")), retry);
  }

  #onChange = () => {
    if (!this.#isClosed) this.#render();
  };

  #onConversations = () => this.#showFilter();

  #showFilter() {
    const names = [...conversations.folders];
    if (this.#folder !== null && !names.includes(this.#folder)) names.push(this.#folder);
    this.#filter.hidden = !names.length;
    const now = JSON.stringify(names);
    if (this.#filter.dataset.names !== now) {
      this.#filter.dataset.names = now;
      fill(
        this.#filter,
        h("option", { value: "" }, t("feed.filter.all")),
        names.map((name) => h("option", { value: name }, name)),
      );
    }
    this.#filter.value = this.#folder ?? "";
  }

  #onFilter() {
    go(feedPath(this.#filter.value || undefined), { replace: true });
  }

  async #showNew() {
    const posts = this.#posts;
    if (!(await attempt(() => posts.showNew())) || this.#isClosed) return;
    this.element.scrollTop = 0;
    const first = this.#list.firstElementChild;
    if (!(first instanceof HTMLElement)) return;
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
  }

  #loadMore() {
    const posts = this.#posts;
    if (posts.hasMore) attempt(() => posts.loadMore());
  }

  #onScroll() {
    this.#scrollTop = this.element.scrollTop;
  }

  // --- rendering

  /** @param {Map<string, number>} [heights] of posts that were shown before */
  #render(heights = new Map()) {
    const posts = this.#posts;
    const keys = new Set(posts.items.map(keyOf));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      this.#near.unobserve(element);
      this.#visible.unobserve(element);
      this.#shown.delete(key);
      this.#onScreen.delete(key);
    }
    reconcile(
      this.#list,
      posts.items.map((item) => this.#element(item, heights)),
    );
    const n = posts.newCount;
    this.#newButton.hidden = n === 0;
    this.#newText.textContent = n ? t("feed.new", { n }) : "";
    this.#announced.textContent = this.#newText.textContent;
    const isEmpty = posts.isLoaded && !posts.items.length && !posts.hasMore;
    if (posts.isLoaded)
      fill(this.#status, isEmpty ? t(this.#folder === null ? "feed.empty" : "feed.empty.folder") : null);
    this.#end.textContent = posts.hasMore || !posts.isLoaded || isEmpty ? "" : t("feed.end");
    // Looked at anew: the end may still be near.
    this.#atEnd.disconnect();
    if (posts.hasMore) this.#atEnd.observe(this.#end);
  }

  /**
   * @param {FeedItem} item
   * @param {Map<string, number>} heights
   */
  #element(item, heights) {
    const key = keyOf(item);
    let shown = this.#shown.get(key);
    if (!shown) {
      const element = h("li.feed-item", { data: { key, seq: String(item.post.seq) } });
      shown = { element, item: null, post: null, height: heights.get(key) ?? 0 };
      this.#shown.set(key, shown);
      if (shown.height) this.#empty(shown);
      else this.#fillItem(shown, item);
      this.#near.observe(element);
      this.#visible.observe(element);
    } else if (shown.post && shown.item !== item) {
      this.#fillItem(shown, item);
    }
    shown.item = item;
    return shown.element;
  }

  /**
   * Takes the content out of a post that is far from the screen. It keeps its height.
   * @param {Shown} shown
   */
  #empty(shown) {
    shown.post = null;
    shown.element.style.setProperty("block-size", `${shown.height}px`);
    fill(shown.element);
  }

  /**
   * @param {Shown} shown
   * @param {FeedItem} item
   */
  #fillItem(shown, item) {
    const { channel, post } = item;
    const isFresh = shown.post === null;
    const full = conversations.knownChannel(channel.channel_id)?.channel;
    // Where they are unknown, the server refuses what is not allowed.
    const settings = full?.settings ?? { reactions: "all", protect_content: false, count_clicks: false };
    const mayReact = !session.isBusiness && restriction.current === null;
    shown.post = postElement(
      post,
      {
        channel: { settings },
        react: mayReact ? (_, emoji, isOn) => attempt(() => this.#react(shown, emoji, isOn)) : null,
        polls: {
          vote: mayReact ? async (_, chosen) => shown.item && this.#posts.vote(shown.item, chosen) : null,
          reload: async () => shown.item && this.#posts.reload(shown.item),
        },
        buttons: {
          channelId: channel.channel_id,
          channelName: channel.name,
          press: mayReact ? async (_, index) => shown.item && this.#posts.press(shown.item, index) : null,
        },
        acknowledge:
          mayReact && post.author_id !== session.userId
            ? async () => shown.item && this.#posts.acknowledge(shown.item)
            : null,
        commentsHref: typeof post.comment_count === "number" ? commentsPath(channel.channel_id, post.seq) : null,
        replyHref:
          !session.isBusiness && full && acceptsMessages(full) ? dialoguePath(channel.channel_id, post.seq) : null,
        openMenu: (current, anchor) => menu(anchor, this.#entries(item, current, settings)),
        countsClicksOf: settings.count_clicks ? channel.channel_id : null,
      },
      shown.post,
    );
    if (!isFresh) return;
    shown.element.style.removeProperty("block-size");
    const article = /** @type {HTMLElement} */ (shown.post.firstElementChild);
    article.prepend(this.#head(item));
    fill(shown.element, article);
  }

  /** @param {FeedItem} item */
  #head({ channel, post }) {
    return h(
      "header.feed-head",
      {},
      h(
        "a.feed-channel",
        {
          href: channelPath(channel.channel_id, post.seq),
          "data-inside": true,
          title: t("feed.open", { name: channel.name }),
        },
        avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url, size: "small" }),
        h("strong.feed-name", { dir: "auto" }, channel.name),
        verifiedMark(channel),
      ),
      h("time.soft", { datetime: post.created_at, title: exact(post.created_at) }, shortTime(post.created_at)),
    );
  }

  /**
   * @param {FeedItem} item
   * @param {App.Item} post
   * @param {Pick<Api.SettingsResponse, "protect_content">} settings
   * @returns {App.MenuEntries}
   */
  #entries({ channel }, post, settings) {
    /** @type {App.MenuEntry[]} */
    const entries = [
      {
        label: t("feed.open", { name: channel.name }),
        icon: "reader",
        act: () => go(channelPath(channel.channel_id, post.seq)),
      },
    ];
    if (!settings.protect_content) entries.push(forwardEntry({ channel_id: channel.channel_id, seq: post.seq }));
    entries.push(reportEntry({ type: "post", channel_id: channel.channel_id, seq: post.seq }));
    return entries;
  }

  /**
   * @param {Shown} shown
   * @param {string} emoji
   * @param {boolean} isOn
   */
  async #react(shown, emoji, isOn) {
    if (shown.item) await this.#posts.react(shown.item, emoji, isOn);
  }

  // --- what is on the screen

  /** @param {IntersectionObserverEntry[]} entries */
  #onNear(entries) {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const shown = this.#shown.get(/** @type {HTMLElement} */ (target).dataset.key ?? "");
      if (!shown?.item || !target.isConnected) continue;
      if (isIntersecting && !shown.post) this.#fillItem(shown, shown.item);
      else if (!isIntersecting && shown.post && !target.contains(document.activeElement)) {
        shown.height = boundingClientRect.height;
        this.#empty(shown);
      }
    }
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onVisible(entries) {
    for (const { target, intersectionRatio, intersectionRect, isIntersecting, boundingClientRect } of entries) {
      const key = /** @type {HTMLElement} */ (target).dataset.key ?? "";
      const shown = this.#shown.get(key);
      if (!shown) continue;
      if (shown.post) shown.height = boundingClientRect.height;
      const fillsScreen = intersectionRect.height > this.element.clientHeight / 2;
      if (isIntersecting && (intersectionRatio >= SEEN_SHARE || fillsScreen)) {
        if (!this.#onScreen.has(key)) this.#onScreen.set(key, performance.now());
      } else {
        this.#onScreen.delete(key);
      }
    }
    this.#reportSeenSoon();
  }

  #onVisibility = () => {
    // The time for which the window was hidden does not count.
    for (const key of this.#onScreen.keys()) this.#onScreen.set(key, performance.now());
    this.#reportSeenSoon();
  };

  #reportSeenSoon() {
    if (this.#seenTimer || !this.#onScreen.size || document.visibilityState !== "visible") return;
    this.#seenTimer = setTimeout(() => {
      this.#seenTimer = 0;
      if (document.visibilityState !== "visible") return;
      this.#reportSeen();
      this.#reportSeenSoon();
    }, SEEN_AFTER);
  }

  #reportSeen() {
    const posts = this.#posts;
    const until = performance.now() - SEEN_AFTER;
    /** @type {Map<string, number[]>} */
    const seen = new Map(); // by channel id
    for (const [key, since] of this.#onScreen) {
      const item = this.#shown.get(key)?.item;
      if (since > until || !item) continue;
      this.#onScreen.delete(key);
      const { channel_id: channelId } = item.channel;
      seen.set(channelId, [...(seen.get(channelId) ?? []), item.post.seq]);
    }
    posts.watch(seen.keys());
    for (const [channelId, seqs] of seen)
      reportSeen(channelId, seqs).then((counts) => posts.setViewCounts(channelId, counts));
  }
}
