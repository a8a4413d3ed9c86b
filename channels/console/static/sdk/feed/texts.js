// The texts of `<channel-feed>`. A page gives others with `ChannelFeed.texts.de = {…}`, or one element with `feed.texts = {…}`.

/**
 * A text, or one for each plural form of its language.
 * @typedef {string | ({ [Form in Intl.LDMLPluralRule]?: string } & { other: string })} Text
 */
/** @typedef {{ [key: string]: Text | undefined }} Texts */

export const ENGLISH = {
  "feed": "Posts of {name}",
  "loading": "Loading…",
  "empty": "No posts yet.",
  "older": "Show older posts",
  "new": { one: "{n} new post", other: "{n} new posts" },
  "lost": "Connection lost. Reconnecting…",
  "retry": "Try again",
  "error.token": "Your sign-in is missing, not valid, or has expired.",
  "error.missing": "This channel does not exist, or you may not read it.",
  "error.offline": "The server cannot be reached.",
  "error.failed": "The posts cannot be shown now.",
  "error.react": "Your reaction was not saved.",
  "edited": "edited",
  "deleted": "This post was deleted.",
  "custom": "This post cannot be shown here.",
  "picture": "Picture {n} of {of}",
  "place": "Show on a map",
  "poll.votes": { one: "{n} vote", other: "{n} votes" },
  "react": "Add a reaction",
  "react.with": "React with {emoji}",
  "react.count": { one: "{emoji}, {n} reaction", other: "{emoji}, {n} reactions" },
};

/** @typedef {keyof typeof ENGLISH} Key */

/** The texts in one language. Those that are missing are English. */
export class Words {
  /**
   * @param {string} lang
   * @param {(Texts | undefined)[]} given The first one that has a text is taken.
   */
  constructor(lang, given) {
    this.lang = lang;
    this.#given = given;
    this.#plurals = new Intl.PluralRules(lang);
  }

  #given;
  #plurals;

  /**
   * @param {Key} key
   * @param {{ [name: string]: string | number }} [values]
   */
  say(key, values = {}) {
    /** @type {Text} */
    const text = this.#given.find((texts) => texts?.[key] !== undefined)?.[key] ?? ENGLISH[key];
    const form = typeof text === "string" ? text : (text[this.#plurals.select(Number(values.n))] ?? text.other);
    return form.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
  }

  /** @param {string} at */
  time(at) {
    return new Intl.DateTimeFormat(this.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
  }
}
