// The channels in which the user is the owner or an admin.

import { getAll } from "./api.js";
import { isStaff } from "./grants.js";

/** All of them, by name. */
export async function myChannels() {
  const channels = await getAll("/v1/channels", { subscribed: true });
  return channels.filter(isStaff).sort((one, other) => one.name.localeCompare(other.name));
}
