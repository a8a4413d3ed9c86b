// Where everything begins: sign-in or the app, the frame around the views, and which view the address names.

import { get } from "./api.js";
import { avatar } from "./avatar.js";
import { fill, freshId, h, takeFocus } from "./dom.js";
import { icon } from "./icons.js";
import { inbox } from "./inbox.js";
import { attempt, closeMenu, menu } from "./overlay.js";
import { go, here, onMove, start as startRouter } from "./router.js";
import { Directory } from "./reader/directory.js";
import { Sidebar } from "./reader/sidebar.js";
import { ChannelTalk } from "./reader/channel.js";
import { ChatTalk } from "./reader/chat.js";
import { DialogueTalk } from "./reader/dialogue.js";
import { session } from "./session.js";
import { link } from "./socket.js";
import { t } from "./texts.js";

const BANNER_AFTER = 700; // milliseconds; shorter losses are not worth a word
const SLOW = 300; // milliseconds
const app = document.getElementById("app");

let frame = null;
let isEntering = false;

function signIn(why = null) {
  const id = freshId("token");
  const reason = { expired: "signin.expired", bad: "signin.bad" }[why];
  const wrong = h("p.wrong", { id: `${id}-wrong`, role: "alert", hidden: !reason }, reason ? t(reason) : null);
  const token = h("textarea", { id, rows: "4", required: true, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-lead ${id}-wrong` });
  const keep = h("input", { id: `${id}-keep`, type: "checkbox" });
  const submit = async (event) => {
    event.preventDefault();
    const isToken = session.signIn(token.value, keep.checked);
    // The server has the last word on a token; what it says of us is shown in the frame anyway.
    if (isToken && (await enter())) return;
    wrong.textContent = t("signin.bad");
    wrong.hidden = false;
    token.setAttribute("aria-invalid", "true");
    token.focus();
  };
  document.title = t("signin.title");
  fill(app, h("main.signin", {},
    h("form", { on: { submit } },
      h("div.brand", {}, h("span.brand-mark", { "aria-hidden": "true" }), t("app.name")),
      h("h1", {}, t("signin.title")),
      h("p.soft", { id: `${id}-lead` }, t("signin.lead")),
      h("label", { for: id }, t("signin.token")), token,
      h("div.choice-line", {}, keep, h("label", { for: `${id}-keep` }, t("signin.keep"))),
      wrong,
      h("button.primary", { type: "submit" }, t("signin.do")),
    ),
  ));
  token.focus();
}

/** Show the app; false when the server does not take the token. */
async function enter() {
  let me;
  isEntering = true;
  // First, so that it is there before the lists are asked for, which are then asked for once.
  link.start();
  try {
    me = await get("/v1/users/me");
  } catch (problem) {
    link.stop();
    if (problem.status === 401) return false;
    fill(app, h("main.signin", {}, h("div", {},
      h("h1", {}, t("app.failed")),
      h("p", { role: "alert" }, problem.shown),
      h("button.primary", { type: "button", on: { click: enter } }, t("app.retry")))));
    return true;
  } finally {
    isEntering = false;
  }
  frame = new Frame(me);
  fill(app, frame.element);
  frame.show();
  attempt(() => inbox.load());
  return true;
}

class Frame {
  constructor(me) {
    this.#me = me;
    this.#sidebar = new Sidebar();
    this.#main = h("div.main", { id: "content", tabindex: "-1" });
    this.#banner = h("p.banner", { role: "status", hidden: true });
    const name = me.name || me.user_id;
    const account = h("button.account", { type: "button", "aria-label": t("app.menu"), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#openAccount(account) } },
      avatar({ id: me.user_id, name, url: me.face_url, shape: "round", size: "small" }));
    this.#links = {
      reader: h("a.bar-link", { href: "/", "data-inside": true }, icon("reader"), h("span", {}, t("nav.reader"))),
      find: h("a.bar-link", { href: "/find", "data-inside": true }, icon("compass"), h("span", {}, t("nav.find"))),
      console: h("a.bar-link", { href: "/console", "data-inside": true }, icon("pen"), h("span", {}, t("nav.console"))),
    };
    this.element = h("div.frame", {},
      h("a.skip", { href: "#content", on: { click: (event) => {
        event.preventDefault();
        this.#main.focus();
      } } }, t("app.skip")),
      h("header.bar", {},
        h("a.brand", { href: "/", "data-inside": true }, h("span.brand-mark", { "aria-hidden": "true" }), h("span", {}, t("app.name"))),
        h("nav.bar-links", { "aria-label": t("app.name") }, Object.values(this.#links)),
        account,
      ),
      this.#banner,
      h("main.body", {}, this.#sidebar.element, this.#main),
    );
    link.addEventListener("state", () => this.#showLink());
    inbox.addEventListener("change", () => this.#showTitle());
  }

  #me;
  #sidebar;
  #main;
  #banner;
  #links;
  #view = null;
  #key = null;
  #turn = 0; // of the views that were asked for
  #timer = 0;

  /** Show what the address names. */
  async show() {
    closeMenu();
    const { name, parts } = here();
    const isConsole = name.startsWith("console");
    this.element.dataset.view = name;
    this.element.classList.toggle("in-console", isConsole);
    this.#sidebar.element.hidden = isConsole;
    const area = isConsole ? "console" : name === "find" ? "find" : "reader";
    for (const [key, anchor] of Object.entries(this.#links)) {
      if (key === area) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
    if (!isConsole) this.#sidebar.show(name === "folder" ? { folder: parts[0] } : name === "chat" || name === "with" ? "chats" : null);
    const key = [name, ...parts].join(" ");
    if (key === this.#key) return this.#view?.moved?.();
    this.#key = key;
    const isFirst = this.#view === null;
    this.#view?.close();
    // What has to come from the server first may take a while; a blank page would not say so.
    const turn = ++this.#turn;
    const slow = setTimeout(() => {
      if (turn === this.#turn) fill(this.#main, h("p.empty", { role: "status" }, t("app.loading")));
    }, SLOW);
    let view;
    try {
      view = await this.#make(name, parts);
    } finally {
      clearTimeout(slow);
    }
    if (turn !== this.#turn) return view.close(); // gone on meanwhile, and maybe come back
    this.#view = view;
    fill(this.#main, this.#view.element);
    this.#showTitle();
    // A new view is a new page: whoever does not see it hears of it, and tabs on from its top.
    if (isFirst) return;
    this.#main.focus({ preventScroll: true });
    takeFocus(this.#view.element);
  }

  async #make(name, parts) {
    if (name === "channel") return new ChannelTalk(parts[0]);
    if (name === "chat") return new ChatTalk(parts[0]);
    if (name === "with") return new DialogueTalk(parts[0]);
    if (name === "find") return new Directory();
    if (name.startsWith("console")) {
      try {
        const { consoleView } = await import("./console/console.js");
        return await consoleView(name, parts);
      } catch (problem) {
        // The server is away, or is a newer one whose files have other addresses: both end with loading the page.
        if (!(problem instanceof TypeError)) throw problem;
        return { element: h("div.gone", {}, h("p", { role: "alert" }, t("app.failed")), h("button.plain", { type: "button", on: { click: () => location.reload() } }, t("app.retry"))), close() {} };
      }
    }
    return { element: h("div.welcome", {}, h("span.brand-mark.big", { "aria-hidden": "true" }), h("p.soft", {}, t("welcome"))), close() {} };
  }

  leave() {
    this.#view?.close();
    this.#sidebar.close();
    clearTimeout(this.#timer);
  }

  #showTitle() {
    // Channels and chats apart, also here.
    const what = ["channels", "chats"].filter((scope) => inbox.unread[scope] > 0).map((scope) => t(`app.title.${scope}`, { n: inbox.unread[scope] }));
    document.title = what.length ? t("app.title.unread", { what: what.join(" · ") }) : t("app.title");
  }

  #showLink() {
    clearTimeout(this.#timer);
    if (link.isOpen) {
      this.#banner.hidden = true;
      return;
    }
    this.#timer = setTimeout(() => {
      if (link.isOpen || !session.token) return;
      this.#banner.textContent = t(link.isReplaced ? "link.replaced" : navigator.onLine ? "link.lost" : "link.offline");
      this.#banner.hidden = false;
    }, BANNER_AFTER);
  }

  #openAccount(anchor) {
    menu(anchor, [
      { label: t("signin.as", { name: this.#me.name || this.#me.user_id }), icon: "person", act: () => {} },
      null,
      { label: t("signin.out"), icon: "out", act: () => session.end("out") },
    ]);
  }
}

session.addEventListener("end", ({ detail: why }) => {
  if (isEntering) return; // whoever enters is told there
  link.stop();
  inbox.forget();
  frame?.leave();
  frame = null;
  document.querySelectorAll("dialog").forEach((element) => element.remove());
  signIn(why);
});
onMove(() => frame?.show());
startRouter();
if (session.begin()) {
  if (!(await enter())) signIn("expired");
} else {
  signIn(session.refused);
}
