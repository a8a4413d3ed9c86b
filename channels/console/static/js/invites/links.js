// The invite links of a channel or a group: who joins by them and until when; making, copying, editing and revoking them.

import "./texts.js";
import { client, del, get, newIdempotencyKey, part, patch, post } from "../client/api.js";
import { nameOf } from "../client/people.js";
import { qrCode } from "../share/qr.js";
import { t } from "../texts.js";
import { copyFrom } from "../ui/copy.js";
import { fill, h } from "../ui/dom.js";
import { ago, exact } from "../ui/format.js";
import { attempt, confirmDialog, dialog, menu, menuButton, notice } from "../ui/overlay.js";
import { PagedList } from "../ui/paged_list.js";
import { editLink, newLinkForm } from "./link_form.js";
import { isOf, placeOf } from "./places.js";

const PAGE = 50;
const FILTERS = /** @type {const} */ (["open", "ended", "all"]);

export class InviteLinks {
  /**
   * @param {App.Place} place
   * @param {{ hasHeading?: boolean }} [options] False where a dialog has it as its title.
   */
  constructor(place, { hasHeading = true } = {}) {
    this.#place = place;
    this.#path = `${placeOf(place)}/invite-links`;
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel",
        {},
        h("div.invite-head", {}, hasHeading ? this.#heading : null, this.#filter),
        h("p.soft", {}, t(`links.lead.${place.kind}`)),
        this.#list.elements,
      ),
      newLinkForm((body) => this.#create(body)),
    );
    client.socket.addEventListener("event", this.#onEvent);
    this.#list.reload();
  }

  #place;
  /** @type {`${App.PlacePath}/invite-links`} */
  #path;
  #heading = h("h2", {}, t("links.title"));
  /** @type {HTMLSelectElement} */
  #filter = h(
    "select",
    { "aria-label": t("links.filter"), on: { change: () => this.#list.reload() } },
    FILTERS.map((key) => h("option", { value: key }, t(`links.filter.${key}`))),
  );
  /** @type {PagedList<Api.InviteLinkResponse>} */
  #list = new PagedList({
    list: h("ul.invite-links"),
    fetchPage: (cursor) => {
      const state = FILTERS.find((name) => name === this.#filter.value) ?? "all";
      return get(this.#path, { state: state === "all" ? null : state, limit: PAGE, cursor });
    },
    renderRow: (link) => this.#row(link),
    emptyText: () => t("links.empty"),
  });
  /** @type {Map<string, { element: HTMLElement; counts: HTMLElement; link: Api.InviteLinkResponse }>} */
  #rows = new Map(); // by code

  close() {
    client.socket.removeEventListener("event", this.#onEvent);
  }

  /** @param {Api.CreateInviteLink} body */
  async #create(body) {
    await post(this.#path, body, newIdempotencyKey());
    this.#filter.value = "open";
    await this.#list.reload();
  }

  // --- rows

  /** @param {Api.InviteLinkResponse} link */
  #row(link) {
    const name = link.name || t("links.unnamed");
    const isOpen = link.state === "open";
    const address = h("input", {
      value: link.url,
      readonly: true,
      dir: "ltr",
      "aria-label": t("links.address", { name }),
    });
    const more = menuButton({
      label: t("links.menu", { name }),
      open: (button) => this.#openMenu(link, button),
    });
    const by = h("span");
    const showMaker = () => {
      by.textContent = t("links.by", { name: nameOf(link.created_by, showMaker), when: ago(link.created_at) });
    };
    showMaker();
    by.title = exact(link.created_at);
    const counts = h("span.invite-link-counts", {}, countsOf(link));
    const element = h(
      "li.invite-link",
      {},
      h(
        "p.invite-link-top",
        {},
        h("strong", { dir: "auto" }, name),
        h("span.role", { data: { status: isOpen ? "succeeded" : "off" } }, t(`links.state.${link.state}`)),
        link.approval ? h("span.role", {}, t("links.byApproval")) : null,
      ),
      isOpen
        ? h(
            "div.line",
            {},
            address,
            h(
              "button.plain",
              { type: "button", "aria-label": t("links.copy.label", { name }), on: { click: () => copyFrom(address) } },
              t("links.copy"),
            ),
            more,
          )
        : null,
      h("p.soft.invite-link-facts", {}, counts, timesOf(link), by, isOpen || link.state === "revoked" ? null : more),
    );
    this.#rows.set(link.code, { element, counts, link });
    return element;
  }

  /**
   * @param {Api.InviteLinkResponse} link
   * @param {HTMLElement} anchor
   */
  #openMenu(link, anchor) {
    /** @type {App.MenuEntry[]} */
    const qr = link.state === "open" ? [{ label: t("links.qr"), icon: "image", act: () => this.#showQr(link) }] : [];
    menu(anchor, [
      ...qr,
      { label: t("links.edit"), icon: "pen", act: () => editLink(link, (body) => this.#change(link, body)) },
      null,
      { label: t("links.revoke"), icon: "block", isDangerous: true, act: () => this.#revoke(link) },
    ]);
  }

  // --- what can be done

  /** @param {Api.InviteLinkResponse} link */
  #one({ code }) {
    return /** @type {const} */ (`${this.#path}/${part(code)}`);
  }

  /** @param {Api.InviteLinkResponse} link */
  #showQr(link) {
    const body = h("div.sheet-body.share", {}, h("p.soft", { role: "status" }, t("app.loading")));
    dialog({ title: link.name || t("links.unnamed"), className: "share-sheet", build: () => body });
    attempt(async () => fill(body, qrCode((await get(this.#one(link))).qr_svg, body)));
  }

  /**
   * @param {Api.InviteLinkResponse} link
   * @param {Api.ChangeInviteLink} body
   */
  async #change(link, body) {
    await patch(this.#one(link), body);
    notice(t("app.saved"));
    await this.#list.reload();
    this.#focusRow(link.code);
  }

  /** @param {Api.InviteLinkResponse} link */
  async #revoke(link) {
    const text = t("links.revoke.confirm", { name: link.name || t("links.unnamed") });
    if (!(await confirmDialog({ title: t("links.revoke.title"), text, action: t("links.revoke.do") }))) return;
    if (!(await attempt(() => del(this.#one(link))))) return;
    notice(t("links.revoked"));
    await this.#list.reload();
    this.#filter.focus();
  }

  /**
   * Back to the menu button of a row that has been made anew.
   * @param {string} code
   */
  #focusRow(code) {
    const row = this.#rows.get(code)?.element;
    /** @type {HTMLElement | null | undefined} */
    const more = row?.isConnected ? row.querySelector("[aria-haspopup]") : null;
    (more ?? this.#filter).focus();
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (event.type === "invite_link.used" && isOf(event, this.#place)) this.#showUse(event);
  };

  /**
   * Shows the new counts in the row. A link with its last use has ended.
   * @param {{ code: string; uses: number; pending_requests: number }} event
   */
  async #showUse({ code, pending_requests: pending, uses }) {
    const row = this.#rows.get(code);
    if (!row?.element.isConnected) return;
    const link = { ...row.link, uses, pending_requests: pending };
    row.link = link;
    fill(row.counts, countsOf(link));
    if (link.state !== "open" || link.max_uses === null || uses < link.max_uses) return;
    const hadFocus = row.element.contains(document.activeElement);
    await this.#list.reload();
    if (hadFocus) this.#focusRow(code);
  }
}

/**
 * How many joined, and how many wait for an answer.
 * @param {Api.InviteLinkResponse} link
 */
const countsOf = ({ max_uses: of, pending_requests: pending, uses: n }) => [
  h("span", {}, of === null ? t("links.joined", { n }) : t("links.joined.of", { n, of })),
  pending ? h("span", {}, t("links.pending", { n: pending })) : null,
];

/**
 * Until when it is open, or since when not.
 * @param {Api.InviteLinkResponse} link
 */
function timesOf({ expires_at: expiresAt, revoked_at: revokedAt }) {
  if (revokedAt) return h("span", {}, t("links.revokedWhen", { when: exact(revokedAt) }));
  if (!expiresAt) return null;
  const isOver = Date.parse(expiresAt) <= Date.now();
  return h("span", {}, t(isOver ? "links.since" : "links.until", { when: exact(expiresAt) }));
}
