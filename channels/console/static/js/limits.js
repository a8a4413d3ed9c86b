// The limits of this deployment, as the page brought them, and how text is measured against them: in UTF-8 bytes.

const meta = document.querySelector('meta[name="channels-limits"]');

/** By name, as `CHANNELS_LIMIT_<NAME>` sets them. */
export const limits = Object.freeze(JSON.parse(meta.content));

const encoder = new TextEncoder();

/** How many bytes the text has in UTF-8. */
export function bytesOf(text) {
  return encoder.encode(text).length;
}
