// The entry point of the app: the sign-in page, the frame around the views, and the view that the address names.

import { asProblem, client } from "./client/api.js";
import { conversations } from "./client/conversations.js";
import { session } from "./client/session.js";
import { ChannelView } from "./conversation/channel_view.js";
import { DialogueView } from "./conversation/dialogue_view.js";
import { GroupView } from "./conversation/group_view.js";
import { businessNote } from "./reader/business.js";
import { Directory } from "./reader/directory.js";
import { Sidebar } from "./reader/sidebar.js";
import { currentRoute, onNavigate, startRouter } from "./router.js";
import { t } from "./texts.js";
import { avatar } from "./ui/avatar.js";
import { fill, focusHeading, h, runCommand, submitting, uniqueId } from "./ui/dom.js";
import { icon } from "./ui/icons.js";
import { closeMenu, menu, menuButton } from "./ui/overlay.js";

const BANNER_AFTER = 700; // milliseconds; shorter disconnects are not shown
const LOADING_AFTER = 300; // milliseconds
const app = /** @type {HTMLElement} */ (document.getElementById("app"));

/** Notifications on this device, loaded by users who need them; null when the server cannot be reached, or is a newer one. */
const notifications = () =>
  import("./device/notifications.js").then(
    (module) => module.deviceNotifications,
    () => null,
  );

/** Shortcuts and what they do, loaded after the first view; null when the server cannot be reached, or is a newer one. */
const shortcuts = () => import("./finding/shortcuts.js").catch(() => null);

/** @type {Frame | null} */
let frame = null;
let isEntering = false;

/**
 * Shows the sign-in page. `reason` says why: "expired", "bad", "kind", or null.
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
  const submit = submitting(async () => {
    const isWellFormed = session.signIn(token.value, keep.checked);
    const refused = isWellFormed ? await enter() : "bad";
    if (refused === null) return;
    error.textContent = t(`signin.${refused}`);
    error.hidden = false;
    token.setAttribute("aria-invalid", "true");
    token.focus();
  });
  document.title = t("signin.title");
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
        h("p.soft", { id: `${id}-lead` }, t("signin.lead")),
        h("label", { for: id }, t("signin.token")),
        token,
        h("div.choice-line", {}, keep, h("label", { for: `${id}-keep` }, t("signin.keep"))),
        error,
        h("button.primary", { type: "submit" }, t("signin.do")),
      ),
    ),
  );
  token.focus();
}

/**
 * Shows the app. Returns why the server does not accept the token, or null.
 * @returns {Promise<"bad" | "kind" | null>}
 */
async function enter() {
  let me;
  isEntering = true;
  // Started before the lists are loaded: what is loaded before the socket is ready has to be loaded again.
  client.socket.start();
  try {
    me = await conversations.load();
  } catch (error) {
    client.socket.stop();
    const problem = asProblem(error);
    if (problem.status === 401) return problem.code === "wrong_account_kind" ? "kind" : "bad";
    fill(
      app,
      h(
        "main.signin",
        {},
        h(
          "div",
          {},
          h("h1", {}, t("app.failed")),
          h("p", { role: "alert" }, problem.userMessage),
          h("button.primary", { type: "button", on: { click: enter } }, t("app.retry")),
        ),
      ),
    );
    return null;
  } finally {
    isEntering = false;
  }
  if (me === null) return null; // signed out meanwhile
  frame = new Frame(me);
  fill(app, frame.element);
  frame.show();
  if (localStorage.getItem("channels.device")) notifications().then((device) => device?.start());
  return null;
}

/** The bar on top, the sidebar, and the current view. */
class Frame {
  /** @param {Api.UserResponse} me */
  constructor(me) {
    this.#me = me;
    this.#main = h("div.main", { id: "content", tabindex: "-1" });
    const name = me.name || me.user_id;
    const picture = avatar({ id: me.user_id, name, url: me.face_url, shape: "round", size: "small" });
    const account = menuButton({
      label: t("app.account"),
      content: picture,
      style: "account",
      open: (button) => this.#openAccountMenu(button),
    });
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
        session.isBusiness
          ? h(
              "span.account-kind",
              {},
              h("span.account-name", { dir: "auto" }, name),
              h("strong", {}, t("account.business")),
            )
          : null,
        account,
      ),
      this.#banner,
      h("main.body", {}, this.#sidebar.element, this.#main),
    );
    client.socket.addEventListener("state", () => this.#showConnection());
    conversations.addEventListener("change", () => this.#showTitle());
  }

  #me;
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
  #bannerTimer = 0;

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
    this.#showTitle();
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
    const area = isConsole ? "console" : name === "directory" ? "directory" : "reader";
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
    const id = part ?? "";
    if (name === "channel") return new ChannelView(id);
    if (name === "group") return new GroupView(id);
    if (name === "dialogue") return new DialogueView(id);
    if (name === "directory") return new Directory();
    if (name.startsWith("console") || name === "search" || name === "feed") {
      try {
        if (name === "search" || name === "feed") {
          const { findingView } = await import("./finding/views.js");
          return await findingView(name);
        }
        const { consoleView } = await import("./console/console.js");
        return await consoleView(name, id, tab);
      } catch (problem) {
        // The server cannot be reached, or is a newer version whose files have other addresses. Reloading mends both.
        if (!(problem instanceof TypeError)) throw problem;
        return {
          element: h(
            "div.gone",
            {},
            h("p", { role: "alert" }, t("app.failed")),
            h("button.plain", { type: "button", on: { click: () => location.reload() } }, t("app.retry")),
          ),
          close() {},
        };
      }
    }
    return {
      element: h(
        "div.welcome",
        {},
        h("span.brand-mark.big", { "aria-hidden": "true" }),
        h("p.soft", {}, t("welcome")),
        session.isBusiness ? businessNote() : null,
      ),
      close() {},
    };
  }

  close() {
    this.#view?.close();
    this.#sidebar.close();
    clearTimeout(this.#bannerTimer);
  }

  /** Counts unread channels and chats apart. */
  #showTitle() {
    const counts = /** @type {const} */ (["channels", "chats"])
      .filter((scope) => conversations.unread[scope] > 0)
      .map((scope) => t(`app.title.${scope}`, { n: conversations.unread[scope] }));
    document.title = counts.length ? t("app.title.unread", { counts: counts.join(" · ") }) : t("app.title");
  }

  #showConnection() {
    clearTimeout(this.#bannerTimer);
    if (client.socket.isOpen) {
      this.#banner.hidden = true;
      return;
    }
    this.#bannerTimer = setTimeout(() => {
      if (client.socket.isOpen || !session.token) return;
      this.#banner.textContent = t(
        client.socket.isReplaced ? "connection.replaced" : navigator.onLine ? "connection.lost" : "connection.offline",
      );
      this.#banner.hidden = false;
    }, BANNER_AFTER);
  }

  /** @param {HTMLElement} anchor */
  async #openAccountMenu(anchor) {
    const device = await notifications();
    const onDevice = (await device?.menuEntries()) ?? [];
    menu(anchor, [
      { label: t("signin.as", { name: this.#me.name || this.#me.user_id }), icon: "person", act: () => {} },
      { label: t("app.keys"), icon: "keys", act: () => runCommand("help") },
      { label: t("app.docs"), icon: "reader", act: () => open("/docs", "_blank", "noopener") },
      ...onDevice,
      null,
      {
        label: t("signin.out"),
        icon: "out",
        act: signOut,
      },
    ]);
  }
}

async function signOut() {
  const device = await notifications();
  await device?.beforeSignOut();
  session.signOut("out");
}

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

session.addEventListener("signedout", ({ detail: reason }) => {
  if (isEntering) return; // `enter` returns why then, and its caller shows it
  client.socket.stop();
  conversations.forget();
  frame?.close();
  frame = null;
  for (const element of document.querySelectorAll("dialog")) element.remove();
  showSignIn(reason);
});
onNavigate(() => frame?.show());
startRouter();
if (session.restore()) {
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
