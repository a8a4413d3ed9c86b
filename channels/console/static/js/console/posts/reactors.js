// The users who reacted to a post, by emoji. Only the channel's staff may see them.

import { get, part } from "../../client/api.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { count } from "../../ui/format.js";
import { dialog } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { personRow } from "../people/rows.js";

const PAGE = 50;

/**
 * Shows the users who reacted to this post.
 * @param {`${App.ChannelPath}/posts`} path
 * @param {App.Item} item
 */
export function showReactors(path, item) {
  const emoji = Object.entries(item.reactions.counts).sort(([, one], [, other]) => other - one);
  let shown = emoji[0][0];
  const people = new PagedList({
    fetchPage: (cursor) => get(`${path}/${item.seq}/reactions/${part(shown)}`, { limit: PAGE, cursor }),
    renderRow: (reactor) => personRow(reactor),
  });

  const chips = emoji.map(([one, number]) =>
    h(
      "button.chip",
      { type: "button", "aria-label": t("react.count", { emoji: one, n: number }), on: { click: () => choose(one) } },
      h("span.emoji", { "aria-hidden": "true" }, one),
      h("span", { "aria-hidden": "true" }, count(number)),
    ),
  );
  /** @param {string} one */
  function choose(one) {
    shown = one;
    chips.forEach((chip, index) => {
      const isShown = emoji[index][0] === one;
      chip.setAttribute("aria-pressed", String(isShown));
      chip.classList.toggle("mine", isShown);
    });
    people.reload();
  }

  choose(shown);
  dialog({
    title: t("reactors.title"),
    build: () => h("div.sheet-body", {}, h("div.reactions", {}, chips), people.elements),
  });
}
