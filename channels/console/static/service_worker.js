// Keeps the app's own files, so that it opens without a network, and shows the notifications that the server sends to this
// browser.
//
// The server delivers it at `/service-worker.js`, since a worker is in charge of the pages below its own address, and puts
// `self.SHELL` in front: the version and the addresses of the files. Each version of the app has a worker of its own, which
// takes over when no page of the older version is open any more.
// Promises: it knows nothing of the signed-in user and keeps none of their data. A notification has all that is shown. What
// the API answers never passes through it.

const worker = /** @type {App.Worker} */ (/** @type {unknown} */ (self));
const { version, page, files } = worker.SHELL;

const CACHES = "channels-";
const CACHE = `${CACHES}${version}`;
const ASSETS = "/assets/";
/** A server that stands still does not keep the app from opening. */
const PAGE_WITHIN = 5000; // milliseconds

/** Where the operator keeps texts out of notifications. */
const UNTITLED = "New message";

/** Pages of the server that are not the app. */
const OTHER_PAGES = /^\/(c|docs|v1|sdk|assets)(\/|$)/;

worker.addEventListener("install", (event) => event.waitUntil(keepFiles()));
worker.addEventListener("activate", (event) => event.waitUntil(forgetOlder()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== worker.location.origin) return;
  if (request.mode === "navigate" && !OTHER_PAGES.test(pathname)) event.respondWith(pageOf(request));
  else if (pathname.startsWith(ASSETS)) event.respondWith(fileOf(request));
});

worker.addEventListener("push", (event) => {
  const message = event.data?.json();
  if (message) event.waitUntil(show(message));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openApp(pathOf(event.notification.data)));
});

/** The browser has most of the files in its own cache already. */
async function keepFiles() {
  await (await caches.open(CACHE)).addAll([page, ...files]);
}

async function forgetOlder() {
  for (const name of await caches.keys()) if (name.startsWith(CACHES) && name !== CACHE) await caches.delete(name);
}

/**
 * The page as the server has it, or the kept one where it cannot be reached.
 * @param {Request} request
 */
async function pageOf(request) {
  const kept = () => caches.match(page, { cacheName: CACHE });
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(PAGE_WITHIN) });
    return response.status < 500 ? response : ((await kept()) ?? response);
  } catch {
    return (await kept()) ?? Response.error();
  }
}

/**
 * A file of the app. It never changes, so the kept one is as good.
 * @param {Request} request
 */
async function fileOf(request) {
  const kept = await caches.match(request.url, { cacheName: CACHE });
  if (kept) return kept;
  const response = await fetch(request);
  // The texts in the language of the user: those in other languages are not worth their bytes.
  if (response.ok && request.url.includes("/texts/")) await (await caches.open(CACHE)).put(request, response.clone());
  return response;
}

/** @param {App.PushMessage} message */
async function show(message) {
  await worker.registration.showNotification(message.title || UNTITLED, {
    body: message.body,
    // A newer message of a conversation takes the place of the one before, and so does a newer comment on a post.
    tag: message.post_seq ? `${message.conversation_id} ${message.post_seq}` : message.conversation_id,
    renotify: true,
    timestamp: Date.parse(message.sent_at),
    data: message,
  });
  await showBadge();
}

/** The number on the app's icon while no window is open, which knows better: what the shown notifications are about. */
async function showBadge() {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (windows.length || !worker.navigator.setAppBadge) return;
  const shown = await worker.registration.getNotifications();
  await worker.navigator.setAppBadge(shown.reduce((sum, { data }) => sum + (data?.unread ?? 0), 0));
}

/**
 * The address of the conversation in the app, of the comment, or of the channel's inbox.
 * @param {App.PushMessage} message
 */
function pathOf({ channel_id: channelId, conversation_id: id, group_id: groupId, post_seq: post, seq, user_id: user }) {
  if (channelId !== null && user) return `/console/channels/${encodeURIComponent(channelId)}/inbox`;
  if (channelId !== null && post)
    return `/channels/${encodeURIComponent(channelId)}/posts/${post}/comments?comment=${seq}`;
  if (channelId !== null) return `/channels/${encodeURIComponent(channelId)}`;
  if (groupId !== null) return `/chats/${encodeURIComponent(groupId)}`;
  return `/with/${encodeURIComponent(id.replace(/^c2c_/, ""))}`;
}

/**
 * Shows this address in a window of the app, in a new one if none is open.
 * @param {string} path
 */
async function openApp(path) {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const known = windows.find(({ url }) => !OTHER_PAGES.test(new URL(url).pathname));
  if (!known) return worker.clients.openWindow(path);
  known.postMessage({ type: "open", path });
  await known.focus();
}
