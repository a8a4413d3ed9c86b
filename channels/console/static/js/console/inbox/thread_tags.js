// Tags of the inbox's threads, which all who answer the inbox share: a button that edits those of a thread, and a menu that
// filters the list.

import { asProblem, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { attempt, menu, menuButton, promptDialog } from "../../ui/overlay.js";

const SEPARATORS = /[,،，]/;
const MOST = 5; // of a thread
const MOST_CHARACTERS = 30;

/** @param {readonly string[]} tags */
export function tagMarks(tags) {
  return tags.map((tag) => h("span.tag", { dir: "auto" }, tag));
}

/**
 * A button that asks for all tags of the thread, and stores them.
 * @param {import("./channel_inbox.js").ChannelInbox} inbox
 * @param {string} userId
 */
export function tagsButton(inbox, userId) {
  const edit = () =>
    promptDialog({
      title: t("tags.edit"),
      label: t("tags.label"),
      value: (inbox.byUserId.get(userId)?.tags ?? []).join(", "),
      action: t("app.save"),
      check: async (value) => {
        const tags = [...new Set(value.split(SEPARATORS).map((tag) => tag.trim()))].filter(Boolean);
        if (tags.length > MOST || tags.some((tag) => [...tag].length > MOST_CHARACTERS))
          return t("tags.tooMany", { n: MOST, characters: MOST_CHARACTERS });
        try {
          await put(inbox.tagsPath(userId), { tags });
        } catch (error) {
          return asProblem(error).userMessage;
        }
        inbox.setTags(userId, tags);
        return null;
      },
    });
  return h("button.quiet.small", { type: "button", on: { click: edit } }, t("tags.edit"));
}

/**
 * A button that shows the threads with one tag only. `onChoose(tag)` gets null for all.
 * @param {import("./channel_inbox.js").ChannelInbox} inbox
 * @param {(tag: string | null) => unknown} onChoose
 */
export function tagFilter(inbox, onChoose) {
  return menuButton({
    content: icon("folder"),
    label: t("tags.filter"),
    open: (anchor) =>
      attempt(async () => {
        const tags = await inbox.tags();
        menu(anchor, [
          { label: t("tags.all"), icon: "letter", act: () => onChoose(null) },
          ...(tags.length ? [null] : []),
          ...tags.map((tag) => ({ label: tag, icon: /** @type {const} */ ("folder"), act: () => onChoose(tag) })),
        ]);
      }),
  });
}
