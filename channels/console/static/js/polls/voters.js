// Who voted for what in a poll of a group, for its members. In channels, nobody sees it.

import "./texts.js";
import { get } from "../client/api.js";
import { personRow } from "../console/people/rows.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { dialog } from "../ui/overlay.js";
import { PagedList } from "../ui/paged_list.js";
import { loadStyle } from "../ui/style_sheet.js";

const PAGE = 50;

/**
 * Shows the members who voted, answer by answer.
 * @param {App.GroupPath} path
 * @param {number} seq
 * @param {App.Poll} poll
 */
export async function showVoters(path, seq, { question, options }) {
  await loadStyle("css/console.css");
  dialog({
    title: t("poll.voters"),
    className: "members",
    build: () =>
      h(
        "div.sheet-body",
        {},
        h("p", { dir: "auto" }, question),
        options.flatMap(({ text, votes }, index) =>
          votes ? answerOf(`${path}/messages/${seq}/vote/${index}`, text, votes) : [],
        ),
      ),
  });
}

/**
 * @param {`${App.GroupPath}/messages/${number}/vote/${number}`} path
 * @param {string} text
 * @param {number} votes
 */
function answerOf(path, text, votes) {
  const voters = new PagedList({
    fetchPage: (cursor) => get(path, { limit: PAGE, cursor }),
    renderRow: (voter) => personRow(voter),
  });
  voters.reload();
  return h(
    "section",
    {},
    h("h3", { dir: "auto" }, text),
    h("p.soft", {}, t("poll.votes", { n: votes })),
    voters.elements,
  );
}
