// Where the reader was in a conversation, so that the browser's Back and Forward lead there again.
//
// A position belongs to an entry of the browser's history, not to the conversation: who opens a conversation anew starts
// at its first unread item. Positions are kept in this tab, of the last `KEPT` entries, and forgotten at sign-out.

const KEY = "channels.positions";
const KEPT = 50;

/**
 * The id of the current entry of the browser's history, which gets one if it has none.
 * @returns {string}
 */
export function currentEntry() {
  const { state } = window.history;
  if (typeof state?.entry === "string") return state.entry;
  const entry = `${Date.now()}.${Math.random()}`;
  window.history.replaceState({ ...state, entry }, "");
  return entry;
}

/** @returns {[entry: string, position: App.ReadingPosition][]} */
function stored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

/**
 * Keeps the position of an entry; null forgets it.
 * @param {string} entry
 * @param {App.ReadingPosition | null} position
 */
export function keepPosition(entry, position) {
  const others = stored().filter(([other]) => other !== entry);
  if (position) others.push([entry, position]);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(others.slice(-KEPT)));
  } catch {
    // No room, or storage is forbidden: the conversation opens as if for the first time.
  }
}

/**
 * The position that was kept for this entry and conversation.
 * @param {string} entry
 * @param {string} conversationId
 * @returns {App.ReadingPosition | null}
 */
export function keptPosition(entry, conversationId) {
  const position = stored().find(([other]) => other === entry)?.[1];
  return position?.conversationId === conversationId ? position : null;
}
