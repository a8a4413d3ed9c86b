// The entry point of the app: the sign-in page, the frame around the views, and the view that the address names.

import { asProblem, client } from "./client/api.js";
import { connection } from "./client/connection.js";
import { conversations, dialogueConversationId, groupConversationId } from "./client/conversations.js";
import { isAway, keptOnDevice, whenLoaded } from "./client/offline.js";
import { otherTabs } from "./client/other_tabs.js";
import "./client/restriction.js"; // follows the socket from its start on
import { session } from "./client/session.js";
import { businessNote } from "./reader/business.js";
import { Sidebar } from "./reader/sidebar.js";
import { currentRoute, go, onNavigate, startRouter } from "./router.js";
import { t } from "./texts.js";
import { avatar } from "./ui/avatar.js";
import { fill, focusHeading, h, runCommand, submitting, uniqueId } from "./ui/dom.js";
import { icon } from "./ui/icons.js";
import { attempt, closeMenu, menu, menuButton } from "./ui/overlay.js";
import { setPageName, setUnread } from "./ui/page_title.js";
import { retryButton } from "./ui/retry.js";

const LOADING_AFTER = 300; // milliseconds
const FILES_WITHIN = 9000; // milliseconds; the files of a view come later than that only from a server that stands still
const SOCKET_WITHIN = 150; // milliseconds
const NOTIFICATIONS_WITHIN = 2000; // milliseconds
const PREPARE_AFTER = 3000; // milliseconds
const app = /** @type {HTMLElement} */ (document.getElementById("app"));

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Notifications on this device, loaded by users who need them; null when the server cannot be reached, or is a newer one. */
const notifications = () =>
  whenLoaded(import("./device/notifications.js"), NOTIFICATIONS_WITHIN).then(
    (module) => module.deviceNotifications,
    () => null,
  );

/** Shortcuts and what they do, loaded after the first view; null when the server cannot be reached, or is a newer one. */
const shortcuts = () => import("./finding/shortcuts.js").catch(() => null);

/** @type {Frame | null} */
let frame = null;
let isEntering = false;

/**
 * Shows the sign-in page. `reason` says why: "expired", "bad", "kind", "deleted", or null.
 * @param {App.SignedOut} [reason]
 */
function showSignIn(reason = null) {
  // The demo has a page of its own for those who come without a token.
  if (reason === null && location.pathname === "/" && document.querySelector('meta[name="channels-demo"]')) {
    location.replace("/demo");
    return;
  }
  const id = uniqueId("token");
  const key = reason === null || reason === "out" ? null : /** @type {const} */ (`signin.${reason}`);
  const error = h("p.error", { id: `${id}-error`, role: "alert", hidden: !key }, key ? t(key) : null);
  const token = h("textarea", {
    id,
    rows: "4",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": `${id}-lead ${id}-error`,
  });
  const keep = h("input", { id: `${id}-keep`, type: "checkbox" });
  // The answer of another tab may come late. Who has begun to sign in as somebody else is not disturbed.
  otherTabs.onLateAnswer = (others) => {
    if (reason === null && !token.value && session.signIn(others, false)) enter();
  };
  const submit = submitting(async () => {
    const isWellFormed = session.signIn(token.value, keep.checked);
    const refused = isWellFormed ? await enter() : "bad";
    if (refused === null) return;
    error.textContent = t(`signin.${refused}`);
    error.hidden = false;
    token.setAttribute("aria-invalid", "true");
    token.focus();
  });
  setUnread({ channels: 0, chats: 0 });
  setPageName(t("signin.title"));
  const elsewhere = signInAddress();
  const fields = [
    h("p.soft", { id: `${id}-lead` }, t("signin.lead")),
    h("label", { for: id }, t("signin.token")),
    token,
    h("div.choice-line", {}, keep, h("label", { for: `${id}-keep` }, t("signin.keep"))),
    h(elsewhere ? "button.plain" : "button.primary", { type: "submit" }, t("signin.do")),
  ];
  fill(
    app,
    h(
      "main.signin",
      {},
      h(
        "form",
        { on: { submit } },
        h("div.brand", {}, h("span.brand-mark", { "aria-hidden": "true" }), t("app.name")),
        h("h1", {}, t("signin.title")),
        elsewhere
          ? [
              h("p.soft", {}, t("signin.elsewhere")),
              h("a.button.primary", { href: elsewhere, autofocus: true }, t("signin.do")),
              error,
              h("details", {}, h("summary", {}, t("signin.withToken")), ...fields),
            ]
          : [...fields.slice(0, -1), error, ...fields.slice(-1)],
      ),
    ),
  );
  if (!elsewhere) token.focus();
}

/** The page of the deployment's application that signs people in and leads them back here; null where there is none. */
function signInAddress() {
  const given = document.querySelector('meta[name="channels-sign-in"]')?.getAttribute("content");
  if (!given) return null;
  const address = new URL(given);
  address.searchParams.set("return_to", location.origin + location.pathname + location.search);
  return address.href;
}

/**
 * Shows the app. Returns why the server does not accept the token, or null.
 * @returns {Promise<"bad" | "kind" | null>}
 */
async function enter() {
  let me;
  isEntering = true;
  otherTabs.onLateAnswer = null;
  // What is loaded before the socket is ready has to be looked at again. So it gets the moment that it takes nearby; on a slow
  // line the lists do not wait for it.
  const { token } = session;
  const isReady = new Promise((resolve) => client.socket.addEventListener("ready", resolve, { once: true }));
  client.socket.start();
  await Promise.race([isReady, pause(SOCKET_WITHIN)]);
  // The socket says only that it refused the token; the call says why.
  if (session.token === null) client.setToken(token);
  try {
    me = await conversations.load();
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status === 401) {
      client.setToken(null);
      return problem.code === "wrong_account_kind" ? "kind" : "bad";
    }
    me = isAway(error) ? await conversations.restore() : null;
    if (me === null) {
      showFailure(problem.userMessage);
      return null;
    }
  } finally {
    isEntering = false;
  }
  if (me === null) return null; // signed out meanwhile
  frame = new Frame(me);
  fill(app, frame.element);
  frame.show();
  if (localStorage.getItem("channels.device")) notifications().then((device) => device?.start());
  setTimeout(prepareForOffline, PREPARE_AFTER);
  return null;
}

/** Lets the app open without a network from now on. Not while it starts, which has more urgent things to load. */
async function prepareForOffline() {
  const worker = await import("./device/service_worker.js").catch(() => null);
  if (!worker?.hasWorkers() || session.token === null) return;
  await (await keptOnDevice())?.tidy();
  await worker.registerWorker().catch(() => {}); // it is tried again at the next start
}

/**
 * Says that the app could not be loaded. It is tried again when the socket is ready.
 * @param {string} text
 */
function showFailure(text) {
  const again = async () => {
    const refused = await enter();
    if (refused !== null) showSignIn(refused === "kind" ? "kind" : "expired");
  };
  const message = h("p", { role: "alert" }, text);
  fill(app, h("main.signin", {}, h("div", {}, h("h1", {}, t("app.failed")), message, retryButton(again))));
}

/** The bar on top, the sidebar, and the current view. */
class Frame {
  /** @param {Api.UserResponse} me */
  constructor(me) {
    this.me = me;
    this.#main = h("div.main", { id: "content", tabindex: "-1" });
    this.showMe();
    const skip = submitting(() => this.#main.focus());
    this.element = h(
      "div.frame",
      {},
      h("a.skip", { href: "#content", on: { click: skip } }, t("app.skip")),
      h(
        "header.bar",
        {},
        h(
          "a.brand",
          { href: "/", "data-inside": true },
          h("span.brand-mark", { "aria-hidden": "true" }),
          h("span", {}, t("app.name")),
        ),
        h("nav.bar-links", { "aria-label": t("app.name") }, Object.values(this.#links)),
        // In the reader and in the console, for a user who has accounts of both kinds.
        session.isBusiness ? h("span.account-kind", {}, this.#name, h("strong", {}, t("account.business"))) : null,
        this.#account,
      ),
      this.#banner,
      h("main.body", {}, this.#sidebar.element, this.#main),
    );
    connection.addEventListener("change", this.#showConnection);
    conversations.addEventListener("change", this.#showTitle);
    this.#showTitle();
    this.#showConnection();
  }

  #name = h("span.account-name", { dir: "auto" });
  #account = menuButton({
    label: t("app.account"),
    content: null,
    style: "account",
    open: (button) => this.#openAccountMenu(button),
  });
  #sidebar = new Sidebar();
  #main;
  #banner = h("p.banner", { role: "status", hidden: true });
  #links = {
    reader: h("a.bar-link", { href: "/", "data-inside": true }, icon("reader"), h("span", {}, t("nav.reader"))),
    directory: h(
      "a.bar-link",
      { href: "/find", "data-inside": true },
      icon("compass"),
      h("span", {}, t("nav.directory")),
    ),
    console: h("a.bar-link", { href: "/console", "data-inside": true }, icon("pen"), h("span", {}, t("nav.console"))),
  };
  /** @type {App.View | null} */
  #view = null;
  /** @type {string | null} */
  #key = null; // of the current view: its name and ids
  #requests = 0;

  get view() {
    return this.#view;
  }

  get main() {
    return this.#main;
  }

  /** Shows the view that the address names. */
  async show() {
    closeMenu();
    const { name, parts } = currentRoute();
    this.#showFrame(name, parts);
    const key = [name, ...parts].join(" ");
    if (key === this.#key) return this.#view?.onAddress?.();
    this.#key = key;
    const isFirst = this.#view === null;
    this.#view?.close();
    setPageName(this.#nameOf(name, parts));
    const request = ++this.#requests;
    const loading = setTimeout(() => {
      if (request === this.#requests) fill(this.#main, h("p.empty", { role: "status" }, t("app.loading")));
    }, LOADING_AFTER);
    let view;
    try {
      view = await this.#createView(name, parts);
    } finally {
      clearTimeout(loading);
    }
    // The user has navigated on meanwhile, and maybe back to here.
    if (request !== this.#requests) return view.close();
    this.#view = view;
    fill(this.#main, view.element);
    // A new view is like a new page: screen readers announce it, and the Tab key starts at its top.
    if (isFirst) return;
    this.#main.focus({ preventScroll: true });
    focusHeading(view.element);
  }

  /**
   * @param {App.RouteName} name
   * @param {(string | null)[]} parts
   */
  #showFrame(name, [folder]) {
    const isConsole = name.startsWith("console");
    this.element.dataset.view = name;
    this.element.classList.toggle("in-console", isConsole);
    this.#sidebar.element.hidden = isConsole;
    const area = isConsole ? "console" : name === "directory" || name === "me" ? name : "reader";
    for (const [key, anchor] of Object.entries(this.#links)) {
      if (key === area) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
    if (isConsole) return;
    this.#sidebar.show(
      name === "folder" ? { folder: folder ?? "" } : name === "group" || name === "dialogue" ? "chats" : null,
    );
  }

  /**
   * @param {App.RouteName} name
   * @param {(string | null)[]} parts
   * @returns {Promise<App.View>}
   */
  async #createView(name, [part, tab]) {
    const load = VIEWS[name];
    if (load === undefined) return welcome();
    const files = load(part ?? "", tab ?? null);
    try {
      const view = await Promise.race([files, pause(FILES_WITHIN)]);
      if (view) return view;
    } catch (problem) {
      // The server cannot be reached, or is a newer version whose files have other addresses. Reloading mends both.
      if (!(problem instanceof TypeError)) throw problem;
      return failedView(() => location.reload());
    }
    files.catch(() => {});
    return failedView(() => {
      this.#key = null;
      this.show();
    });
  }

  /**
   * What the title of the page says until the view knows better.
   * @param {App.RouteName} name
   * @param {(string | null)[]} parts
   */
  #nameOf(name, [part]) {
    const id = part ?? "";
    if (name === "folder") return id;
    if (name === "directory") return t("directory.title");
    if (name === "me") return t("app.me");
    if (name === "search") return t("nav.find");
    if (name === "feed") return t("nav.feed");
    if (name.startsWith("console")) return t("nav.console");
    if (name === "channels" || name === "invite") return "";
    const conversationId = name === "dialogue" ? dialogueConversationId(id) : groupConversationId(id);
    return conversations.byId.get(conversationId)?.title ?? "";
  }

  close() {
    this.#view?.close();
    this.#sidebar.close();
    connection.removeEventListener("change", this.#showConnection);
    conversations.removeEventListener("change", this.#showTitle);
  }

  /** The user's name and photo, which they may have changed. */
  showMe(me = this.me) {
    this.me = me;
    const name = me.name || me.user_id;
    this.#name.textContent = name;
    fill(this.#account, avatar({ id: me.user_id, name, url: me.face_url, shape: "round", size: "small" }));
  }

  #showTitle = () => setUnread(conversations.unread);

  #showConnection = () => {
    const { state } = connection;
    this.#banner.hidden = state === "online";
    if (state !== "online") this.#banner.textContent = t(`connection.${state}`);
  };

  /** @param {HTMLElement} anchor */
  async #openAccountMenu(anchor) {
    const device = await notifications();
    const onDevice = (await device?.menuEntries()) ?? [];
    menu(anchor, [
      { label: t("app.me"), icon: "person", act: () => go("/me") },
      ...(session.isBusiness
        ? []
        : [{ label: t("app.requests"), icon: /** @type {const} */ ("people"), act: showOwnRequests }]),
      { label: t("app.keys"), icon: "keys", act: () => runCommand("help") },
      { label: t("app.docs"), icon: "reader", act: () => open("/docs", "_blank", "noopener") },
      ...onDevice,
      null,
      { label: t("signin.out"), icon: "out", act: signOut },
    ]);
  }
}

const showOwnRequests = () =>
  attempt(async () => (await whenLoaded(import("./invites/own_requests.js"))).showOwnRequests());

async function signOut() {
  await (await notifications())?.beforeSignOut();
  const { userId } = session;
  session.signOut("out");
  if (userId !== null) otherTabs.signOut(userId);
}

/**
 * The views, whose files are loaded when they are first shown. `channels/server/web/pages/static.py` names the same files, which the
 * page of an address loads ahead.
 * @type {{ [Name in App.RouteName]?: (id: string, tab: string | null) => Promise<App.View> }}
 */
const VIEWS = {
  channel: async (id) => new (await import("./conversation/channel_view.js")).ChannelView(id),
  group: async (id) => new (await import("./conversation/group_view.js")).GroupView(id),
  dialogue: async (id) => new (await import("./conversation/dialogue_view.js")).DialogueView(id),
  invite: async (code) => new (await import("./invites/invite_view.js")).InviteView(code),
  comments: async (id, seq) => new (await import("./comments/comments_view.js")).CommentsView(id, Number(seq)),
  directory: async () => new (await import("./reader/directory.js")).Directory(),
  me: async () => {
    const { MeView } = await import("./me/me.js");
    return new MeView({ me: /** @type {Frame} */ (frame).me, onChange: (me) => frame?.showMe(me), signOut });
  },
};
for (const name of /** @type {const} */ (["search", "feed"]))
  VIEWS[name] = async () => (await import("./finding/views.js")).findingView(name);
for (const name of /** @type {const} */ ([
  "console",
  "console.new",
  "console.webhooks",
  "console.moderation",
  "console.channel",
]))
  VIEWS[name] = async (id, tab) => (await import("./console/console.js")).consoleView(name, id, tab);

/** Stands beside the list while no conversation is open. */
const welcome = () => ({
  element: h(
    "div.welcome",
    {},
    h("span.brand-mark.big", { "aria-hidden": "true" }),
    h("p.soft", {}, t("welcome")),
    session.isBusiness ? businessNote() : null,
  ),
  close() {},
});

/**
 * Stands in place of a view that could not be loaded.
 * @param {() => unknown} retry
 */
const failedView = (retry) => ({
  element: h("div.gone", {}, h("p", { role: "alert" }, t("app.failed")), retryButton(retry)),
  close() {},
});

/** @type {App.CommandContext} */
const commandContext = {
  get isSignedIn() {
    return frame !== null;
  },
  get view() {
    return frame?.view ?? null;
  },
  get main() {
    return frame?.main ?? app;
  },
  signOut,
};

session.addEventListener("signedout", ({ detail: { reason, userId } }) => {
  if (userId !== null) keptOnDevice().then((kept) => kept?.forget(userId));
  if (isEntering) return; // `enter` returns why then, and its caller shows it
  client.socket.stop();
  conversations.forget();
  frame?.close();
  frame = null;
  for (const element of document.querySelectorAll("dialog")) element.remove();
  showSignIn(reason);
});
client.socket.addEventListener("event", async ({ detail: event }) => {
  // The comments that are open show their own.
  if (event.type !== "comment.posted" || frame?.view?.conversationId === event.stream_id) return;
  (await import("./comments/arrivals.js").catch(() => null))?.announceComment(event);
});
client.socket.addEventListener("event", async ({ detail: event }) => {
  if (event.type !== "acknowledgement.reminder") return;
  (await import("./acknowledgements/reminders.js").catch(() => null))?.announceReminder(event);
});
onNavigate(() => frame?.show());
startRouter();
// A link with a token that is opened in a tab of the app loads no page by itself.
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
});
if (!session.restore() && session.rejection === null) {
  const others = await otherTabs.ask();
  if (others !== null && session.token === null) session.signIn(others, false);
}
if (session.token !== null) {
  const refused = await enter();
  if (refused !== null) showSignIn(refused === "kind" ? "kind" : "expired");
} else {
  showSignIn(session.rejection);
}
addEventListener("app-command", async (event) => {
  const command = /** @type {CustomEvent<App.Command>} */ (event).detail;
  (await shortcuts())?.runCommand(command, commandContext);
});
shortcuts().then((module) => module?.startShortcuts(commandContext));
