// Reports which posts the user has seen, in batches and each post once. A report that fails is sent again later.

import { part, post } from "./api.js";
import { session } from "./session.js";

const MAX_PER_CALL = 100;
const reported = new Map(); // by user and channel: the seqs reported since the page was loaded

/** Reports posts as seen. Returns [{seq, views}] of the newly reported ones, or nothing when the call fails. */
export async function reportSeen(channelId, seqs) {
  const key = `${session.userId} ${channelId}`;
  if (!reported.has(key)) reported.set(key, new Set());
  const known = reported.get(key);
  const fresh = seqs.filter((seq) => !known.has(seq)).slice(0, MAX_PER_CALL);
  if (!fresh.length) return [];
  for (const seq of fresh) known.add(seq);
  try {
    return (await post(`/v1/channels/${part(channelId)}/posts/views`, { seqs: fresh })).items;
  } catch (problem) {
    if (problem.code === undefined) throw problem;
    // They are reported when they are next seen.
    for (const seq of fresh) known.delete(seq);
    return [];
  }
}
