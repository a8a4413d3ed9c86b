// Who reacted to a post, emoji by emoji: for those who run the channel, as the API shows it to nobody else.

import { get, part } from "../api.js";
import { avatar } from "../avatar.js";
import { fill, h } from "../dom.js";
import { count } from "../format.js";
import { attempt, dialog } from "../overlay.js";
import { t } from "../texts.js";

const PAGE = 50;

/** Show the reactors of a post of the stream. */
export function showReactors(stream, item) {
  const emoji = Object.entries(item.reactions.counts).sort(([, one], [, other]) => other - one);
  const list = h("ul.people");
  const more = h("button.plain.wide", { type: "button", hidden: true }, t("app.more"));
  let shown = null;
  let cursor = null;

  async function load(isMore) {
    const asked = shown;
    await attempt(async () => {
      const page = await get(`${stream.path}/${item.seq}/reactions/${part(shown)}`, { limit: PAGE, cursor: isMore ? cursor : null });
      if (asked !== shown) return;
      cursor = page.next_cursor;
      more.hidden = cursor === null;
      const rows = page.items.map(({ user_id: id, name }) => h("li.person", {},
        avatar({ id, name: name || id, shape: "round" }),
        h("span.person-text", {}, h("strong", { dir: "auto" }, name || id), name ? h("span.soft", { dir: "auto" }, id) : null),
      ));
      if (isMore) list.append(...rows);
      else fill(list, rows);
    });
  }

  const chips = emoji.map(([one, number]) => h("button.chip", { type: "button", "aria-label": t("react.count", { emoji: one, n: number }), on: { click: () => choose(one) } },
    h("span.emoji", { "aria-hidden": "true" }, one), h("span", { "aria-hidden": "true" }, count(number))));
  function choose(one) {
    shown = one;
    chips.forEach((chip, index) => {
      const isShown = emoji[index][0] === one;
      chip.setAttribute("aria-pressed", String(isShown));
      chip.classList.toggle("mine", isShown);
    });
    load(false);
  }

  more.addEventListener("click", () => load(true));
  choose(emoji[0][0]);
  dialog({ title: t("reactors.title"), build: () => h("div.sheet-body", {}, h("div.reactions", {}, chips), list, more) });
}
