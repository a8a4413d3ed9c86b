// The reactions under a post or message: their counts, adding and removing one's own, and a picker of allowed emoji. Where
// all are allowed, it leads on to the picker of all emoji.

import { t } from "../texts.js";
import { h, reconcile } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { positionAt } from "./overlay.js";

/** The emoji that the policy "basic" allows. A test compares them with `reactions/limits.py`. */
export const BASIC = ["👍", "❤️", "😂", "😮", "😢", "🙏", "🎉", "🔥"];
/**
 * The emoji that the picker offers under a policy; null when it allows none.
 * @param {App.ReactionPolicy} policy
 * @returns {string[] | null}
 */
function offered(policy) {
  if (policy === "none") return null;
  if (policy === "basic") return BASIC;
  return policy === "all" ? BASIC : [...policy];
}

/**
 * The bar of one item. `update(item)` shows the item's reactions. `react(emoji, isOn)` adds or removes one; when it is
 * null, the bar only shows counts.
 */
export class ReactionBar {
  /** @param {{ policy: App.ReactionPolicy; react: ((emoji: string, isOn: boolean) => unknown) | null }} options */
  constructor({ policy, react }) {
    this.element = h("div.reactions");
    this.#policy = policy;
    this.#react = react;
    this.#add = h(
      "button.chip.add",
      {
        type: "button",
        "aria-label": t("react.add"),
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        on: { click: () => this.#openPicker() },
      },
      icon("smile"),
    );
  }

  #policy;
  #react;
  #add;
  /** @type {Map<string, HTMLElement>} */
  #chips = new Map();
  /** @type {Set<string>} */
  #mine = new Set();
  #isFrozen = false;

  /** @param {App.Item} item */
  update({ reactions, recalled_at: recalledAt, reactions_frozen: isFrozen }) {
    const counts = recalledAt ? {} : (reactions?.counts ?? {});
    this.#mine = new Set(reactions?.mine ?? []);
    this.#isFrozen = Boolean(isFrozen);
    // In the order of the counts, not by popularity: buttons must not move while one clicks them.
    const wanted = Object.entries(counts)
      .filter(([, number]) => number > 0)
      .map(([emoji, number]) => this.#chip(emoji, number));
    if (this.#react && !recalledAt && !isFrozen && offered(this.#policy)) wanted.push(this.#add);
    reconcile(this.element, wanted);
    this.element.hidden = wanted.length === 0;
  }

  /**
   * @param {string} emoji
   * @param {number} number
   */
  #chip(emoji, number) {
    let chip = this.#chips.get(emoji);
    if (!chip) {
      const shown = [h("span.emoji", { "aria-hidden": "true" }, emoji), h("span.number", { "aria-hidden": "true" })];
      chip = this.#react
        ? h("button.chip", { type: "button", on: { click: () => this.#react?.(emoji, !this.#mine.has(emoji)) } }, shown)
        : h("span.chip", { role: "img" }, shown);
      this.#chips.set(emoji, chip);
    }
    const isMine = this.#mine.has(emoji);
    if (chip.lastElementChild) chip.lastElementChild.textContent = count(number);
    chip.classList.toggle("mine", isMine);
    chip.setAttribute("aria-label", t("react.count", { emoji, n: number }));
    if (chip instanceof HTMLButtonElement) {
      chip.setAttribute("aria-pressed", String(isMine));
      // Frozen reactions can be removed but not added.
      chip.disabled = this.#isFrozen && !isMine;
      chip.title = isMine ? t("react.remove", { emoji }) : t("react.with", { emoji });
    }
    return chip;
  }

  #openPicker() {
    openPicker(this.#add, this.#policy, this.#mine, (emoji) => this.#react?.(emoji, !this.#mine.has(emoji)));
  }
}

/**
 * @param {HTMLElement} anchor
 * @param {App.ReactionPolicy} policy
 * @param {Set<string>} mine
 * @param {(emoji: string) => unknown} choose
 */
function openPicker(anchor, policy, mine, choose) {
  const close = () => {
    box.remove();
    document.removeEventListener("pointerdown", outside, true);
    anchor.setAttribute("aria-expanded", "false");
  };
  /** @param {Event} event */
  const outside = (event) => {
    if (!(event.target instanceof Node && box.contains(event.target))) close();
  };
  /** @param {string} emoji */
  const pick = (emoji) => {
    close();
    anchor.focus();
    choose(emoji);
  };
  const buttons = (offered(policy) ?? []).map((emoji) =>
    h(
      "button.choice",
      {
        type: "button",
        "aria-label": t("react.with", { emoji }),
        "aria-pressed": String(mine.has(emoji)),
        on: { click: () => pick(emoji) },
      },
      emoji,
    ),
  );
  const box = h("div.picker", { role: "dialog", "aria-label": t("react.choose") }, h("div.choices", {}, buttons));
  if (policy === "all") {
    const more = h("button.quiet.small", { type: "button", on: { click: () => openAll() } }, t("react.more"));
    const openAll = async () => {
      const { openEmojiPicker } = await import("./emoji/picker.js");
      close();
      if (anchor.isConnected) openEmojiPicker(anchor, { label: t("react.choose"), choose });
    };
    box.append(more);
  }
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      anchor.focus();
      event.stopPropagation();
      return;
    }
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const forward = getComputedStyle(box).direction === "rtl" ? -1 : 1;
    const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: 8, ArrowUp: -8 }[event.key];
    if (at >= 0 && step) {
      event.preventDefault();
      buttons[Math.max(0, Math.min(buttons.length - 1, at + step))].focus();
    }
  });
  box.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !box.contains(event.relatedTarget)) close();
  });
  document.body.append(box);
  positionAt(box, anchor.getBoundingClientRect(), { atStart: true });
  document.addEventListener("pointerdown", outside, true);
  anchor.setAttribute("aria-expanded", "true");
  buttons[0]?.focus();
}
