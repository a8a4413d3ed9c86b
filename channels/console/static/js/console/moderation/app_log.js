// The admin log of the application: who resolved which reports, suspended which channels and restricted which users.

import { get } from "../../client/api.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { PagedList } from "../../ui/paged_list.js";
import { logEntry } from "../people/admin_log.js";

const PAGE = 30;

export class AppLog {
  constructor() {
    /** @type {PagedList<Api.AdminLogEntryResponse>} */
    const entries = new PagedList({
      list: h("ol.log", { "aria-label": t("log.title") }),
      fetchPage: (cursor) => get("/v1/admin-log", { limit: PAGE, cursor }),
      renderRow: (entry) => logEntry(entry, null),
      emptyText: () => t("log.noMatch"),
    });
    this.element = h("div.panels", {}, h("section.panel", {}, entries.elements));
    entries.reload();
  }
}
