// The addresses of the app's views. The server returns the same page for all of them (`channels/server/web/pages/static.py`).

/** @type {[name: App.RouteName, pattern: RegExp][]} */
const ROUTES = [
  ["channels", /^\/$/],
  ["directory", /^\/find$/],
  ["me", /^\/me$/],
  ["search", /^\/search$/],
  ["feed", /^\/feed$/],
  ["channel", /^\/channels\/([^/]+)$/],
  ["comments", /^\/channels\/([^/]+)\/posts\/([^/]+)\/comments$/],
  ["group", /^\/chats\/([^/]+)$/],
  ["dialogue", /^\/with\/([^/]+)$/],
  ["folder", /^\/folders\/([^/]+)$/],
  ["invite", /^\/invite\/([^/]+)$/],
  ["console", /^\/console$/],
  ["console.new", /^\/console\/new$/],
  ["console.webhooks", /^\/console\/webhooks$/],
  ["console.moderation", /^\/console\/moderation(?:\/([^/]+)(?:\/([^/]+))?)?$/],
  ["console.channel", /^\/console\/channels\/([^/]+)(?:\/([^/]+))?$/],
];

/** @type {Set<() => unknown>} */
const listeners = new Set();

/**
 * The name of the view in the address, and the ids in it.
 * @returns {{ name: App.RouteName; parts: (string | null)[] }}
 */
export function currentRoute() {
  for (const [name, pattern] of ROUTES) {
    const found = pattern.exec(location.pathname);
    if (found) return { name, parts: found.slice(1).map((text) => (text === undefined ? null : decoded(text))) };
  }
  return { name: "channels", parts: [] };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Calls the listener whenever the address changes within the app.
 * @param {() => unknown} listener
 */
export function onNavigate(listener) {
  listeners.add(listener);
}

/**
 * Navigates to an address in the app. With `replace`, the browser's back button skips the current one.
 * @param {string} path
 */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"]({ inside: true }, "", path);
  notify();
}

/**
 * One step back, or to `fallback` when the user came to this view from outside the app.
 * @param {string} fallback
 */
export function back(fallback) {
  if (history.state?.inside) history.back();
  else go(fallback, { replace: true });
}

function notify() {
  for (const listener of listeners) listener();
}

/** From now on, links marked with `data-inside` change the view without loading the page. */
export function startRouter() {
  addEventListener("popstate", notify);
  document.addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a[data-inside]") : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!(anchor instanceof HTMLAnchorElement) || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    const { pathname, search } = new URL(anchor.href);
    go(pathname + search);
  });
}

/**
 * A positive integer in the query of the address, null when there is none.
 * @param {string} name
 */
export function queryNumber(name) {
  const number = Number(new URLSearchParams(location.search).get(name));
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

/**
 * A channel, scrolled to the post `seq`.
 * @param {string} id
 * @param {number | null} [seq]
 */
export const channelPath = (id, seq = null) =>
  `/channels/${encodeURIComponent(id)}${seq === null ? "" : `?post=${seq}`}`;
/**
 * The comments on a post, scrolled to the comment `seq`.
 * @param {string} id
 * @param {number} post
 * @param {number | null} [seq]
 */
export const commentsPath = (id, post, seq = null) =>
  `/channels/${encodeURIComponent(id)}/posts/${post}/comments${seq === null ? "" : `?comment=${seq}`}`;
/**
 * A one-to-one chat with a person or a channel; `about` is the channel's post that the message is about.
 * @param {string} peerId
 * @param {number | null} [about]
 */
export const dialoguePath = (peerId, about = null) =>
  `/with/${encodeURIComponent(peerId)}${about === null ? "" : `?about=${about}`}`;
/** @param {string} id */
export const groupPath = (id) => `/chats/${encodeURIComponent(id)}`;
/**
 * The public page of a channel; null when the channel is private or the server has public pages turned off.
 * @param {Pick<Api.ChannelResponse, "channel_id" | "settings">} channel
 */
export function publicPath({ channel_id: id, settings }) {
  const isOn = document.querySelector('meta[name="channels-public"][content="on"]') !== null;
  return isOn && settings.visibility === "public" ? `/c/${encodeURIComponent(id.replace(/^@TOA#_/, ""))}` : null;
}

/**
 * A search over all conversations, with the words and filters in the query of the address. What is empty is left out.
 * @param {{ [name: string]: string | null | undefined }} filters
 */
export function searchPath(filters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) query.set(name, value);
  return query.size ? `/search?${query}` : "/search";
}
/**
 * The posts of all channels, or of those in a folder.
 * @param {string} [folder]
 */
export const feedPath = (folder) => (folder ? `/feed?folder=${encodeURIComponent(folder)}` : "/feed");

/** @param {string} name */
export const folderPath = (name) => `/folders/${encodeURIComponent(name)}`;
/**
 * A section of the moderation of the app, and one thing in it: a case of the reports, or a user of the accounts.
 * @param {App.ModerationTab | null} [tab]
 * @param {string | null} [id]
 */
export const moderationPath = (tab, id) =>
  ["/console/moderation", tab, id && encodeURIComponent(id)].filter(Boolean).join("/");
/**
 * @param {string} id
 * @param {string | null} [part]
 */
export const consolePath = (id, part) => `/console/channels/${encodeURIComponent(id)}${part ? `/${part}` : ""}`;
