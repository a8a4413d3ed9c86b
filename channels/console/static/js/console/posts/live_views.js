// Keeps the view counts of the posts on the screen up to date.
//
// A view is no event: a popular post has thousands of them in a second, and each admin's window would receive all of them.
// So the posts on the screen are read again every 15 seconds while the window is visible: one call, of at most a page.

import { get } from "../../client/api.js";
import { everyWhileVisible } from "../../ui/dom.js";

const READ_EVERY = 15_000; // milliseconds
const MOST = 30; // posts a call

export class LiveViews {
  /**
   * `list` holds the elements of posts with `data-seq`.
   * @param {{ stream: App.Stream; list: HTMLElement; path: `${App.ChannelPath}/posts` }} options
   */
  constructor({ stream, list, path }) {
    this.#stream = stream;
    this.#list = list;
    this.#path = path;
    this.#timer = everyWhileVisible(READ_EVERY, () => this.#read());
  }

  #stream;
  #list;
  #path;
  #timer;

  close() {
    clearInterval(this.#timer);
  }

  async #read() {
    const seqs = this.#seqsOnScreen();
    if (!seqs.length) return;
    const first = Math.min(...seqs);
    const limit = Math.min(MOST, Math.max(...seqs) - first + 1);
    // After a failure, the next time brings the counts.
    const page = await get(this.#path, { after_seq: first - 1, limit }).catch(() => null);
    if (page) this.#stream.setViewCounts(page.items.map(({ seq, views }) => ({ seq, views: views ?? 0 })));
  }

  #seqsOnScreen() {
    return [.../** @type {Iterable<HTMLElement>} */ (this.#list.children)]
      .filter((element) => {
        const { top, bottom } = element.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      })
      .map((element) => Number(element.dataset.seq));
  }
}
