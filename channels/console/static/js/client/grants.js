// What a user may do in a channel. The owner and the application's admin may do everything, an admin what was granted.

import { t } from "../texts.js";
import { session } from "./session.js";

/**
 * Every grant, in the order in which the app lists them. Each has a text `grant.<name>`.
 * @type {Api.Grant[]}
 */
export const GRANTS = [
  "post",
  "edit_posts",
  "delete_posts",
  "pin_posts",
  "manage_subscribers",
  "change_info",
  "change_settings",
  "read_inbox",
  "see_insights",
  "read_events",
  "manage_webhooks",
];

/**
 * Whether the user may do what only an owner may.
 * @param {Pick<Api.ChannelResponse, "role">} channel
 */
export const isOwner = (channel) => channel.role === "owner" || session.isAdmin;

/**
 * Whether the user is the channel's owner or one of its admins, not just the application's admin.
 * @param {{ role: Api.Role | null }} channel
 */
export const isStaff = ({ role }) => role === "owner" || role === "admin";

/**
 * Whether the user holds this grant in the channel.
 * @param {Pick<Api.ChannelResponse, "role" | "grants">} channel
 * @param {Api.Grant} grant
 */
export const may = (channel, grant) => isOwner(channel) || (channel.role === "admin" && channel.grants.includes(grant));

/**
 * A list of grants in words.
 * @param {Api.Grant[]} grants
 */
export function grantsText(grants) {
  if (grants.length === GRANTS.length) return t("grants.all");
  return grants.length ? grants.map((grant) => t(`grant.${grant}`)).join(", ") : t("grants.none");
}
