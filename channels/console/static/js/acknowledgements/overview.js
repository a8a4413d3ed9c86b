// Who confirmed that they have read a post or message, who has not, and the reminder: for the staff.

import "./texts.js";
import { get, post } from "../client/api.js";
import { personRow } from "../console/people/rows.js";
import { t } from "../texts.js";
import { fill, h } from "../ui/dom.js";
import { ago } from "../ui/format.js";
import { attempt, confirmDialog, dialog } from "../ui/overlay.js";
import { PagedList } from "../ui/paged_list.js";
import { loadStyle } from "../ui/style_sheet.js";

const PAGE = 50;

/**
 * Shows the confirmations of a post, or of a message of a group.
 * @param {`${App.ChannelPath}/posts/${number}` | `${App.GroupPath}/messages/${number}`} path
 */
export async function showAcknowledgements(path) {
  await loadStyle("css/console.css");
  /** @type {"given" | "missing"} */
  let shown = "missing";
  const people = new PagedList({
    fetchPage: (cursor) => fetchPage(shown, cursor),
    renderRow: (person) =>
      personRow(
        person,
        null,
        person.acknowledged_at
          ? h("span.soft", {}, t("acknowledgements.at", { when: ago(person.acknowledged_at) }))
          : null,
      ),
    emptyText: () => t(`acknowledgements.${shown}.none`),
  });
  const buttons = /** @type {const} */ (["missing", "given"]).map((state) =>
    h("button.chip", { type: "button", "data-state": state, on: { click: () => choose(state) } }),
  );
  const many = h("p.soft", { hidden: true }, t("acknowledgements.missing.many"));
  const reminder = h("div");

  /** @param {Api.AcknowledgementPage} page */
  function showCounts({ counts, reminded_at: at }) {
    buttons[0].textContent = t("acknowledgements.missing", { n: counts.missing });
    buttons[1].textContent = t("acknowledgements.given", { n: counts.given });
    if (at) fill(reminder, h("p.soft", { role: "status" }, t("acknowledgements.reminded", { when: ago(at) })));
    else if (counts.missing === 0) fill(reminder, []);
    else if (!reminder.firstElementChild)
      fill(
        reminder,
        h("button.plain", { type: "button", on: { click: () => remind() } }, t("acknowledgements.remind")),
      );
  }

  /**
   * @param {"given" | "missing"} state
   * @param {string | null} cursor
   * @returns {Promise<Api.AcknowledgementPage>}
   */
  async function fetchPage(state, cursor) {
    many.hidden = true;
    try {
      const answer = await get(`${path}/acknowledgements`, { state, limit: PAGE, cursor });
      const page = /** @type {Api.AcknowledgementPage} */ (/** @type {unknown} */ (answer));
      showCounts(page);
      return page;
    } catch (error) {
      if (/** @type {{ code?: string }} */ (error).code !== "too_many_to_name") throw error;
      // The counts are told all the same, and those who confirmed are shown.
      const page = await fetchPage("given", cursor);
      many.hidden = false;
      mark("given");
      return page;
    }
  }

  /** @param {"given" | "missing"} state */
  function mark(state) {
    shown = state;
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.state === state));
      button.classList.toggle("mine", button.dataset.state === state);
    }
  }

  /** @param {"given" | "missing"} state */
  function choose(state) {
    mark(state);
    people.reload();
  }

  async function remind() {
    const texts = {
      title: t("acknowledgements.remind"),
      text: t("acknowledgements.remind.confirm"),
      action: t("acknowledgements.remind"),
    };
    if (!(await confirmDialog(texts))) return;
    await attempt(() => post(`${path}/acknowledgements/reminder`));
    people.reload();
  }

  choose(shown);
  dialog({
    title: t("acknowledgements.title"),
    className: "members",
    build: () => h("div.sheet-body", {}, h("div.reactions", {}, buttons), reminder, many, people.elements),
  });
}
