// Pictures of channels, groups and people; initials on a colour of their own where there is none to show.
//
// Channels are tiles, chats and people are round, so that one tells them apart without reading. Only pictures that this
// server keeps are loaded (see `channels/server/web/static.py`).

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

const COLOURS = 8;
const OURS = /^(?:https?:\/\/[^/]+)?(\/v1\/media\/[\w-]+)(?:\?size=\w+)?$/;

/** The address of a picture here at a size, or null where it is another host's. */
export function ownPicture(url, size = "thumb") {
  const found = OURS.exec(url ?? "");
  return found ? `${found[1]}?size=${size}` : null;
}

function initials(name) {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  const picked = words.length > 1 ? [words[0], words[1]] : words;
  const first = picked.map((word) => [...word][0]).join("");
  return first.toLocaleUpperCase() || [...name.trim()][0] || "?";
}

function colourOf(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.codePointAt(0)) % 9973;
  return sum % COLOURS;
}

/** `shape`: "tile" for channels, "round" for chats and people. */
export function avatar({ id, name, url, shape = "tile", size = "" }) {
  const box = h(`span.avatar.${shape}`, { "aria-hidden": "true", data: { colour: String(colourOf(id)) } });
  if (size) box.classList.add(size);
  const letters = () => fill(box, h("span", {}, initials(name)));
  const picture = ownPicture(url);
  if (picture) {
    fill(box, h("img", { src: picture, alt: "", loading: "lazy", decoding: "async", on: { error: letters } }));
  } else {
    letters();
  }
  return box;
}

/** The badge of a channel, or of a talk with one, that the application vouches for; null for every other. */
export function verifiedMark(shown) {
  return shown.verified ? h("span.verified", { role: "img", "aria-label": t("channel.verified") }, icon("check")) : null;
}
