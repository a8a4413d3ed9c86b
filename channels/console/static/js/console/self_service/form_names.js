// The forms of a channel by name, for the fields that choose one. Loaded when one is to be chosen first.

import { get, part } from "../../client/api.js";

/** @type {Map<string, Promise<Api.FormResponse[]>>} */
const loading = new Map(); // by channel

/**
 * Throws what the API refused.
 * @param {string} channelId
 */
export function formsOf(channelId) {
  const known = loading.get(channelId);
  if (known) return known;
  const forms = get(`/v1/channels/${part(channelId)}/forms`).then(({ items }) => items);
  loading.set(channelId, forms);
  forms.catch(() => loading.delete(channelId));
  return forms;
}

/** The forms have changed. @param {string} channelId */
export const forgetForms = (channelId) => loading.delete(channelId);
