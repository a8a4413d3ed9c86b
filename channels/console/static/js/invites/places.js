// What an invite link or a request leads to: a channel or a group.

import { part } from "../client/api.js";

/**
 * The beginning of its calls.
 * @param {App.Place} place
 * @returns {App.PlacePath}
 */
export const placeOf = ({ kind, id }) => (kind === "channel" ? `/v1/channels/${part(id)}` : `/v1/groups/${part(id)}`);

/**
 * Whether an event is about this place.
 * @param {App.Event} event
 * @param {App.Place} place
 */
export const isOf = (event, { kind, id }) => (kind === "channel" ? event.channel_id : event.group_id) === id;
