// The title of the page: the name of what is shown, and in front of it the numbers of unread posts and messages. Where the app
// is installed, their sum is on its icon as well.

import { t } from "../texts.js";

let name = "";
let unread = { channels: 0, chats: 0 };

/**
 * Names what is shown, such as a channel; an empty name is the app itself.
 * @param {string} text
 */
export function setPageName(text) {
  name = text;
  show();
}

/**
 * Posts and messages are counted apart; the icon has room for their sum.
 * @param {{ channels: number; chats: number }} counts
 */
export function setUnread(counts) {
  const sum = counts.channels + counts.chats;
  if (sum !== unread.channels + unread.chats) navigator.setAppBadge?.(sum).catch(() => {}); // not installed
  unread = counts;
  show();
}

function show() {
  const title = name ? t("app.title.view", { name }) : t("app.title");
  const counts = /** @type {const} */ (["channels", "chats"])
    .filter((scope) => unread[scope] > 0)
    .map((scope) => t(`app.title.${scope}`, { n: unread[scope] }));
  document.title = counts.length ? t("app.title.unread", { counts: counts.join(" · "), title }) : title;
}
