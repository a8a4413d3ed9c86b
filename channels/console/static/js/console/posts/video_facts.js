// What the browser can read from a video before it is uploaded: its size in pixels, its duration, and a frame as a picture.
//
// Never throws: a video that this browser cannot play has no facts.

const PATIENCE = 8000; // milliseconds
const POSTER_EDGE = 1280; // pixels of the longer edge
const POSTER_QUALITY = 0.82;
const POSTER_TYPE = "image/jpeg";
/** A frame from the first second shows more than the very first one, which is often black. */
const POSTER_AT = { seconds: 1, share: 0.1 };

/**
 * @typedef {object} VideoFacts
 * @property {number} width
 * @property {number} height
 * @property {number | null} seconds Null where the file does not say it, as recordings of browsers do.
 * @property {Blob | null} poster
 */

/**
 * The facts of a video; null when this browser cannot play it.
 * @param {Blob} file
 * @returns {Promise<VideoFacts | null>}
 */
export async function videoFacts(file) {
  const url = URL.createObjectURL(file);
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  try {
    const loaded = event(video, "loadeddata");
    video.src = url;
    await loaded;
    const { videoWidth: width, videoHeight: height, duration } = video;
    if (!width || !height) return null;
    const seconds = Number.isFinite(duration) ? duration : null;
    return { width, height, seconds, poster: await posterOf(video, seconds).catch(() => null) };
  } catch {
    return null;
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {number | null} seconds
 * @returns {Promise<Blob | null>}
 */
async function posterOf(video, seconds) {
  if (seconds) {
    const sought = event(video, "seeked");
    video.currentTime = Math.min(POSTER_AT.seconds, seconds * POSTER_AT.share);
    await sought;
  }
  const { videoWidth: width, videoHeight: height } = video;
  const scale = Math.min(1, POSTER_EDGE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, POSTER_TYPE, POSTER_QUALITY));
}

/**
 * Waits for an event of a video. Rejects when the video fails, or after a while.
 * @param {HTMLVideoElement} video
 * @param {"loadeddata" | "seeked"} type
 */
function event(video, type) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, PATIENCE);
    video.addEventListener(type, resolve, { once: true });
    video.addEventListener("error", reject, { once: true });
    video.addEventListener(type, () => clearTimeout(timer), { once: true });
  });
}
