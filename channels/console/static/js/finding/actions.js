// What the palette can do, besides going somewhere. An action that the user may not do is not listed.
//
// To add one, add a line here. `run` may open a dialog: the palette is closed before.

import { asProblem, post } from "../client/api.js";
import { conversations } from "../client/conversations.js";
import { isStaff } from "../client/grants.js";
import { session } from "../client/session.js";
import { ChannelView } from "../conversation/channel_view.js";
import { ConversationView } from "../conversation/conversation_view.js";
import { conversationEntries, createFolder } from "../reader/conversation_menu.js";
import { createGroup, joinGroup, messagePerson } from "../reader/new_chat.js";
import { consolePath, feedPath, go, searchPath } from "../router.js";
import { t } from "../texts.js";
import { attempt, notice } from "../ui/overlay.js";
import { openConversationSearch } from "./conversation_search.js";
import { showKeys } from "./keys_dialog.js";

const THEMES = /** @type {const} */ (["light", "dark", "system"]);

/** @typedef {{ id: string; label: string; note?: string; icon: App.IconName; command?: App.Command; run: () => unknown }} Action */

/**
 * The actions of this moment: first those on the open conversation, then those of the app.
 * @param {App.CommandContext} context
 * @returns {Action[]}
 */
export function actions(context) {
  const view = context.view instanceof ConversationView && context.view.history ? context.view : null;
  return [...(view ? ofConversation(view, context) : []), ...ofApp(context)];
}

/**
 * @param {ConversationView<App.Info>} view
 * @param {App.CommandContext} context
 * @returns {Action[]}
 */
function ofConversation(view, context) {
  const { name } = view.identity;
  /** @type {Action[]} */
  const result = [
    {
      id: "search.here",
      label: t("action.search.here", { name }),
      icon: "search",
      command: "searchHere",
      run: () => openConversationSearch(view, context),
    },
  ];
  const conversation = conversations.byId.get(view.conversationId);
  // As its menu has them: pin, mute, notifications, folders.
  if (conversation)
    for (const entry of conversationEntries(conversation))
      if (entry) result.push({ id: `here.${entry.label}`, note: name, icon: "more", run: entry.act, ...entry });
  if (view instanceof ChannelView && (isStaff(view.info) || session.isAdmin))
    result.push({
      id: "manage",
      label: t("action.manage", { name }),
      icon: "pen",
      run: () => go(consolePath(view.id)),
    });
  return result;
}

/**
 * @param {App.CommandContext} context
 * @returns {Action[]}
 */
function ofApp(context) {
  const isInConsole = location.pathname.startsWith("/console");
  /** @type {(Action | false)[]} */
  const all = [
    { id: "feed", label: t("action.feed"), icon: "feed", run: () => go(feedPath()) },
    { id: "search", label: t("action.search"), icon: "search", command: "searchAll", run: () => go(searchPath({})) },
    { id: "find", label: t("nav.directory"), icon: "compass", run: () => go("/find") },
    { id: "read", label: t("action.read.all"), icon: "check", run: markAllRead },
    !session.isBusiness && { id: "person", label: t("newChat.person"), icon: "letter", run: messagePerson },
    !session.isBusiness && { id: "group", label: t("newChat.group"), icon: "people", run: createGroup },
    !session.isBusiness && { id: "join", label: t("newChat.join"), icon: "plus", run: joinGroup },
    { id: "folder", label: t("folder.new.menu"), icon: "folder", run: createFolder },
    isInConsole
      ? { id: "reader", label: t("action.reader"), icon: "reader", run: () => go("/") }
      : { id: "console", label: t("action.console"), icon: "pen", run: () => go("/console") },
    { id: "channel", label: t("action.newChannel"), icon: "plus", run: () => go("/console/new") },
    { id: "me", label: t("app.me"), icon: "person", run: () => go("/me") },
    ...themes(),
    { id: "keys", label: t("app.keys"), icon: "keys", command: "help", run: showKeys },
    { id: "docs", label: t("app.docs"), icon: "reader", run: () => open("/docs", "_blank", "noopener") },
    { id: "out", label: t("signin.out"), icon: "out", run: context.signOut },
  ];
  return all.filter((action) => action !== false);
}

/**
 * The themes, where the page can show one that is not the system's. The choice is stored on this device.
 * @returns {Action[]}
 */
function themes() {
  if (!document.querySelector('meta[name="theme-color"][data-theme]')) return [];
  const chosen = localStorage.getItem("channels.theme");
  return THEMES.filter((theme) => (theme === "system" ? chosen !== null : theme !== chosen)).map((theme) => ({
    id: `theme.${theme}`,
    label: t(`action.theme.${theme}`),
    icon: "moon",
    run: () => {
      if (theme === "system") localStorage.removeItem("channels.theme");
      else localStorage.setItem("channels.theme", theme);
      dispatchEvent(new Event("channels-theme"));
    },
  }));
}

async function markAllRead() {
  const isDone = await attempt(async () => {
    await post("/v1/read", { scope: "all" });
    // The counts come by an event too. This brings the marks of every row.
    await conversations.load().catch(asProblem);
  });
  if (isDone) notice(t("keys.markedRead"));
}
