// Pictures of channels, groups and people, or their initials on a colour when there is no picture.
//
// Channels are tiles, groups and people are round. Only pictures on this server are loaded: the page's security policy
// forbids others (`channels/server/web/pages/static.py`).

import { t } from "../texts.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

const COLOURS = 8;
const UPLOAD = /^(?:https?:\/\/[^/]+)?(\/v1\/media\/[\w-]+)(?:\?size=\w+)?$/;

/**
 * The address of an uploaded picture at this size; null when it is on another host.
 * @param {string | null | undefined} url
 * @param {"thumb" | "large"} [size]
 */
export function localPicture(url, size = "thumb") {
  const found = UPLOAD.exec(url ?? "");
  return found ? `${found[1]}?size=${size}` : null;
}

/** @param {string} name */
function initials(name) {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  const first = words
    .slice(0, 2)
    .map((word) => [...word][0])
    .join("");
  return first.toLocaleUpperCase() || [...name.trim()][0] || "?";
}

/** @param {string} id */
function colourOf(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + Number(character.codePointAt(0))) % 9973;
  return sum % COLOURS;
}

/**
 * `shape` is "tile" for channels, "round" for groups and people.
 * @param {App.Identity & { size?: string }} options
 */
export function avatar({ id, name, url, shape = "tile", size = "" }) {
  const box = h(`span.avatar.${shape}`, { "aria-hidden": "true", data: { colour: String(colourOf(id)) } });
  if (size) box.classList.add(size);
  const letters = () => fill(box, h("span", {}, initials(name)));
  const picture = localPicture(url);
  if (picture) {
    fill(box, h("img", { src: picture, alt: "", loading: "lazy", decoding: "async", on: { error: letters } }));
  } else {
    letters();
  }
  return box;
}

/**
 * The badge of a verified channel, or of a chat with one; null for others.
 * @param {{ verified: boolean }} item
 */
export function verifiedMark({ verified }) {
  return verified ? h("span.verified", { role: "img", "aria-label": t("channel.verified") }, icon("check")) : null;
}
