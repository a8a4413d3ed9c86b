// What events say of a poll. They are the same for all readers, so they carry neither counts that some may not see nor the
// user's own vote, and what is known of both stays.

/** @import * as Sdk from "../types/channels.js" */

/** @typedef {NonNullable<Sdk.Item["poll"]>} Poll */

/**
 * The poll that an event about its post or message carries, with the counts and the vote that are known.
 * @param {Poll} given
 * @param {Poll | null | undefined} known
 * @returns {Poll}
 */
export function pollInEvent(given, known) {
  // Nobody has voted in one that has just been posted.
  const votes = (/** @type {number} */ index) =>
    known ? (known.options[index]?.votes ?? null) : given.results === "always" ? 0 : null;
  return {
    ...given,
    options: given.options.map((option, index) => ({ ...option, votes: votes(index) })),
    voters: known ? known.voters : votes(0),
    mine: known?.mine ?? [],
  };
}

/**
 * The poll after votes: counts are null where not everybody may see them, and those that are known stay. An event of the
 * user's own vote, on whichever device, says what it is now.
 * @param {Poll} known
 * @param {{ options: number[] | null; voters: number | null; mine?: number[] }} event
 * @returns {Poll}
 */
export function pollAfterVotes(known, { options: counts, voters, mine = known.mine }) {
  if (counts === null) return { ...known, mine };
  const options = known.options.map((option, index) => ({ ...option, votes: counts[index] ?? option.votes }));
  return { ...known, options, voters, mine };
}

/**
 * Whether the user sees counts that an event does not carry, so that the post has to be read again.
 * @param {Poll} known
 * @param {{ options: number[] | null; mine?: number[] }} event
 */
export const hidesCounts = (known, { options, mine = known.mine }) =>
  options === null && (known.voters !== null || (known.results === "after_vote" && mine.length > 0));
