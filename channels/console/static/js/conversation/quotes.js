// The messages that messages of a conversation quote. One that is not loaded is read by itself, once. What was deleted since,
// or what the reader may not see, is shown as such.

import { client } from "../client/api.js";
import { t } from "../texts.js";
import { contentPreview } from "../ui/previews.js";

export class Quotes {
  /**
   * `onChange()` is called when a quoted message was read, edited or deleted.
   * @param {App.Stream} stream
   * @param {() => unknown} onChange
   */
  constructor(stream, onChange) {
    this.#stream = stream;
    this.#onChange = onChange;
    stream.addEventListener("change", this.#onStream);
  }

  #stream;
  #onChange;
  /** By seq: the message; "missing" where it cannot be read, "reading" until it is. @type {Map<number, App.Item | "missing" | "reading">} */
  #known = new Map();
  #reading = 0;

  close() {
    this.#stream.removeEventListener("change", this.#onStream);
  }

  /**
   * The message with this seq; "reading" or "missing" where there is none yet, or none.
   * @param {number} seq
   */
  find(seq) {
    const found = this.#stream.items.get(seq) ?? this.#known.get(seq) ?? "reading";
    if (found === "reading" && !this.#known.has(seq)) this.#read(seq);
    if (found !== "reading") this.#known.set(seq, found);
    return found;
  }

  /**
   * What a message shows of the one with this seq, which it quotes. `open()` goes there.
   * @param {number} seq
   * @param {(item: App.Item) => string} nameOf
   * @param {() => unknown} open
   * @returns {App.Quote}
   */
  show(seq, nameOf, open) {
    const quoted = this.find(seq);
    if (quoted === "reading") return { name: "", text: "…", isMissing: false, open };
    if (quoted === "missing") return { name: "", text: t("quote.missing"), isMissing: true, open };
    if (quoted.recalled_at) return { name: "", text: t("message.deleted"), isMissing: false, open };
    return { name: nameOf(quoted), text: contentPreview(quoted), isMissing: false, open };
  }

  /** @param {number} seq */
  async #read(seq) {
    this.#known.set(seq, "reading");
    this.#reading++;
    /** @type {App.Item | "missing"} */
    const found = await client.request("GET", `${this.#stream.path}/${seq}`).catch(() => "missing");
    this.#known.set(seq, found);
    // Once for all that are read at the same time, since every message is drawn again.
    if (!--this.#reading) this.#onChange();
  }

  #onStream = () => {
    let hasChanged = false;
    for (const [seq, known] of this.#known) {
      const now = this.#stream.items.get(seq);
      if (!now || now === known) continue;
      this.#known.set(seq, now);
      hasChanged ||= typeof known === "string" || now.version !== known.version;
    }
    if (hasChanged) queueMicrotask(this.#onChange);
  };
}
