// The fields that say whom a broadcast reaches: all subscribers, or those with some tags and without others. Below them stands
// how many these are.

import { asProblem, part, post } from "../../client/api.js";
import { t } from "../../texts.js";
import { debounce, h } from "../../ui/dom.js";
import { choice } from "../form.js";
import { tagsInUse } from "../tags/subscriber_tags.js";
import { TagField } from "../tags/tag_field.js";

const COUNT_AFTER = 300; // milliseconds without a change
const PARTS = /** @type {const} */ (["any", "all", "none"]);

export class SegmentFields {
  /** @param {{ channelId: string }} options */
  constructor({ channelId }) {
    this.#path = /** @type {const} */ (`/v1/channels/${part(channelId)}/broadcasts/audience`);
    this.#to = choice({
      name: "to",
      label: t("broadcasts.to"),
      value: "everyone",
      options: [
        ["everyone", t("broadcasts.to.everyone")],
        ["tagged", t("broadcasts.to.tagged")],
      ],
      on: () => this.#changed(),
    });
    this.element = h("div.form", {}, this.#to.element, this.#tagged, this.#audience);
    tagsInUse(channelId).then((all) => {
      this.#noTags.hidden = all.length > 0;
      for (const one of this.fields) one.offer(all.map(({ tag }) => tag));
    });
    this.#changed();
  }

  #path;
  /** @type {App.Choice<"everyone" | "tagged">} */
  #to;
  /** In the order of `PARTS`. */
  fields = PARTS.map(
    (name) =>
      new TagField({
        name,
        label: t(`broadcasts.segment.${name}`),
        onChange: () => this.#changed(),
      }),
  );
  #noTags = h("p.hint.soft", { hidden: true }, t("broadcasts.noTags"));
  #tagged = h(
    "div.segment-tags",
    { hidden: true },
    this.#noTags,
    this.fields.map(({ element }) => element),
  );
  #audience = h("p.soft", { role: "status" });
  #requests = 0;

  /** @returns {Api.SegmentBody} */
  get value() {
    if (this.#to.value === "everyone") return {};
    return Object.fromEntries(
      PARTS.flatMap((name, index) => (this.fields[index].tags.length ? [[name, this.fields[index].tags]] : [])),
    );
  }

  /** Whether a segment is given. Says what is missing, and moves the focus there. */
  check() {
    if (this.#to.value === "everyone") return true;
    const wrong = this.fields.find((one) => !one.check());
    if (wrong) {
      wrong.input.focus();
      return false;
    }
    if (this.fields.some(({ tags }) => tags.length)) return true;
    this.fields[0].showError(t("broadcasts.segment.missing"));
    this.fields[0].input.focus();
    return false;
  }

  clear() {
    for (const one of this.fields) one.tags = [];
    this.#to.value = "everyone";
    this.#changed();
  }

  #changed() {
    this.#tagged.hidden = this.#to.value === "everyone";
    this.#requests += 1; // an answer that is on its way is about another segment
    this.#countSoon();
  }

  #countSoon = debounce(COUNT_AFTER, () => this.count());

  /** How many it reaches, in words; null where that cannot be said. */
  async count() {
    const request = this.#requests;
    /** @type {string | null} */
    let text = null;
    try {
      const { count, is_exact: isExact } = await post(this.#path, { segment: this.value });
      text = t(isExact ? "broadcasts.audience" : "broadcasts.audience.more", { n: count });
    } catch (error) {
      asProblem(error); // it is shown without the number
    }
    if (request === this.#requests) this.#audience.textContent = text ?? "";
    return text;
  }
}

/**
 * A segment in words, each part a line.
 * @param {Api.SegmentResponse} segment
 */
export function segmentLines(segment) {
  const lines = PARTS.filter((name) => segment[name].length).map((name) =>
    t(`broadcasts.segment.${name}.is`, { tags: segment[name].join(", ") }),
  );
  return lines.length ? lines : [t("broadcasts.to.everyone")];
}
