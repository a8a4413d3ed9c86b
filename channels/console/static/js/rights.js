// What somebody may do in a channel: everything as its owner or the application's admin, else what was granted.

import { session } from "./session.js";

/** The grants, in the order in which they are offered; each has its texts `grant.<name>`. */
export const GRANTS = ["post", "edit_posts", "delete_posts", "pin_posts", "manage_subscribers", "change_info", "change_settings", "read_inbox", "see_insights"];

/** Whether the channel is mine, or all are. */
export const isOwner = (channel) => channel.role === "owner" || session.isAdmin;

/** Whether I hold this grant in the channel. */
export const may = (channel, grant) => isOwner(channel) || (channel.role === "admin" && channel.grants.includes(grant));
