// What the app does without the server: it shows what is kept on this device (`device/kept.js`, loaded when it is needed).

import { ApiError } from "../../sdk/core/http.js";

const FILE_WITHIN = 8000; // milliseconds
const STORE_WITHIN = 1500; // milliseconds

/**
 * The store of what is kept; null where its file cannot be loaded, which is so without a network before the service worker
 * has it.
 */
export const keptOnDevice = async () => {
  if (!isSecureContext) return null;
  return whenLoaded(import("../device/kept.js"), STORE_WITHIN).then(
    (module) => module.kept,
    () => null,
  );
};

/**
 * Whether a call failed because the server cannot be reached, does not answer, or is not behind its proxy now.
 * @param {unknown} error
 */
export const isAway = (error) => error instanceof ApiError && (error.status === 0 || error.status >= 502);

/**
 * A file of the app that is loaded when it is needed. Raises: ApiError where that cannot be done now. A server that stands
 * still answers no request for a file, and gives no error either.
 * @template Module
 * @param {Promise<Module>} file
 * @param {number} [milliseconds]
 * @returns {Promise<Module>}
 */
export function whenLoaded(file, milliseconds = FILE_WITHIN) {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new ApiError(0, "offline", "A file of the app cannot be loaded."));
    const timer = setTimeout(fail, milliseconds);
    file.then(resolve, fail).finally(() => clearTimeout(timer));
  });
}
