// Names and pictures of users, loaded once. All that a page needs at the same moment are loaded with one call.

import { fetchByIds } from "./api.js";

const known = new Map(); // by user id: {name, face_url}
const calls = new Map(); // by user id: the call that loads this user
let nextCall = null; // {ids, callbacks}: the call that is made at the end of this turn of the event loop

/** Stores the users of a page of a member list. */
export function rememberPeople(members) {
  for (const member of members) {
    known.set(member.user_id, { name: member.name_card || member.name || member.user_id, face_url: member.face_url });
  }
}

/** The user if known, otherwise a placeholder with the id as its name. `onLoad` is called once the user has been loaded. */
export function personOf(userId, onLoad) {
  if (known.has(userId)) return known.get(userId);
  const call = calls.get(userId) ?? queue(userId);
  call.callbacks.add(onLoad);
  return { name: userId, face_url: "" };
}

/** The name alone. */
export const nameOf = (userId, onLoad) => personOf(userId, onLoad).name;

function queue(userId) {
  if (nextCall === null) {
    nextCall = { ids: [], callbacks: new Set() };
    queueMicrotask(() => load(nextCall));
  }
  nextCall.ids.push(userId);
  calls.set(userId, nextCall);
  return nextCall;
}

async function load(call) {
  nextCall = null;
  try {
    const found = await fetchByIds("/v1/users", "user_id", call.ids);
    for (const id of call.ids) {
      const { name, face_url: faceUrl } = found.get(id) ?? {};
      known.set(id, { name: name || id, face_url: faceUrl ?? "" });
    }
  } catch {
    return; // the next rendering asks for them again
  } finally {
    for (const id of call.ids) calls.delete(id);
  }
  for (const onLoad of call.callbacks) onLoad();
}
