// Which files a post takes: their kinds, sizes and numbers, as the server's limits say, and in words why one is refused.
//
// A file is judged here by its name's type before it is uploaded. The server judges by the bytes, and has the last word.

import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { size } from "../../ui/format.js";

/** The formats that the server shows as pictures; it keeps all others as files to download. */
const PICTURES = ["image/jpeg", "image/png", "image/apng", "image/gif", "image/webp"];

/**
 * What the dialog to choose files offers for each kind.
 * @type {{ [Kind in Api.MediaKind]: string }}
 */
export const ACCEPTED = { image: PICTURES.join(","), video: "video/*", audio: "audio/*", file: "" };

/** The most bytes of a file of each kind. */
const LIMITS = {
  image: limits.image_bytes,
  video: limits.video_bytes,
  audio: limits.audio_bytes,
  file: limits.file_bytes,
};

/**
 * How a post carries this file, unless its author chose something else.
 * @param {File} file
 * @returns {Api.MediaKind}
 */
export function kindOf({ type }) {
  if (PICTURES.includes(type)) return "image";
  if (type.startsWith("video/")) return "video";
  return type.startsWith("audio/") ? "audio" : "file";
}

/** The limits in a sentence, to be read before a file is chosen. */
export const limitsInWords = () =>
  t("attach.hint", {
    n: limits.images_per_message,
    image: size(LIMITS.image),
    video: size(LIMITS.video),
    audio: size(LIMITS.audio),
    file: size(LIMITS.file),
  });

/**
 * Why a post that already carries `there` does not take this file as one of this kind; null when it does.
 * @param {File} file
 * @param {Api.MediaKind} kind
 * @param {{ kind: Api.MediaKind | null; count: number; hasPlace: boolean }} there
 */
export function refusalOf(file, kind, there) {
  const { name } = file;
  if (!file.size) return t("attach.empty", { name });
  if (file.size > LIMITS[kind])
    return t(`attach.tooLarge.${kind}`, { name, size: size(file.size), limit: size(LIMITS[kind]) });
  if (there.hasPlace || (there.count && (kind !== "image" || there.kind !== "image")))
    return t("attach.mixed", { name });
  if (there.count >= limits.images_per_message) return t("attach.full", { name, n: limits.images_per_message });
  return null;
}
