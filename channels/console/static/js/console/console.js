// The console's views by their address: the channels one runs, a new one, and one channel with its parts.

import "../texts/console/all.js";
import { get, part } from "../api.js";
import { avatar, verifiedMark } from "../avatar.js";
import { fill, h, settled, takeFocus } from "../dom.js";
import { ago } from "../format.js";
import { icon } from "../icons.js";
import { attempt } from "../overlay.js";
import { ownChannels } from "../own.js";
import { learn } from "../reader/people.js";
import { channelPath, consolePath, publicPath } from "../router.js";
import { session } from "../session.js";
import { link } from "../socket.js";
import { t } from "../texts.js";
import { Admins } from "./admins.js";
import { Inbox } from "./inbox.js";
import { Insights } from "./insights.js";
import { OwnInvitations } from "./invitations.js";
import { Log } from "./log.js";
import { Posts } from "./posts.js";
import { Profile } from "./profile.js";
import { may } from "../rights.js";
import { Settings } from "./settings.js";
import { Subscribers } from "./subscribers.js";
import { Threads } from "./threads.js";
import { InboxBadge } from "./unread.js";

const STYLE = "css/console.css";
const PAGE = 50;

/** The parts of a channel: one more is one line here, its module, and a text `console.tab.<name>`; `grant`: who sees it. */
const PARTS = {
  posts: { view: Posts },
  inbox: { view: Inbox, grant: "read_inbox" },
  subscribers: { view: Subscribers },
  admins: { view: Admins },
  insights: { view: Insights, grant: "see_insights" },
  profile: { view: Profile, grant: "change_info" },
  settings: { view: Settings },
  log: { view: Log },
};

/** The view that `name` and its parts say. */
export async function consoleView(name, parts) {
  await loadStyle();
  if (name === "console.new") return new Page(new Profile({ channel: null }).element, { title: t("profile.new") });
  if (name === "console.channel") return new ChannelConsole(parts[0], parts[1] in PARTS ? parts[1] : "posts");
  return new Home();
}

/** The console's own sheet, which readers never load. */
function loadStyle() {
  const href = new URL(`../../${STYLE}`, import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((resolve) => {
    document.head.append(h("link", { rel: "stylesheet", href, on: { load: resolve, error: resolve } }));
  });
}

class Page {
  constructor(content, { title }) {
    this.element = h("section.page", {}, h("div.page-inner", {},
      h("header.page-head", {}, h("a.quiet.square", { href: "/console", "data-inside": true, "aria-label": t("app.back") }, icon("back")), h("h1", { tabindex: "-1" }, title)),
      content,
    ));
  }

  close() {}
}

class Home {
  constructor() {
    const title = session.isAdmin ? "console.all" : "console.title";
    this.#list = h("ul.own-channels");
    this.#told = h("div.empty", { role: "status" }, t("app.loading"));
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => this.#load(true) } }, t("app.more"));
    this.#asks = new OwnInvitations({ onAccept: () => this.#load() });
    this.element = h("section.page", {}, h("div.page-inner", {},
      h("header.page-head", {},
        h("h1", { tabindex: "-1" }, t(title)),
        h("a.button.primary", { href: "/console/new", "data-inside": true }, icon("plus"), t("console.new")),
      ),
      this.#asks.element,
      session.isAdmin ? this.#search() : null,
      this.#list,
      this.#told,
      this.#more,
    ));
    this.#load();
  }

  #list;
  #told;
  #more;
  #asks;
  #cursor = null;
  #q = "";
  #sort = "popular";
  #asked = 0;
  #badges = [];

  close() {
    this.#asks.close();
    this.#forgetBadges();
  }

  #forgetBadges() {
    for (const badge of this.#badges.splice(0)) badge.close();
  }

  /** For the application's admin: every channel there is, private ones too. */
  #search() {
    const words = h("input", { type: "search", placeholder: t("console.search"), "aria-label": t("console.search"), maxlength: "100", autocomplete: "off" });
    words.addEventListener("input", settled(200, () => {
      this.#q = words.value.trim();
      this.#load();
    }));
    const sort = h("select", { "aria-label": t("find.sort"), on: { change: () => {
      this.#sort = sort.value;
      this.#load();
    } } }, ["popular", "new", "active"].map((key) => h("option", { value: key }, t(`find.${key}`))));
    return [h("p.soft", {}, t("console.all.lead")), h("div.finder", {}, h("div.search", {}, icon("search"), words), sort)];
  }

  async #load(isMore = false) {
    const asked = (this.#asked += 1);
    const done = await attempt(async () => {
      const query = { all: true, q: this.#q, sort: this.#sort, limit: PAGE, cursor: isMore ? this.#cursor : null };
      const page = session.isAdmin ? await get("/v1/channels", query) : { items: await ownChannels(), next_cursor: null };
      if (asked !== this.#asked) return;
      this.#cursor = page.next_cursor;
      this.#more.hidden = this.#cursor === null;
      if (!isMore) this.#forgetBadges();
      const rows = page.items.map((channel) => {
        const badge = may(channel, "read_inbox") ? new InboxBadge(channel.channel_id, { isTold: isRun(channel), isAlone: true }) : null;
        if (badge) this.#badges.push(badge);
        return ownChannel(channel, badge?.element);
      });
      if (isMore) this.#list.append(...rows);
      else fill(this.#list, rows);
      fill(this.#told, this.#list.childElementCount ? null : this.#q ? h("p", {}, t("find.none", { q: this.#q })) : [h("p", {}, t("console.none")), h("p", {}, t("console.none.lead"))]);
    });
    if (!done) fill(this.#told, h("p", {}, t("app.failed")), h("button.plain", { type: "button", on: { click: () => this.#load() } }, t("app.retry")));
  }
}

/** Whether I am one of those who run it, not only the application's admin. */
const isRun = ({ role }) => role === "owner" || role === "admin";

function ownChannel(channel, badge) {
  const last = channel.last_post ? t("console.last", { when: ago(channel.last_post.at) }) : t("console.never");
  return h("li", {}, h("a.own-channel", { href: consolePath(channel.channel_id), "data-inside": true },
    avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url, size: "large" }),
    h("span.card-text", {},
      h("strong.card-title", { dir: "auto" }, channel.name, " ", verifiedMark(channel)),
      h("span.soft", {}, `${t("channel.subscribers", { n: channel.subscriber_count })} · ${last}`),
    ),
    badge,
    channel.settings.visibility === "private" ? h("span.role.is-private", {}, t("console.private")) : null,
    isRun(channel) ? h("span.role", {}, t(`console.role.${channel.role}`)) : null,
  ));
}

/** One channel: its head, its tabs, and the part that is open. */
class ChannelConsole {
  constructor(id, name) {
    this.#id = id;
    this.#name = name;
    this.#inner = h("div.page-inner.broad", {}, h("p.empty", { role: "status" }, t("app.loading")));
    this.element = h("section.page", {}, this.#inner);
    link.addEventListener("event", this.#onEvent);
    this.#load();
  }

  #id;
  #name;
  #inner;
  #head = h("header.page-head");
  #unread = null;
  #threads = null;
  #part = null;
  #isClosed = false;

  close() {
    this.#isClosed = true;
    link.removeEventListener("event", this.#onEvent);
    this.#part?.close?.();
    this.#threads?.close();
    this.#unread?.close();
  }

  async #load() {
    let channel;
    try {
      channel = await get(`/v1/channels/${part(this.#id)}`);
    } catch (problem) {
      if (problem.code === undefined) throw problem;
      return this.#showRefusal(problem);
    }
    if (this.#isClosed) return;
    if (!isRun(channel) && !session.isAdmin) return this.#showRefusal({ status: 404 });
    await this.#learnStaff();
    if (this.#isClosed) return;
    const open = ([, { grant }]) => grant === undefined || may(channel, grant);
    const parts = Object.entries(PARTS).filter(open).map(([name]) => name);
    if (!parts.includes(this.#name)) return this.#showRefusal({ status: 403 });
    const isTold = isRun(channel);
    if (parts.includes("inbox")) {
      this.#threads = new Threads(this.#id, { isTold });
      this.#unread = new InboxBadge(this.#id, { isTold });
    }
    this.#part = new PARTS[this.#name].view({ channel, threads: this.#threads, onChange: (changed) => this.#showHead(changed) });
    this.#showHead(channel);
    const tabs = parts.map((name) => {
      const anchor = h("a", { href: consolePath(this.#id, name === "posts" ? null : name), "data-inside": true }, t(`console.tab.${name}`), name === "inbox" ? this.#unread.element : null);
      if (name === this.#name) anchor.setAttribute("aria-current", "page");
      return h("li", {}, anchor);
    });
    fill(this.#inner, this.#head, h("nav.part-tabs", { "aria-label": t("console.tabs") }, h("ul", {}, tabs)), this.#part.element);
    // On a phone the tabs are wider than the window, and the badge makes them wider still.
    const current = this.#inner.querySelector(".part-tabs [aria-current]");
    const reveal = () => current.scrollIntoView({ block: "nearest", inline: "center" });
    reveal();
    this.#unread?.shown.then(reveal);
    takeFocus(this.element);
  }

  /** Their names stand beside posts, answers and in the log: one call, instead of one for each. */
  async #learnStaff() {
    const page = await get(`/v1/channels/${part(this.#id)}/admins`, { limit: 100 }).catch((problem) => {
      if (problem.code === undefined) throw problem;
      return { items: [] }; // ids in their place
    });
    learn(page.items);
  }

  #showHead(channel) {
    fill(this.#head,
      h("a.quiet.square", { href: "/console", "data-inside": true, "aria-label": t("app.back") }, icon("back")),
      avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url }),
      h("div.head-text", {},
        h("h1", { tabindex: "-1", dir: "auto" }, channel.name, " ", verifiedMark(channel)),
        h("p.soft", {}, t("channel.subscribers", { n: channel.subscriber_count }),
          publicPath(channel) ? [" · ", h("a", { href: publicPath(channel), target: "_blank", rel: "noopener" }, t("channel.public"))] : null),
      ),
      h("a.button.plain.see", { href: channelPath(channel.channel_id), "data-inside": true }, icon("reader"), h("span", {}, t("console.read"))),
    );
  }

  #showRefusal(problem) {
    const isGone = problem.status === 404 || problem.status === 403;
    fill(this.#inner, h("div.empty", {}, h("p", { role: "alert" }, isGone ? t("channel.gone") : problem.shown), h("a.button.plain", { href: "/console", "data-inside": true }, t("app.back"))));
  }

  #onEvent = ({ detail: event }) => {
    if (event.channel_id !== this.#id) return;
    if (event.type === "channel.deleted") this.#showRefusal({ status: 404 });
    if (event.type === "channel.updated") get(`/v1/channels/${part(this.#id)}`).then((channel) => this.#showHead(channel), () => {});
  };
}
