// The limits of this deployment, which the page carries, and the size of texts in UTF-8 bytes, the unit of those limits.

/** @type {HTMLMetaElement | null} */
const meta = document.querySelector('meta[name="channels-limits"]');

/**
 * By name, as `CHANNELS_LIMIT_<NAME>` sets them.
 * @type {Readonly<Api.Limits>}
 */
export const limits = Object.freeze(JSON.parse(meta?.content ?? "{}"));

const encoder = new TextEncoder();

/** @param {string} text */
export function bytesOf(text) {
  return encoder.encode(text).length;
}
