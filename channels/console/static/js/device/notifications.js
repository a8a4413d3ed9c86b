// Notifications on this device: a subscription of the browser to Web Push, which the server knows as a device of the user.
//
// A subscription belongs to the browser, so it ends when its user signs out, or when another user signs in.

import { del, get, part, put } from "../client/api.js";
import { session } from "../client/session.js";
import { go } from "../router.js";
import { loadTexts, locale, t } from "../texts.js";
import { notice } from "../ui/overlay.js";
import { hasWorkers, registerWorker } from "./service_worker.js";

await loadTexts("device/notifications");

const STORAGE_KEY = "channels.device";
const APP_ID = "web-app";
const SIGN_OUT_WAIT = 2000; // milliseconds; signing out does not wait longer for the server

/** Whether this browser has notifications. Browsers have them on `https` and on this machine only. */
const isSupported = () => hasWorkers() && "PushManager" in window && "Notification" in window;

export const deviceNotifications = new (class {
  /** @type {Promise<string | null> | null} */
  #key = null;

  /** Whether they are on for the signed-in user. */
  get isOn() {
    return isSupported() && Notification.permission === "granted" && stored()?.user === session.userId;
  }

  /**
   * The switch, where this browser has notifications and the server a key for them.
   * @returns {Promise<App.MenuEntries>}
   */
  async menuEntries() {
    if (!(await this.#isOffered())) return [];
    const { isOn } = this;
    const act = () => (isOn ? this.turnOff() : this.turnOn());
    return [{ label: t("device.notifications"), icon: "bell", checked: isOn, act }];
  }

  async #isOffered() {
    return isSupported() && !session.isBusiness && (await this.#serverKey()) !== null;
  }

  /** Registers the device again, which the server wants at each start, and follows clicks on notifications. Never throws. */
  async start() {
    if (!isSupported()) return;
    const known = stored();
    if (known === null) return;
    try {
      if (known.user !== session.userId || Notification.permission !== "granted") await forgetSubscription();
      else if (await this.#isOffered()) await this.#register(known.id);
    } catch {
      // It is tried again at the next start; what was registered before stays so.
    }
  }

  /** Asks for the user's permission and registers the device. Says so where it cannot be done. */
  async turnOn() {
    try {
      if ((await Notification.requestPermission()) !== "granted")
        return notice(t("device.notifications.denied"), { isBad: true });
      await this.#register(newId());
      notice(t("device.notifications.isOn"));
    } catch {
      await forgetSubscription().catch(() => {});
      notice(t("device.notifications.failed"), { isBad: true });
    }
  }

  async turnOff() {
    await this.#end();
    notice(t("device.notifications.isOff"));
  }

  /** Ends the notifications of a user who signs out, while they are still signed in. Never throws, and waits not long. */
  async beforeSignOut() {
    if (stored() === null) return;
    await Promise.race([this.#end(), new Promise((resolve) => setTimeout(resolve, SIGN_OUT_WAIT))]);
  }

  /** Without the server, the browser's push service says at the next notification that the device is gone. */
  async #end() {
    const known = stored();
    /** @type {Promise<unknown>[]} */
    const ends = [forgetSubscription()];
    if (known?.user === session.userId) ends.push(del(`/v1/devices/${part(known.id)}`));
    await Promise.allSettled(ends);
  }

  /** The key for subscriptions, null where the server sends no Web Push. Asked for once. */
  async #serverKey() {
    this.#key ??= get("/v1/push").then(({ vapid_public_key: key }) => key);
    try {
      return await this.#key;
    } catch {
      this.#key = null;
      return null;
    }
  }

  /**
   * Subscribes, where the browser is not subscribed already, and registers the device under this id.
   * @param {string} id
   */
  async #register(id) {
    const key = await this.#serverKey();
    if (key === null) throw new Error("no key");
    await registerWorker();
    const { pushManager } = await navigator.serviceWorker.ready;
    const options = { userVisibleOnly: true, applicationServerKey: key };
    const before = await pushManager.getSubscription();
    // A subscription for another key, which the server had before, is worthless.
    const subscription = await pushManager.subscribe(options).catch(async (error) => {
      if (before === null) throw error;
      await before.unsubscribe();
      return pushManager.subscribe(options);
    });
    const { endpoint = "", keys = {} } = subscription.toJSON();
    await put(`/v1/devices/${part(id)}`, {
      platform: "web",
      subscription: { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } },
      app_id: APP_ID,
      locale: locale(),
    });
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ user: session.userId, id }));
  }
})();

if (isSupported())
  // A notification was clicked while the app is open.
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.type === "open" && session.token) go(String(data.path));
  });

/**
 * The device that this browser is registered as, and for whom.
 * @returns {{ user: string; id: string } | null}
 */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "null");
  } catch {
    return null;
  }
}

const newId = () =>
  `web-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16)).join("")}`;

/** Ends the browser's subscription. */
async function forgetSubscription() {
  localStorage.removeItem(STORAGE_KEY);
  const registration = await navigator.serviceWorker.getRegistration("/");
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}
