// The tags of a channel's subscribers, which only its staff sees: those that are in use, and the dialog that changes those of a
// subscriber.

import { client, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { formDialog } from "../moderation/form_dialog.js";
import { TagField } from "./tag_field.js";

/**
 * All tags in use, each with its number of subscribers. Empty where they cannot be read.
 * @param {string} channelId
 * @returns {Promise<Api.SubscriberTagResponse[]>}
 */
export const tagsInUse = (channelId) =>
  client
    .list(`/v1/channels/${part(channelId)}/subscriber-tags`)
    .all()
    .catch(() => []);

/**
 * Asks for the tags of a subscriber and stores them. Resolves with them, null when nothing was changed.
 * @param {string} channelId
 * @param {Pick<Api.SubscriberResponse, "user_id" | "name" | "tags">} subscriber
 * @returns {Promise<string[] | null>}
 */
export async function editTags(channelId, { user_id: userId, name, tags }) {
  const field = new TagField({ name: "tags", label: t("subscriberTags.label"), hint: t("subscriberTags.hint") });
  field.tags = tags ?? [];
  tagsInUse(channelId).then((all) => field.offer(all.map(({ tag }) => tag)));
  /** @type {string[] | null} */
  let stored = null;
  await formDialog({
    title: t("subscriberTags.of", { user: name || userId }),
    elements: [field.element],
    fields: [field],
    action: t("app.save"),
    isDangerous: false,
    work: async () => {
      const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/subscribers/${part(userId)}/tags`);
      stored = (await put(path, { tags: field.tags })).tags;
    },
  });
  return stored;
}
