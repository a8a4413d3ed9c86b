// Reports which posts the user has seen, in batches and each post once. A report that fails is sent again later.

import { asProblem, part, post } from "./api.js";
import { session } from "./session.js";

const MAX_PER_CALL = 100;
/** @type {Map<string, Set<number>>} */
const reported = new Map(); // by user and channel: the seqs reported since the page was loaded

/**
 * Reports posts as seen. Returns [{seq, views}] of the newly reported ones, or nothing when the call fails.
 * @param {string} channelId
 * @param {number[]} seqs
 */
export async function reportSeen(channelId, seqs) {
  const key = `${session.userId} ${channelId}`;
  const known = reported.get(key) ?? new Set();
  reported.set(key, known);
  const fresh = seqs.filter((seq) => !known.has(seq)).slice(0, MAX_PER_CALL);
  if (!fresh.length) return [];
  for (const seq of fresh) known.add(seq);
  try {
    return (await post(`/v1/channels/${part(channelId)}/posts/views`, { seqs: fresh })).items;
  } catch (error) {
    asProblem(error);
    // They are reported when they are next seen.
    for (const seq of fresh) known.delete(seq);
    return [];
  }
}
