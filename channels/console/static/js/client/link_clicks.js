// Reports clicks on links of posts, where a channel counts them: each link of a post once while the page is loaded. A user
// whose browser asks not to be tracked is never reported.

import { asProblem, part, post } from "./api.js";
import { session } from "./session.js";

/** By user, channel, post and address: the clicks reported since the page was loaded. @type {Set<string>} */
const reported = new Set();

/** Whether the browser says that its user does not want to be tracked. */
export function asksNotToBeTracked() {
  const { doNotTrack } = navigator;
  return (
    doNotTrack === "1" || /** @type {{ globalPrivacyControl?: boolean }} */ (navigator).globalPrivacyControl === true
  );
}

/**
 * Reports that the user opened a link of a post. It is never waited for, and a failure is of no interest to the user.
 * @param {string} channelId
 * @param {number} seq
 * @param {string} url As it is written in the post.
 */
export async function reportClick(channelId, seq, url) {
  const key = `${session.userId} ${channelId} ${seq} ${url}`;
  if (asksNotToBeTracked() || reported.has(key)) return;
  reported.add(key);
  try {
    await post(`/v1/channels/${part(channelId)}/posts/${seq}/clicks`, { url });
  } catch (error) {
    asProblem(error);
    // It is reported with the next click.
    reported.delete(key);
  }
}
