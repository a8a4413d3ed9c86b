// The channels that one runs.

import { get } from "./api.js";

const PAGE = 100;

/** Those I own and those I am an admin of, by name. */
export async function ownChannels() {
  const found = [];
  let cursor = null;
  do {
    const page = await get("/v1/channels", { subscribed: true, limit: PAGE, cursor });
    found.push(...page.items.filter(({ role }) => role === "owner" || role === "admin"));
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found.sort((one, other) => one.name.localeCompare(other.name));
}
