// The menu of a conversation, in the list and inside it: mark as read, pin, mute, notifications, folders. And the dialogs for folders.

import { asProblem } from "../client/api.js";
import { conversations } from "../client/conversations.js";
import { lengthError, limits } from "../client/limits.js";
import { folderPath, go } from "../router.js";
import { t } from "../texts.js";
import { attempt, confirmDialog, notice, promptDialog } from "../ui/overlay.js";

const HOUR = 3_600_000; // milliseconds

/**
 * @param {Api.ConversationResponse} conversation
 * @returns {App.MenuEntries}
 */
export function conversationEntries(conversation) {
  const id = conversation.conversation_id;
  /** @param {Api.UpdateConversation} changes */
  const change = (changes) => () => attempt(() => conversations.change(id, changes));
  const { pinned_at: isPinned, muted: isMuted } = conversation;
  /** @param {number} hours */
  const muteFor = (hours) => () => change({ muted_until: new Date(Date.now() + hours * HOUR).toISOString() })();
  /** @type {App.MenuEntries} */
  const muting = isMuted
    ? [{ label: t("conversation.unmute"), icon: "mute", act: change({ muted: false }) }]
    : [
        { label: t("conversation.mute.hours"), icon: "mute", act: muteFor(8) },
        { label: t("conversation.mute.week"), icon: "mute", act: muteFor(7 * 24) },
        { label: t("conversation.mute.always"), icon: "mute", act: change({ muted: true }) },
      ];
  /** @type {App.MenuEntries} */
  const folders = conversations.folders.map((name) => {
    const isIn = conversation.conversation_groups.includes(name);
    return {
      label: t(isIn ? "folder.remove" : "folder.add", { name }),
      checked: isIn,
      icon: "folder",
      act: () => setInFolder(conversation, name, !isIn),
    };
  });
  /** @type {App.MenuEntries} */
  const unread =
    conversation.unread_count > 0
      ? [{ label: t("conversation.read"), icon: "check", act: () => attempt(() => conversations.markRead(id)) }]
      : [];
  const addToNewFolder = async () => {
    const name = await createFolder();
    if (name !== null) setInFolder(conversation, name, true);
  };
  return [
    ...unread,
    { label: t(isPinned ? "conversation.unpin" : "conversation.pin"), icon: "pin", act: change({ pinned: !isPinned }) },
    ...muting,
    {
      label: t("conversation.notifications"),
      // Later servers may have further levels, which notify of some messages.
      checked: conversation.notifications !== "none",
      icon: "bell",
      act: change({ notifications: conversation.notifications === "none" ? "all" : "none" }),
    },
    null,
    ...folders,
    { label: t("folder.new.menu"), icon: "plus", act: addToNewFolder },
  ];
}

/**
 * @param {Api.ConversationResponse} conversation
 * @param {string} folder
 * @param {boolean} isIn
 */
export async function setInFolder(conversation, folder, isIn) {
  const isDone = await attempt(() => conversations.setInFolder(conversation.conversation_id, folder, isIn));
  if (isDone) notice(t(isIn ? "folder.added" : "folder.removed", { name: folder }));
}

/** Asks for a name and creates the folder. Returns the name, null when cancelled. */
export function createFolder() {
  return promptDialog({
    title: t("folder.new"),
    label: t("folder.name"),
    action: t("folder.create"),
    check: (name) => problemWith(name, () => conversations.createFolder(name)),
  });
}

/** @param {string} name */
export async function renameFolder(name) {
  const newName = await promptDialog({
    title: t("folder.rename.title"),
    label: t("folder.name"),
    value: name,
    action: t("app.save"),
    check: (text) => (text === name ? null : problemWith(text, () => conversations.renameFolder(name, text))),
  });
  if (newName !== null) go(folderPath(newName), { replace: true });
}

/** @param {string} name */
export async function deleteFolder(name) {
  if (
    !(await confirmDialog({
      title: t("folder.delete"),
      text: t("folder.delete.confirm", { name }),
      action: t("folder.delete"),
    }))
  )
    return;
  if (await attempt(() => conversations.deleteFolder(name))) go("/", { replace: true });
}

/**
 * Checks a folder's name, then runs `work`. Returns what to tell the user when either fails, otherwise null.
 * @param {string} name
 * @param {() => unknown} work
 */
async function problemWith(name, work) {
  if (!name.trim()) return t("error.required.name");
  const tooLong = lengthError(name, limits.conversation_group_name_bytes);
  if (tooLong !== null) return tooLong;
  try {
    await work();
    return null;
  } catch (error) {
    return asProblem(error).userMessage;
  }
}
