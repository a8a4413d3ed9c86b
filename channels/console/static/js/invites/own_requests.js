// The user's own open requests to join: which there are, and taking one back.

import "./texts.js";
import { del, get } from "../client/api.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { h } from "../ui/dom.js";
import { ago, exact } from "../ui/format.js";
import { attempt, dialog, notice } from "../ui/overlay.js";
import { PagedList } from "../ui/paged_list.js";
import { placeOf } from "./places.js";

const PAGE = 50;

/** Shows them in a dialog. */
export function showOwnRequests() {
  const list = requestList(() => list.reload());
  list.reload();
  return dialog({
    title: t("requests.own"),
    className: "members",
    build: () => h("div.sheet-body", {}, list.elements),
  });
}

/** @param {() => unknown} onWithdraw */
function requestList(onWithdraw) {
  /** @type {PagedList<Api.OwnJoinRequestResponse>} */
  const list = new PagedList({
    list: h("ul.people-list"),
    fetchPage: (cursor) => get("/v1/join-requests", { limit: PAGE, cursor }),
    renderRow: (request) => requestRow(request, onWithdraw),
    emptyText: () => t("requests.own.empty"),
  });
  return list;
}

/**
 * @param {Api.OwnJoinRequestResponse} request
 * @param {() => unknown} onWithdraw
 */
function requestRow(request, onWithdraw) {
  const { face_url: url, id, kind, name, requested_at: at, text } = request;
  const withdraw = async () => {
    if (!(await attempt(() => del(`${placeOf(request)}/join-requests/me`)))) return;
    notice(t("invite.withdrawn", { name }));
    onWithdraw();
  };
  return h(
    "li.person-line",
    {},
    h(
      "span.person-link",
      {},
      avatar({ id, name, url, shape: kind === "channel" ? "tile" : "round", size: "small" }),
      h(
        "span.person-text",
        {},
        h("span.person-name", { dir: "auto" }, name),
        text ? h("span.soft", { dir: "auto" }, text) : null,
        h("span.soft", { title: exact(at) }, t("requests.when", { when: ago(at) })),
      ),
    ),
    h(
      "button.plain.small",
      { type: "button", "aria-label": t("invite.withdraw.label", { name }), on: { click: withdraw } },
      t("invite.withdraw"),
    ),
  );
}
