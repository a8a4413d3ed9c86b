// The marks in texts of posts and messages: a small subset of Markdown, read into a tree of plain objects.
//
// Promises: it never makes elements, and never asks for anything; its caller decides how the tree is shown. Time and memory
// are linear in the length of the text, whatever is in it. Nesting is bounded. Every text is accepted: what is no mark stays
// as it was written. Addresses in the tree are http, https or mailto, without user names. `groups/kernel/text/markup.py` reads
// the same trees, and `tests/console/markup_cases.json` holds both to it.

/** @import * as Sdk from "../types/channels.js" */

const MOST_OPEN = 8; // marks that are open at once; beyond it the first one counts as text
const MOST_QUOTES = 3; // quotes in quotes
const MOST_LISTS = 3; // lists in lists
const MOST_ADDRESS = 2048; // characters

/** Every class of characters is written out, so that it means the same in other languages. */
const SPACES = " \\t\\n\\r\\v\\f\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";
const SPACE = new RegExp(`[${SPACES}]`);
const BLANK = new RegExp(`^[${SPACES}]*$`);
const FENCE = /^```[^` \t]*[ \t]*$/;
const FENCE_END = /^```[ \t]*$/;
const QUOTED = /^>(?:[ >]|$)/;
const ITEM = /^( {0,12})([-*]|[0-9]{1,9}[.)])[ \t]+(?=[^ \t])/;
const GOES_ON = /^ {2,}(?=[^ ])/;
/** What a text without any mark does not contain. */
const MARK = /[*_~`[\\>]|^ *(?:-|[0-9])/m;
/** Where something may begin; everything up to it is text. */
const NEXT = /[*_~`[\]\\]|https?:\/\//gi;
const LETTERS = "0-9a-z\\u00a1-\\u1fff\\u2c00-\\u2fff\\u3040-\\ud7ff\\uf900-\\ufdff\\ufe70-\\ufefc";
const HOST = new RegExp(
  `https?://(?:\\[[0-9a-f:.]+\\]|[${LETTERS}][-._${LETTERS}]*)(?::[0-9]{1,5})?(?![-._:@${LETTERS}])`,
  "iy",
);
const MAIL = /^mailto:[-0-9a-z._+]+@[0-9a-z][-0-9a-z.]*$/i;
/** What ends an address in running text. */
const ENDS = new RegExp(`[${SPACES}<>"\`，。！？；：、（）】》」』”’…]`);
/** Punctuation that ends a sentence or a mark, not an address. */
const TRAILING = new Set(".,;:!?'*_~»");
const ESCAPABLE = new Set("*_~`[]()<>-.");
/** A label that names an address might name another one than it leads to. */
const LIKE_ADDRESS = /:\/\/|\bwww\./i;

/**
 * The tree of a text.
 * @param {string} text
 * @returns {Sdk.MarkupBlock[]}
 */
export function parseMarkup(text) {
  return blocksOf(text.split(/\r\n|\r|\n/), 0);
}

/**
 * The text without its marks, as previews show it.
 * @param {string} text
 */
export function plainText(text) {
  return MARK.test(text) ? plainBlocks(parseMarkup(text)) : text;
}

/**
 * The address that a link may lead to, as it was written; otherwise null.
 * @param {string} address
 */
export function linkTarget(address) {
  if (address.length > MOST_ADDRESS || ENDS.test(address)) return null;
  HOST.lastIndex = 0;
  if (HOST.test(address) || MAIL.test(address)) return address;
  return null;
}

// --- lines

/**
 * @param {string[]} lines
 * @param {number} depth
 * @returns {Sdk.MarkupBlock[]}
 */
function blocksOf(lines, depth) {
  /** @type {Sdk.MarkupBlock[]} */
  const blocks = [];
  /** @type {string[]} */
  let run = [];
  let mayFence = true; // false once a fence was not closed: no later one is, either
  const endRun = () => {
    let [first, last] = [0, run.length];
    while (first < last && isBlank(run[first])) first++;
    while (last > first && isBlank(run[last - 1])) last--;
    if (last > first) blocks.push({ type: "text", children: paragraphs(run.slice(first, last)) });
    run = [];
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (mayFence && FENCE.test(line)) {
      let end = at + 1;
      while (end < lines.length && !FENCE_END.test(lines[end])) end++;
      if (end < lines.length) {
        endRun();
        blocks.push({ type: "code", text: lines.slice(at + 1, end).join("\n") });
        at = end + 1;
        continue;
      }
      mayFence = false;
    }
    if (depth < MOST_QUOTES && QUOTED.test(line)) {
      endRun();
      const inner = [];
      for (; at < lines.length && QUOTED.test(lines[at]); at++) inner.push(lines[at].replace(/^> ?/, ""));
      blocks.push({ type: "quote", children: blocksOf(inner, depth + 1) });
    } else if (ITEM.test(line)) {
      endRun();
      const items = [];
      for (; at < lines.length; at++) {
        const found = ITEM.exec(lines[at]);
        if (found) items.push({ indent: found[1].length, mark: found[2], lines: [lines[at].slice(found[0].length)] });
        else if (GOES_ON.test(lines[at])) items[items.length - 1].lines.push(lines[at].replace(/^ +/, ""));
        else break;
      }
      blocks.push(...listsOf(items));
    } else {
      run.push(line);
      at++;
    }
  }
  endRun();
  return blocks;
}

/** @param {string} line */
const isBlank = (line) => BLANK.test(line);

/**
 * The lists that these lines make. An item belongs to the last one before it that is at least two spaces less indented.
 * @param {{ indent: number; mark: string; lines: string[] }[]} items
 */
function listsOf(items) {
  /** @type {Sdk.MarkupList[]} */
  const lists = [];
  /** @type {{ indent: number; item: Sdk.MarkupItem }[]} */
  const open = [];
  for (const { indent, mark, lines } of items) {
    while (open.length && indent < open[open.length - 1].indent + 2) open.pop();
    if (open.length >= MOST_LISTS) open.length = MOST_LISTS - 1;
    const into = open.length ? open[open.length - 1].item.lists : lists;
    const start = mark === "-" || mark === "*" ? null : Number.parseInt(mark, 10);
    let list = into[into.length - 1];
    if (!list || (list.start === null) !== (start === null)) {
      list = { type: "list", start, items: [] };
      into.push(list);
    }
    /** @type {Sdk.MarkupItem} */
    const item = { children: inline(lines.join("\n")), lists: [] };
    list.items.push(item);
    open.push({ indent, item });
  }
  return lists;
}

/**
 * The inline tree of some lines. Marks do not reach over a blank line.
 * @param {string[]} lines
 */
function paragraphs(lines) {
  /** @type {Sdk.MarkupInline[]} */
  const children = [];
  let from = 0;
  for (let at = 0; at <= lines.length; at++) {
    if (at < lines.length && !isBlank(lines[at])) continue;
    if (at > from) children.push(...inline(lines.slice(from, at).join("\n")));
    if (at < lines.length) {
      let end = at;
      while (isBlank(lines[end])) end++;
      children.push("\n".repeat(end - at + 1));
      at = end - 1;
      from = end;
    }
  }
  return merged(children);
}

// --- inside of a paragraph

/**
 * @param {string} text
 * @returns {Sdk.MarkupInline[]}
 */
function inline(text) {
  const reader = new InlineReader(text);
  return reader.read();
}

class InlineReader {
  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  #text;
  #at = 0;
  /** @type {Sdk.MarkupInline[]} */
  #out = [];
  /** Marks that may still be closed: which, and where in `#out`. @type {{ mark: string; index: number }[]} */
  #open = [];
  /** Brackets that may begin a link: where in `#out`. @type {number[]} */
  #brackets = [];
  /** By length: false once a run of so many backticks was not found again. @type {Map<number, boolean>} */
  #codeEnds = new Map();

  read() {
    const text = this.#text;
    while (this.#at < text.length) {
      NEXT.lastIndex = this.#at;
      const found = NEXT.exec(text);
      const next = found ? found.index : text.length;
      if (next > this.#at) this.#out.push(text.slice(this.#at, next));
      this.#at = next;
      if (next < text.length) this.#special(text[next]);
    }
    return merged(this.#out);
  }

  /** @param {string} character */
  #special(character) {
    if (character === "\\") this.#escape();
    else if (character === "`") this.#code();
    else if (character === "[") this.#bracket();
    else if (character === "]") this.#closeBracket();
    else if (character === "h" || character === "H") this.#address();
    else this.#mark(character);
  }

  /** Adds so many characters as text. @param {number} length */
  #take(length) {
    this.#out.push(this.#text.slice(this.#at, this.#at + length));
    this.#at += length;
  }

  #escape() {
    const next = this.#text[this.#at + 1];
    if (next !== undefined && ESCAPABLE.has(next)) {
      this.#at++;
      this.#take(1);
    } else this.#take(1);
  }

  #code() {
    const [text, at] = [this.#text, this.#at];
    const length = runAt(text, at);
    if (this.#codeEnds.get(length) !== false) {
      for (let end = text.indexOf("`", at + length); end >= 0; ) {
        const found = runAt(text, end);
        if (found === length) {
          this.#out.push({ type: "code", text: spaced(text.slice(at + length, end)) });
          this.#at = end + length;
          return;
        }
        end = text.indexOf("`", end + found);
      }
      this.#codeEnds.set(length, false);
    }
    this.#take(length);
  }

  #bracket() {
    if (this.#brackets.length >= MOST_OPEN) this.#brackets.shift();
    this.#brackets.push(this.#out.length);
    this.#take(1);
  }

  #closeBracket() {
    const index = this.#brackets.pop();
    const end = index === undefined ? null : addressEnd(this.#text, this.#at + 1);
    const url = end === null ? null : linkTarget(this.#text.slice(this.#at + 2, end));
    if (index !== undefined && end !== null && url !== null) {
      const children = merged(this.#out.slice(index + 1));
      if (children.length && !holdsAddress(children)) {
        this.#out.length = index;
        while (this.#open.length && this.#open[this.#open.length - 1].index >= index) this.#open.pop();
        this.#brackets.length = 0; // no link is inside of another one
        this.#out.push({ type: "link", url, children });
        this.#at = end + 1;
        return;
      }
    }
    this.#take(1);
  }

  #address() {
    const [text, at] = [this.#text, this.#at];
    HOST.lastIndex = at;
    if (isWord(text[at - 1]) || !HOST.test(text)) return this.#take(1);
    let end = HOST.lastIndex;
    const opened = { ")": 0, "]": 0 };
    for (; end < text.length && !ENDS.test(text[end]); end++) {
      const character = text[end];
      if (character === "(") opened[")"]++;
      else if (character === "[") opened["]"]++;
      // A bracket that the address did not open is around it.
      else if ((character === ")" || character === "]") && opened[character]-- === 0) break;
    }
    if (end - at > MOST_ADDRESS) return this.#take(end - at);
    while (TRAILING.has(text[end - 1])) end--;
    const url = linkTarget(text.slice(at, end));
    if (url === null) return this.#take(end - at);
    this.#out.push({ type: "link", url, children: [url] });
    this.#at = end;
  }

  /** @param {string} character */
  #mark(character) {
    const [text, at] = [this.#text, this.#at];
    let length = runAt(text, at);
    const [before, after] = [text[at - 1], text[at + length]];
    const isMark = character === "*" ? length <= 3 : length === (character === "~" ? 2 : 1);
    if (!isMark) return this.#take(length);
    this.#at += length;
    const [touchesBefore, touchesAfter] = [!isSpace(before), !isSpace(after)];
    if (touchesBefore) {
      while (length > 0) {
        const wanted = length === 3 ? [1, 2] : [length];
        const closed = this.#close(character, wanted, isWord(after));
        if (!closed) break;
        length -= closed;
      }
    }
    // As bold and italic, bold is the outer one.
    for (const part of length === 3 ? [2, 1] : length ? [length] : []) {
      const mark = character.repeat(part);
      if (touchesAfter && !(isWordMark(mark) && isWord(before))) {
        if (this.#open.length >= MOST_OPEN) this.#open.shift();
        this.#open.push({ mark, index: this.#out.length });
      }
      this.#out.push(mark);
    }
  }

  /**
   * Closes the nearest open mark of one of these lengths. Returns its length, 0 when there is none.
   * @param {string} character
   * @param {number[]} lengths
   * @param {boolean} isBeforeWord
   */
  #close(character, lengths, isBeforeWord) {
    for (let at = this.#open.length - 1; at >= 0; at--) {
      const { mark, index } = this.#open[at];
      if (mark[0] !== character || !lengths.includes(mark.length)) continue;
      if ((isBeforeWord && isWordMark(mark)) || index + 1 === this.#out.length) continue;
      const children = merged(this.#out.slice(index + 1));
      this.#open.length = at;
      this.#out.length = index;
      while (this.#brackets.length && this.#brackets[this.#brackets.length - 1] >= index) this.#brackets.pop();
      /** @type {"bold" | "italic" | "strike"} */
      const type = mark === "**" ? "bold" : mark === "~~" ? "strike" : "italic";
      this.#out.push({ type, children });
      return mark.length;
    }
    return 0;
  }
}

/**
 * How often the character at this place is repeated there.
 * @param {string} text
 * @param {number} at
 */
function runAt(text, at) {
  let end = at + 1;
  while (text[end] === text[at]) end++;
  return end - at;
}

/**
 * The code between backticks. Where it begins or ends with a backtick itself, spaces on both sides set that apart.
 * @param {string} code
 */
function spaced(code) {
  const isApart = code.startsWith(" ") && code.endsWith(" ") && /[^ ]/.test(code);
  return isApart ? code.slice(1, -1) : code;
}

/**
 * Where the address in parentheses ends that begins here: the place of the closing one; null when there is none.
 * @param {string} text
 * @param {number} at
 */
function addressEnd(text, at) {
  if (text[at] !== "(") return null;
  const most = Math.min(text.length, at + MOST_ADDRESS + 2);
  let isInside = false;
  for (let end = at + 1; end < most; end++) {
    const character = text[end];
    if (character === ")" && !isInside) return end;
    if (character === ")") isInside = false;
    else if (character === "(" && isInside) return null;
    else if (character === "(") isInside = true;
    else if (ENDS.test(character)) return null;
  }
  return null;
}

/**
 * @param {Sdk.MarkupInline[]} children
 * @returns {boolean}
 */
function holdsAddress(children) {
  return children.some((child) => {
    if (typeof child === "string") return LIKE_ADDRESS.test(child);
    return child.type === "link" || (child.type !== "code" && holdsAddress(child.children));
  });
}

/** @param {string | undefined} character */
const isSpace = (character) => character === undefined || SPACE.test(character);

/** Single marks are none inside of a word: `snake_case`, `2*3*4`. @param {string} mark */
const isWordMark = (mark) => mark === "*" || mark === "_";

/** Letters and digits of scripts that separate words by spaces. @param {string | undefined} character */
const isWord = (character) => character !== undefined && character < "\u2e80" && /[\p{L}\p{N}]/u.test(character);

/**
 * The same, with neighbouring texts as one.
 * @param {Sdk.MarkupInline[]} children
 */
function merged(children) {
  /** @type {Sdk.MarkupInline[]} */
  const found = [];
  /** @type {string[]} */
  let texts = [];
  const endText = () => {
    const text = texts.join("");
    if (text) found.push(text);
    texts = [];
  };
  for (const child of children) {
    if (typeof child === "string") texts.push(child);
    else {
      endText();
      found.push(child);
    }
  }
  endText();
  return found;
}

// --- without marks

/** @param {Sdk.MarkupBlock[]} blocks */
function plainBlocks(blocks) {
  return blocks.map(plainBlock).join("\n");
}

/**
 * @param {Sdk.MarkupBlock} block
 * @returns {string}
 */
function plainBlock(block) {
  if (block.type === "code") return block.text;
  if (block.type === "quote") return plainBlocks(block.children);
  if (block.type === "list") return plainList(block);
  return plainInline(block.children);
}

/**
 * @param {Sdk.MarkupList} list
 * @returns {string}
 */
function plainList({ start, items }) {
  return items
    .flatMap((item, index) => [
      `${start === null ? "•" : `${start + index}.`} ${plainInline(item.children)}`,
      ...item.lists.map(plainList),
    ])
    .join("\n");
}

/**
 * @param {Sdk.MarkupInline[]} children
 * @returns {string}
 */
function plainInline(children) {
  return children
    .map((child) => {
      if (typeof child === "string") return child;
      return child.type === "code" ? child.text : plainInline(child.children);
    })
    .join("");
}
