// The service worker of the app, which keeps its files and shows notifications (`service_worker.js` beside `js`).
//
// Browsers have service workers on `https` and on this machine only.

const WORKER = "/service-worker.js";

export const hasWorkers = () => isSecureContext && "serviceWorker" in navigator;

/** Registers the worker, which changes nothing if it is. Raises: TypeError; DOMException. */
export async function registerWorker() {
  return navigator.serviceWorker.register(workerAddress(), { scope: "/", updateViaCache: "none" });
}

/** @type {string | null} */
let trusted = null;

/** The worker's address as a text that may become a script: the page's policy allows a single maker of such texts. */
function workerAddress() {
  const { trustedTypes } = /** @type {App.TrustedTypesWindow} */ (/** @type {unknown} */ (window));
  trusted ??= trustedTypes
    ? trustedTypes.createPolicy("service-worker", { createScriptURL: () => WORKER }).createScriptURL("")
    : WORKER;
  return trusted;
}
