// The moderation of the application: its sections, of which the address names one. Only the application's admin sees it.

import { session } from "../../client/session.js";
import { moderationPath } from "../../router.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { setPageName } from "../../ui/page_title.js";
import { Accounts } from "./accounts.js";
import { AppLog } from "./app_log.js";
import { CaseView } from "./case_view.js";
import { ReportQueue } from "./report_queue.js";
import { RestrictedUsers } from "./restricted_users.js";
import { SuspendedChannels } from "./suspended_channels.js";

/**
 * The view of each section, and of one thing in it, which the address names.
 * @type {{ [Name in App.ModerationTab]: (id: string | null) => App.TabView }}
 */
const TABS = {
  reports: (id) => (id ? new CaseView(id) : new ReportQueue()),
  channels: () => new SuspendedChannels(),
  users: () => new RestrictedUsers(),
  accounts: (id) => new Accounts(id),
  log: () => new AppLog(),
};
const TAB_NAMES = /** @type {App.ModerationTab[]} */ (Object.keys(TABS));

/**
 * @param {string | null} tab
 * @param {string | null} id A case of the section "reports", or a user of "accounts".
 * @returns {App.View}
 */
export function moderationView(tab, id) {
  const current = TAB_NAMES.find((name) => name === tab) ?? "reports";
  setPageName(t("moderation.page", { tab: t(`moderation.tab.${current}`) }));
  const view = session.isAdmin ? TABS[current](id) : null;
  const element = h(
    "section.page",
    {},
    h(
      "div.page-inner.broad",
      {},
      h(
        "header.page-head",
        {},
        h("a.quiet.square", { href: "/console", "data-inside": true, "aria-label": t("app.back") }, icon("back")),
        h(
          "div.head-text",
          {},
          h("h1", { tabindex: "-1" }, t("moderation.title")),
          h("p.soft", {}, t("moderation.lead")),
        ),
      ),
      view ? [tabBar(current), view.element] : h("p.empty", { role: "alert" }, t("moderation.refused")),
    ),
  );
  return { element, close: () => view?.close?.() };
}

/** @param {App.ModerationTab} current */
function tabBar(current) {
  const items = TAB_NAMES.map((name) => {
    const href = moderationPath(name === "reports" ? null : name);
    const anchor = h("a", { href, "data-inside": true }, t(`moderation.tab.${name}`));
    if (name === current) anchor.setAttribute("aria-current", "page");
    return h("li", {}, anchor);
  });
  return h("nav.channel-tabs", { "aria-label": t("moderation.tabs") }, h("ul", {}, items));
}
