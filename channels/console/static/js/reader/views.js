// Which posts this user has had before his eyes: told once each, in batches, and told again when telling failed.

import { part, post } from "../api.js";
import { session } from "../session.js";

const MOST_PER_CALL = 100;
const told = new Map(); // by user and channel: seqs told since the page was loaded

/** Report posts as seen; answers [{seq, views}] of those that were not told before, empty where that fails. */
export async function tellSeen(channelId, seqs) {
  const key = `${session.userId} ${channelId}`;
  if (!told.has(key)) told.set(key, new Set());
  const known = told.get(key);
  const fresh = seqs.filter((seq) => !known.has(seq)).slice(0, MOST_PER_CALL);
  if (!fresh.length) return [];
  for (const seq of fresh) known.add(seq);
  try {
    return (await post(`/v1/channels/${part(channelId)}/posts/views`, { seqs: fresh })).items;
  } catch (problem) {
    if (problem.code === undefined) throw problem;
    // Nobody waits for it: they are told when they are seen the next time.
    for (const seq of fresh) known.delete(seq);
    return [];
  }
}
