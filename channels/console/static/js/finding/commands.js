// What the keyboard shortcuts do (`shortcuts.js` says which key means which).

import "./texts.js";
import { conversations } from "../client/conversations.js";
import { ConversationView } from "../conversation/conversation_view.js";
import { go, searchPath } from "../router.js";
import { t } from "../texts.js";
import { attempt, notice } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";
import { openConversationSearch, openSearch } from "./conversation_search.js";
import { showKeys } from "./keys_dialog.js";
import { listed, loadRest, pathOf, unread } from "./open_conversations.js";
import { moveFocus, pageItems } from "./page_items.js";
import { togglePalette } from "./palette.js";

/**
 * @param {App.Command} command
 * @param {App.CommandContext} context
 */
export async function run(command, context) {
  await loadStyle("css/finding.css");
  const view = context.view instanceof ConversationView && context.view.history ? context.view : null;
  switch (command) {
    case "palette":
      return togglePalette(context);
    case "searchHere":
    case "search":
      return view?.isSearchable ? openConversationSearch(view, context) : go(searchPath({}));
    case "searchAll":
      return go(searchPath({}));
    case "help":
      return showKeys();
    case "nextUnread":
      return goToUnread(1);
    case "previousUnread":
      return goToUnread(-1);
    case "next":
      return goTo(listed(), 1);
    case "previous":
      return goTo(listed(), -1);
    case "nextItem":
      return moveFocus(context.main, 1);
    case "previousItem":
      return moveFocus(context.main, -1);
    case "react":
      return use(context, "react");
    case "reply":
      return use(context, "reply");
    case "newest":
      return newest(context);
    case "markRead":
      return markRead(view);
    case "close":
      return close(view, context);
  }
}

/**
 * To the conversation after or before the open one, in the order of the list; at its end it begins anew.
 * @param {Api.ConversationResponse[]} all
 * @param {1 | -1} by
 */
function goTo(all, by) {
  if (!all.length) return;
  const order = listed();
  const here = order.findIndex((one) => pathOf(one) === location.pathname);
  const wanted = new Set(all);
  for (let step = 1; step <= order.length; step += 1) {
    const start = here < 0 && by < 0 ? 0 : here;
    const one = order[(start + by * step + 2 * order.length) % order.length];
    if (wanted.has(one)) return go(pathOf(one));
  }
}

/** @param {1 | -1} by */
async function goToUnread(by) {
  /** @param {Api.ConversationResponse} one */
  const isElsewhere = (one) => pathOf(one) !== location.pathname;
  // Those that are not loaded yet may be unread, too.
  if (!unread().some(isElsewhere) && conversations.unread.total > 0) await loadRest(() => !unread().some(isElsewhere));
  const all = unread().filter(isElsewhere);
  if (all.length) goTo(all, by);
  else notice(t("keys.noUnread"));
}

/**
 * Uses a control of the current post or message. The focus comes back to it.
 * @param {App.CommandContext} context
 * @param {"react" | "reply"} name
 */
function use({ view, main }, name) {
  const control = (view?.timeline ?? pageItems(main)).control(name);
  const item = view?.timeline?.current?.item;
  // A chat answers in its own writer, without a control on the message.
  if (!control && name === "reply" && item) return view?.reply?.(item);
  control?.focus();
  control?.click();
}

/** @param {App.CommandContext} context */
function newest({ view, main }) {
  if (view?.timeline) return view.timeline.focusNewest();
  main.querySelector(".page")?.scrollTo(0, 0);
  /** @type {HTMLButtonElement | null} */ (main.querySelector(".to-newest, .feed-new"))?.click();
}

/**
 * The conversation of the focused row, else the open one.
 * @param {ConversationView<App.Info> | null} view
 */
async function markRead(view) {
  const row = document.activeElement?.closest("[data-conversation]");
  const id = row instanceof HTMLElement ? row.dataset.conversation : view?.conversationId;
  if (!id || !conversations.byId.has(id)) return;
  if (await attempt(() => conversations.markRead(id))) notice(t("keys.markedRead"));
}

/**
 * Closes the search, else leaves the conversation for the list, where its row gets the focus.
 * @param {ConversationView<App.Info> | null} view
 * @param {App.CommandContext} context
 */
function close(view, context) {
  const search = openSearch();
  if (search) return search.close();
  if (document.fullscreenElement || !context.view || location.pathname === "/") return;
  const id = view?.conversationId;
  if (location.pathname.startsWith("/console")) return;
  if (view?.above) return go(view.above);
  go("/");
  // Once the list is shown, which moves the focus to its top.
  if (id) setTimeout(() => focusRow(id));
}

/** @param {string} conversationId */
function focusRow(conversationId) {
  const row = document.querySelector(`[data-conversation="${CSS.escape(conversationId)}"] a.row`);
  if (row instanceof HTMLElement) row.focus();
}
