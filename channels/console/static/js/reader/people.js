// The names and pictures that people show, asked for once and then known.

import { get, part } from "../api.js";

const known = new Map(); // by user id: {name, face_url}
const asked = new Map();

/** Take in a page of a member list. */
export function learn(members) {
  for (const member of members) {
    known.set(member.user_id, { name: member.name_card || member.name || member.user_id, face_url: member.face_url });
  }
}

/** The person if known, else one with the id for a name; `later` is called once when more has come. */
export function personOf(userId, later) {
  if (known.has(userId)) return known.get(userId);
  const nobody = { name: userId, face_url: "" };
  if (!asked.has(userId)) {
    asked.set(userId, get(`/v1/users/${part(userId)}`).then(
      (user) => known.set(userId, { name: user.name || userId, face_url: user.face_url }),
      () => known.set(userId, nobody),
    ));
  }
  asked.get(userId).then(later);
  return nobody;
}

/** The name alone. */
export const nameOf = (userId, later) => personOf(userId, later).name;
