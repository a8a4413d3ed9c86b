// The console: the user's channels, a form for a new one, and one channel with its tabs.

import "../texts/console/all.js";
import { asProblem, client, get, part } from "../client/api.js";
import { isStaff, may } from "../client/grants.js";
import { myChannels } from "../client/my_channels.js";
import { rememberPeople } from "../client/people.js";
import { session } from "../client/session.js";
import { ChannelFinder } from "../reader/directory.js";
import { suspensionNotice } from "../reports/sanctions.js";
import { channelPath, consolePath, moderationPath, publicPath } from "../router.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { fill, focusHeading, h, uniqueId } from "../ui/dom.js";
import { ago } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { Invitations } from "../ui/invitations.js";
import { setPageName } from "../ui/page_title.js";
import { PagedList } from "../ui/paged_list.js";
import { retryButton } from "../ui/retry.js";
import { RovingFocus } from "../ui/roving_focus.js";
import { loadStyle } from "../ui/style_sheet.js";
import { Broadcasts } from "./broadcasts/broadcasts.js";
import { Profile } from "./channel/profile.js";
import { Settings } from "./channel/settings.js";
import { ChannelInbox } from "./inbox/channel_inbox.js";
import { InboxView } from "./inbox/inbox_view.js";
import { UnreadBadge } from "./inbox/unread_badge.js";
import { Insights } from "./insights/insights.js";
import { InvitesTab } from "./invites/invites_tab.js";
import { RequestBadge } from "./invites/request_badge.js";
import { moderationView } from "./moderation/moderation.js";
import { ReportedComments } from "./moderation/reported_comments.js";
import { AdminLog } from "./people/admin_log.js";
import { Admins } from "./people/admins.js";
import { Subscribers } from "./people/subscribers.js";
import { Posts } from "./posts/posts.js";
import { SelfService } from "./self_service/self_service_tab.js";
import { Webhooks } from "./webhooks/webhooks.js";

const PAGE = 50;

/**
 * The tabs of a channel and the grants that each needs. To add a tab, add a line here, its name in a group below, a module for
 * its view, and a text `console.tab.<name>`.
 * @type {{ [Name in App.Tab]: { View: new (options: any) => App.TabView; grant?: Api.Grant | Api.Grant[] } }}
 */
const TABS = {
  posts: { View: Posts },
  inbox: { View: InboxView, grant: "read_inbox" },
  broadcasts: { View: Broadcasts, grant: ["post", "read_inbox"] },
  reports: { View: ReportedComments, grant: "delete_posts" },
  insights: { View: Insights, grant: "see_insights" },
  subscribers: { View: Subscribers },
  invites: { View: InvitesTab, grant: "manage_subscribers" },
  admins: { View: Admins },
  profile: { View: Profile, grant: "change_info" },
  settings: { View: Settings },
  service: { View: SelfService, grant: "change_settings" },
  webhooks: { View: Webhooks, grant: "manage_webhooks" },
  log: { View: AdminLog },
};

const TAB_NAMES = /** @type {App.Tab[]} */ (Object.keys(TABS));

/** The same tabs in the groups in which they are shown. */
const GROUPS = /** @type {const} */ ({
  content: ["posts", "inbox", "broadcasts", "reports", "insights"],
  people: ["subscribers", "invites", "admins"],
  setup: ["profile", "settings", "service", "webhooks", "log"],
});
const GROUP_NAMES = /** @type {(keyof typeof GROUPS)[]} */ (Object.keys(GROUPS));

/**
 * The view of a route whose name starts with "console".
 * @param {App.RouteName} name
 * @param {string | null} id
 * @param {string | null} tab
 * @returns {Promise<App.View>}
 */
export async function consoleView(name, id, tab) {
  await loadStyle("css/console.css");
  if (name === "console.new") return newChannelView();
  if (name === "console.webhooks") return appWebhooksView();
  if (name === "console.moderation") return moderationView(id, tab);
  if (name === "console.channel")
    return new ChannelConsole(id ?? "", TAB_NAMES.find((known) => known === tab) ?? "posts");
  return new ChannelList();
}

const backToConsole = () =>
  h("a.quiet.square", { href: "/console", "data-inside": true, "aria-label": t("app.back") }, icon("back"));

function newChannelView() {
  const element = h(
    "section.page",
    {},
    h(
      "div.page-inner",
      {},
      h("header.page-head", {}, backToConsole(), h("h1", { tabindex: "-1" }, t("profile.new"))),
      new Profile({ channel: null }).element,
    ),
  );
  return { element, close() {} };
}

/** The webhooks of the application. The server lets only the application's admin see them. */
function appWebhooksView() {
  const webhooks = session.isAdmin ? new Webhooks({ channel: null }) : null;
  const element = h(
    "section.page",
    {},
    h(
      "div.page-inner.broad",
      {},
      h(
        "header.page-head",
        {},
        backToConsole(),
        h("div.head-text", {}, h("h1", { tabindex: "-1" }, t("webhooks.app")), h("p.soft", {}, t("webhooks.app.lead"))),
      ),
      webhooks?.element ?? h("p.empty", { role: "alert" }, t("webhooks.app.refused")),
    ),
  );
  return { element, close: () => webhooks?.close() };
}

/** The channels that the user manages. The application's admin sees every channel, private ones too. */
class ChannelList {
  constructor() {
    this.element = h(
      "section.page",
      {},
      h(
        "div.page-inner",
        {},
        h(
          "header.page-head",
          {},
          h("h1", { tabindex: "-1" }, t(session.isAdmin ? "console.all" : "console.title")),
          h("a.button.primary", { href: "/console/new", "data-inside": true }, icon("plus"), t("console.new")),
        ),
        this.#invitations.element,
        session.isAdmin
          ? [
              h(
                "p.soft",
                {},
                t("console.all.lead"),
                " ",
                h("a", { href: "/console/webhooks", "data-inside": true }, t("webhooks.app")),
                " · ",
                h("a", { href: moderationPath(), "data-inside": true }, t("moderation.title")),
              ),
              this.#finder.element,
            ]
          : null,
        this.#channels.elements,
      ),
    );
    this.#channels.reload();
  }

  /** @type {UnreadBadge[]} */
  #badges = [];
  #finder = new ChannelFinder({ label: t("console.search"), onChange: () => this.#channels.reload() });
  #channels = new PagedList({
    list: h("ul.my-channels"),
    fetchPage: (cursor) => this.#fetchPage(cursor),
    renderRow: (channel) => this.#row(channel),
    emptyText: () =>
      this.#finder.query.q
        ? t("directory.noMatch", this.#finder.query)
        : [h("p", {}, t("console.empty")), h("p", {}, t("console.empty.lead"))],
  });
  #invitations = new Invitations({ onAccept: () => this.#channels.reload() });

  close() {
    this.#invitations.close();
    this.#closeBadges();
  }

  #closeBadges() {
    for (const badge of this.#badges.splice(0)) badge.close();
  }

  /** @param {string | null} cursor */
  async #fetchPage(cursor) {
    const page = session.isAdmin
      ? await get("/v1/channels", { all: true, ...this.#finder.query, limit: PAGE, cursor })
      : { items: await myChannels(), next_cursor: null };
    if (cursor === null) this.#closeBadges();
    return page;
  }

  /** @param {Api.ChannelResponse} channel */
  #row(channel) {
    const badge = may(channel, "read_inbox")
      ? new UnreadBadge(channel.channel_id, { getsEvents: isStaff(channel), isInList: true })
      : null;
    if (badge) this.#badges.push(badge);
    const last = channel.last_post ? t("console.lastPost", { when: ago(channel.last_post.at) }) : t("list.noPosts");
    return h(
      "li",
      {},
      h(
        "a.my-channel",
        { href: consolePath(channel.channel_id), "data-inside": true },
        avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url, size: "large" }),
        h(
          "span.card-text",
          {},
          h("strong.card-title", { dir: "auto" }, channel.name, " ", verifiedMark(channel)),
          h("span.soft", {}, `${t("channel.subscribers", { n: channel.subscriber_count })} · ${last}`),
        ),
        badge?.element,
        channel.settings.visibility === "private" ? h("span.role.is-private", {}, t("console.private")) : null,
        isStaff(channel) ? h("span.role", {}, t(channel.role === "owner" ? "role.owner" : "role.admin")) : null,
      ),
    );
  }
}

/** One channel: its header, its tabs, and the view of the current tab. */
class ChannelConsole {
  /**
   * @param {string} id
   * @param {App.Tab} tab
   */
  constructor(id, tab) {
    this.#id = id;
    this.#tab = tab;
    this.element = h("section.page", {}, this.#inner);
    client.socket.addEventListener("event", this.#onEvent);
    this.#load();
  }

  #id;
  #tab;
  #inner = h("div.page-inner.broad", {}, h("p.empty", { role: "status" }, t("app.loading")));
  #header = h("header.page-head");
  #suspension = h("div.suspension-slot");
  /** @type {UnreadBadge | null} */
  #unread = null;
  /** @type {RequestBadge | null} */
  #requests = null;
  /** @type {ChannelInbox | null} */
  #inbox = null;
  /** @type {App.TabView | null} */
  #view = null;
  #isClosed = false;

  close() {
    this.#isClosed = true;
    client.socket.removeEventListener("event", this.#onEvent);
    this.#closeParts();
  }

  #closeParts() {
    this.#view?.close?.();
    this.#inbox?.close();
    this.#unread?.close();
    this.#requests?.close();
  }

  async #load() {
    let channel;
    try {
      channel = await get(`/v1/channels/${part(this.#id)}`);
    } catch (error) {
      return this.#showProblem(asProblem(error));
    }
    if (this.#isClosed) return;
    const getsEvents = isStaff(channel);
    if (!getsEvents && !session.isAdmin) return this.#showProblem({ status: 404 });
    await this.#loadStaff();
    if (this.#isClosed) return;
    const tabs = TAB_NAMES.filter((name) => [TABS[name].grant ?? []].flat().every((grant) => may(channel, grant)));
    if (!tabs.includes(this.#tab)) return this.#showProblem({ status: 403 });
    if (tabs.includes("inbox")) {
      this.#inbox = new ChannelInbox(this.#id, { getsEvents });
      this.#unread = new UnreadBadge(this.#id, { getsEvents });
    }
    if (tabs.includes("invites")) this.#requests = new RequestBadge(this.#id, { getsEvents });
    const view = new TABS[this.#tab].View({
      channel,
      inbox: this.#inbox,
      requests: this.#requests,
      onChange: (/** @type {Api.ChannelResponse} */ changed) => this.#showHeader(changed),
    });
    this.#view = view;
    this.#showHeader(channel);
    this.#inner.classList.add("with-tabs");
    fill(this.#inner, this.#header, this.#suspension, this.#tabBar(tabs), view.element);
    // In a narrow window the tabs are one line that is wider, and the badge makes it wider still.
    const current = this.#inner.querySelector(".channel-tabs [aria-current]");
    const reveal = () => current?.scrollIntoView({ block: "nearest", inline: "center" });
    reveal();
    for (const badge of [this.#unread, this.#requests]) badge?.loaded.then(reveal);
    focusHeading(this.element);
  }

  /**
   * A list at the side where there is room for it, otherwise one line.
   * @param {App.Tab[]} tabs
   */
  #tabBar(tabs) {
    const groups = GROUP_NAMES.map((group) => {
      const items = this.#tabItems(tabs.filter((name) => GROUPS[group].some((one) => one === name)));
      const id = uniqueId("tabs");
      const label = h("p.tab-group-name", { id }, t(`console.tabs.${group}`));
      return items.length ? h("div.tab-group", {}, label, h("ul", { "aria-labelledby": id }, items)) : null;
    });
    const bar = h("nav.channel-tabs.grouped", { "aria-label": t("console.tabs") }, groups);
    new RovingFocus(bar, "a", { isLine: true }).refresh();
    return bar;
  }

  /** @param {App.Tab[]} tabs */
  #tabItems(tabs) {
    return tabs.map((name) => {
      const anchor = h(
        "a",
        { href: consolePath(this.#id, name === "posts" ? null : name), "data-inside": true },
        t(`console.tab.${name}`),
        name === "inbox" ? this.#unread?.element : null,
        name === "invites" ? this.#requests?.element : null,
      );
      if (name === this.#tab) anchor.setAttribute("aria-current", "page");
      return h("li", {}, anchor);
    });
  }

  /** Their names stand beside posts, answers and log entries: one call instead of one for each. */
  async #loadStaff() {
    const page = await get(`/v1/channels/${part(this.#id)}/admins`, { limit: 100 }).catch((problem) => {
      if (problem.code === undefined) throw problem;
      return { items: [] }; // ids are shown in place of names
    });
    rememberPeople(page.items);
  }

  /** @param {Api.ChannelResponse} channel */
  #showHeader(channel) {
    setPageName(t("console.page", { tab: t(`console.tab.${this.#tab}`), name: channel.name }));
    fill(this.#suspension, suspensionNotice(channel));
    const publicAddress = publicPath(channel);
    fill(
      this.#header,
      backToConsole(),
      avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url }),
      h(
        "div.head-text",
        {},
        h("h1", { tabindex: "-1", dir: "auto" }, channel.name, " ", verifiedMark(channel)),
        h(
          "p.soft",
          {},
          t("channel.subscribers", { n: channel.subscriber_count }),
          publicAddress
            ? [" · ", h("a", { href: publicAddress, target: "_blank", rel: "noopener" }, t("channel.public"))]
            : null,
        ),
      ),
      h(
        "a.button.plain.view-as-reader",
        { href: channelPath(channel.channel_id), "data-inside": true },
        icon("reader"),
        h("span", {}, t("console.viewAsReader")),
      ),
    );
  }

  /** @param {App.Failure} problem */
  #showProblem(problem) {
    const isGone = problem.status === 404 || problem.status === 403;
    this.#inner.classList.remove("with-tabs");
    fill(
      this.#inner,
      h(
        "div.empty",
        {},
        h("p", { role: "alert" }, isGone ? t("channel.gone") : problem.userMessage),
        isGone ? null : retryButton(() => this.#load()),
        h("a.button.plain", { href: "/console", "data-inside": true }, t("app.back")),
      ),
    );
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (event.channel_id !== this.#id) return;
    if (event.type === "channel.deleted") this.#showProblem({ status: 404 });
    // What the staff may do is another than before.
    if (event.type === "channel.suspended" || event.type === "channel.reinstated") {
      this.#closeParts();
      this.#load();
    }
    if (event.type === "channel.updated")
      get(`/v1/channels/${part(this.#id)}`).then(
        (channel) => this.#showHeader(channel),
        () => {},
      );
  };
}
