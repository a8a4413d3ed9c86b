// Marks the words that were searched in a post or message on the page, without changing its elements.
//
// It uses the browser's highlights of ranges. A browser without them shows the post without marks.

const NAME = "found";
const WAIT = 10_000; // milliseconds

/** Removes the marks. */
export function unmarkWords() {
  if (hasHighlights()) CSS.highlights.delete(NAME);
}

const hasHighlights = () => "highlights" in CSS && typeof Highlight === "function";

/**
 * Marks in the item of a result what was found in its text, in place of earlier marks.
 * @param {HTMLElement} root
 * @param {App.Found} found
 */
export function markWords(root, { message, highlights }) {
  if (!hasHighlights()) return;
  unmarkWords();
  const item = root.querySelector(`[data-seq="${message.seq}"]`);
  const text = message.text ?? "";
  // What is shown may be formatted, so places in the text are not places on the page. Words are found again.
  const words = new Set(highlights.map(({ start, end }) => text.slice(start, end).toLowerCase()));
  if (item && words.size) CSS.highlights.set(NAME, new Highlight(...rangesOf(item, words)));
}

/**
 * Marks them once the item is on the page, which takes until its conversation is loaded.
 * @param {HTMLElement} root
 * @param {App.Found} found
 */
export function markWordsSoon(root, found) {
  const observer = new MutationObserver(() => {
    if (!root.querySelector(`.conversation [data-seq="${found.message.seq}"]`)) return;
    stop();
    markWords(root, found);
  });
  const stop = () => {
    clearTimeout(timer);
    observer.disconnect();
  };
  const timer = setTimeout(stop, WAIT);
  observer.observe(root, { childList: true, subtree: true });
}

/**
 * @param {Element} item
 * @param {Set<string>} words
 */
function rangesOf(item, words) {
  /** @type {Range[]} */
  const ranges = [];
  const walker = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const shown = node.textContent?.toLowerCase() ?? "";
    for (const word of words) {
      for (let at = shown.indexOf(word); at >= 0; at = shown.indexOf(word, at + word.length)) {
        const end = at + word.length;
        if (end > (node.textContent?.length ?? 0)) break;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, end);
        ranges.push(range);
      }
    }
  }
  return ranges;
}
