// The addresses of the views. The server answers each with the same page (`channels/server/web/static.py` lists them).

const ROUTES = [
  ["channels", /^\/$/],
  ["find", /^\/find$/],
  ["channel", /^\/channels\/([^/]+)$/],
  ["chat", /^\/chats\/([^/]+)$/],
  ["with", /^\/with\/([^/]+)$/],
  ["folder", /^\/folders\/([^/]+)$/],
  ["console", /^\/console$/],
  ["console.new", /^\/console\/new$/],
  ["console.channel", /^\/console\/channels\/([^/]+)(?:\/([^/]+))?$/],
];

const listeners = new Set();

/** The view that the address names, and the parts of it. */
export function here() {
  for (const [name, pattern] of ROUTES) {
    const found = pattern.exec(location.pathname);
    if (found) return { name, parts: found.slice(1).map((text) => (text === undefined ? null : decoded(text))) };
  }
  return { name: "channels", parts: [] };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Hear of each change of the view. */
export function onMove(listener) {
  listeners.add(listener);
}

/** Go there; `replace` leaves no step back. */
export function go(path, { replace = false } = {}) {
  if (path === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"]({ inside: true }, "", path);
  tell();
}

/** One step back inside the app, or to `otherwise` when the app was entered here. */
export function back(otherwise) {
  if (history.state?.inside) history.back();
  else go(otherwise, { replace: true });
}

function tell() {
  for (const listener of listeners) listener();
}

/** Links inside the app change the view instead of loading the page. */
export function start() {
  addEventListener("popstate", tell);
  document.addEventListener("click", (event) => {
    const anchor = event.target instanceof Element ? event.target.closest("a[data-inside]") : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!anchor || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    const { pathname, search } = new URL(anchor.href);
    go(pathname + search);
  });
}

/** The number that the address asks for by this name, null when it asks for none. */
export function asked(name) {
  const number = Number(new URLSearchParams(location.search).get(name));
  return Number.isSafeInteger(number) && number > 0 ? number : null;
}

/** A channel; with a `seq`, at that post. */
export const channelPath = (id, seq = null) => `/channels/${encodeURIComponent(id)}${seq === null ? "" : `?post=${seq}`}`;
/** A one-to-one chat with a person or a channel; `about` is the post of the channel that one writes about. */
export const withPath = (peerId, about = null) => `/with/${encodeURIComponent(peerId)}${about === null ? "" : `?about=${about}`}`;
export const chatPath = (id) => `/chats/${encodeURIComponent(id)}`;
/** The page that anyone may read, null where this server shows none or the channel is not public. */
export function publicPath({ channel_id: id, settings }) {
  const isOn = document.querySelector('meta[name="channels-public"]').content === "on";
  return isOn && settings.visibility === "public" ? `/c/${encodeURIComponent(id.replace(/^@TOA#_/, ""))}` : null;
}

export const folderPath = (name) => `/folders/${encodeURIComponent(name)}`;
export const consolePath = (id, part) => `/console/channels/${encodeURIComponent(id)}${part ? `/${part}` : ""}`;
