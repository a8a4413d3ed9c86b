// The names and pictures that people show, asked for once and then known: all that a page needs at once in one call.

import { lookUp } from "../api.js";

const known = new Map(); // by user id: {name, face_url}
let wanted = null; // who is asked for with the next call, and who waits for the answer: {ids, waiting}
const asked = new Map(); // by user id: the call that he is in

/** Take in a page of a member list. */
export function learn(members) {
  for (const member of members) {
    known.set(member.user_id, { name: member.name_card || member.name || member.user_id, face_url: member.face_url });
  }
}

/** The person if known, else one with the id for a name; `later` is called once when more has come, if it does. */
export function personOf(userId, later) {
  if (known.has(userId)) return known.get(userId);
  const call = asked.get(userId) ?? want(userId);
  call.waiting.add(later);
  return { name: userId, face_url: "" };
}

/** The name alone. */
export const nameOf = (userId, later) => personOf(userId, later).name;

/** Whom I name before this turn of the page ends, the same call asks for. */
function want(userId) {
  if (wanted === null) {
    wanted = { ids: [], waiting: new Set() };
    queueMicrotask(() => ask(wanted));
  }
  wanted.ids.push(userId);
  asked.set(userId, wanted);
  return wanted;
}

async function ask(call) {
  wanted = null;
  try {
    const found = await lookUp("/v1/users", "user_id", call.ids);
    for (const id of call.ids) {
      const { name, face_url: faceUrl } = found.get(id) ?? {};
      known.set(id, { name: name || id, face_url: faceUrl ?? "" });
    }
  } catch {
    return; // whoever draws again asks again
  } finally {
    for (const id of call.ids) asked.delete(id);
  }
  for (const later of call.waiting) later();
}
