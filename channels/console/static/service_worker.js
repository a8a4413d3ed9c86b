// Shows the notifications that the server sends to this browser, and opens the conversation when one is clicked.
//
// The server delivers it at `/service-worker.js`, since a worker is in charge of the pages below its own address. It is
// told nothing of the signed-in user: a notification has all that is shown.

const worker = /** @type {App.PushWorker} */ (/** @type {unknown} */ (self));

/** Where the operator keeps texts out of notifications. */
const UNTITLED = "New message";

/** Pages of the server that are not the app. */
const OTHER_PAGES = /^\/(c|docs)(\/|$)/;

worker.addEventListener("push", (event) => {
  const message = event.data?.json();
  if (message) event.waitUntil(show(message));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openApp(pathOf(event.notification.data)));
});

/** @param {App.PushMessage} message */
function show(message) {
  return worker.registration.showNotification(message.title || UNTITLED, {
    body: message.body,
    // A newer message of a conversation takes the place of the one before.
    tag: message.conversation_id,
    renotify: true,
    timestamp: Date.parse(message.sent_at),
    data: message,
  });
}

/**
 * The address of the conversation in the app.
 * @param {App.PushMessage} message
 */
function pathOf({ channel_id: channelId, conversation_id: id, group_id: groupId }) {
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
