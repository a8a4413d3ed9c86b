// Names and pictures of users, loaded once. All that a page needs at the same moment are loaded with one call.

import { client } from "./api.js";

/** @type {Map<string, App.Person>} */
const known = new Map(); // by user id: {name, face_url}
/** @type {Map<string, App.PeopleCall>} */
const calls = new Map(); // by user id: the call that loads this user
/** @type {App.PeopleCall | null} */
let nextCall = null; // {ids, callbacks}: the call that is made at the end of this turn of the event loop

/**
 * Stores the users of a page of a member list.
 * @param {{ user_id: string; name: string; name_card?: string; face_url: string }[]} members
 */
export function rememberPeople(members) {
  for (const member of members) {
    known.set(member.user_id, { name: member.name_card || member.name || member.user_id, face_url: member.face_url });
  }
}

/**
 * The user if known, otherwise a placeholder with the id as its name. `onLoad` is called once the user has been loaded.
 * @param {string} userId
 * @param {() => unknown} onLoad
 * @returns {App.Person}
 */
export function personOf(userId, onLoad) {
  const person = known.get(userId);
  if (person) return person;
  const call = calls.get(userId) ?? queue(userId);
  call.callbacks.add(onLoad);
  return { name: userId, face_url: "" };
}

/**
 * The user, once loaded; the id in place of the name where that fails.
 * @param {string} userId
 * @returns {Promise<App.Person>}
 */
export async function loadedPerson(userId) {
  if (!known.has(userId)) await load({ ids: [userId], callbacks: new Set() });
  return known.get(userId) ?? { name: userId, face_url: "" };
}

/** Those that are loaded, by name. @returns {App.Identity[]} */
export const knownPeople = () =>
  [...known]
    .map(([id, { name, face_url: url }]) => ({ id, name, url }))
    .sort((one, other) => one.name.localeCompare(other.name));

/**
 * The name alone.
 * @param {string} userId
 * @param {() => unknown} onLoad
 */
export const nameOf = (userId, onLoad) => personOf(userId, onLoad).name;

/** @param {string} userId */
function queue(userId) {
  if (nextCall === null) {
    /** @type {App.PeopleCall} */
    const started = { ids: [], callbacks: new Set() };
    nextCall = started;
    queueMicrotask(() => load(started));
  }
  nextCall.ids.push(userId);
  calls.set(userId, nextCall);
  return nextCall;
}

/** @param {App.PeopleCall} call */
async function load(call) {
  nextCall = null;
  try {
    const found = await client.byIds("/v1/users", "user_id", call.ids);
    for (const id of call.ids) {
      const user = found.get(id);
      known.set(id, { name: user?.name || id, face_url: user?.face_url ?? "" });
    }
  } catch {
    return; // the next rendering asks for them again
  } finally {
    for (const id of call.ids) calls.delete(id);
  }
  for (const onLoad of call.callbacks) onLoad();
}
