// Which key is which command, and whether keys of a single character are on.

const STORAGE_KEY = "channels.keys";
const OFF = "off";

/**
 * By key: `Mod` is Ctrl, on a Mac ⌘.
 * @type {{ [key: string]: App.Command }}
 */
export const KEYS = {
  "Mod+k": "palette",
  "Mod+f": "searchHere",
  "Mod+Shift+f": "searchAll",
  "Alt+ArrowDown": "nextUnread",
  "Alt+ArrowUp": "previousUnread",
  "Alt+Shift+ArrowDown": "next",
  "Alt+Shift+ArrowUp": "previous",
  End: "newest",
  Escape: "close",
  "?": "help",
  "؟": "help", // on Arabic and Persian keyboards
  "/": "search",
  j: "nextItem",
  k: "previousItem",
  r: "reply",
  "+": "react",
  m: "markRead",
};
/** Whether keys of a single character are on, which they are until the user switches them off on this device. */
export const singleKeys = {
  get areOn() {
    return localStorage.getItem(STORAGE_KEY) !== OFF;
  },
  /** @param {boolean} areOn */
  set(areOn) {
    if (areOn) localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, OFF);
  },
};
