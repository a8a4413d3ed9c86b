// The fields of an invite link: its name, until when and for how many people it is, and whether admins approve each one.

import "./texts.js";
import { field, submitForm } from "../console/form.js";
import { localTime } from "../console/posts/publish_time.js";
import { t } from "../texts.js";
import { h, submitting, uniqueId } from "../ui/dom.js";
import { dialog, notice } from "../ui/overlay.js";

const HOUR = 3_600_000; // milliseconds
/** By choice: in how many milliseconds from now on a link expires. */
const TERMS = /** @type {const} */ ({ hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR });
const NAME_BYTES = 64;
const MOST_USES = 99_999;

/**
 * The form for a new link. `create` stores it.
 * @param {(body: Api.CreateInviteLink) => unknown} create
 */
export function newLinkForm(create) {
  const fields = linkFields(null);
  const error = h("p.error", { role: "alert", hidden: true });
  const button = h("button.primary", { type: "submit" }, t("links.create"));
  const submit = submitting(async () => {
    const work = () => create(fields.value);
    if (!(await submitForm({ fields: fields.all, error, button, work }))) return;
    notice(t("links.created"));
    fields.clear();
  });
  return h(
    "form.panel.form",
    { novalidate: true, on: { submit } },
    h("h2", {}, t("links.new")),
    fields.elements,
    error,
    h("div.actions", {}, button),
  );
}

/**
 * Edits a link in a dialog. `save` stores it.
 * @param {Api.InviteLinkResponse} link
 * @param {(body: Api.ChangeInviteLink) => unknown} save
 */
export function editLink(link, save) {
  return dialog({
    title: t("links.edit.title"),
    build: (close) => {
      const fields = linkFields(link);
      const error = h("p.error", { role: "alert", hidden: true });
      const button = h("button.primary", { type: "submit" }, t("app.save"));
      const submit = submitting(async () => {
        const work = () => save(fields.value);
        if (await submitForm({ fields: fields.all, error, button, work })) close();
      });
      return h(
        "form.sheet-body.form",
        { novalidate: true, on: { submit } },
        fields.elements,
        error,
        h(
          "div.actions",
          {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          button,
        ),
      );
    },
  });
}

/** @param {Api.InviteLinkResponse | null} link What is edited; null: a new one. */
function linkFields(link) {
  const name = field({
    name: "name",
    label: t("links.name"),
    hint: t("links.name.hint"),
    value: link?.name ?? "",
    limit: NAME_BYTES,
  });
  const expiry = expiryField(link?.expires_at ?? null);
  const uses = field({
    name: "max_uses",
    label: t("links.uses"),
    hint: t("links.uses.hint"),
    value: link?.max_uses ? String(link.max_uses) : "",
    inputmode: "numeric",
    maxlength: "6",
  });
  const checkUses = uses.check;
  uses.check = () => {
    if (!checkUses()) return false;
    const isRight = usesOf(uses.value) !== undefined;
    uses.showError(isRight ? null : t("links.uses.wrong"));
    return isRight;
  };
  const id = uniqueId("approval");
  const approval = h("input", { type: "checkbox", id, checked: link?.approval ?? false });
  return {
    all: [name, expiry.field, uses],
    elements: [
      name.element,
      expiry.element,
      uses.element,
      h("div.choice-line", {}, approval, h("label", { for: id }, t("links.approval"))),
    ],
    get value() {
      return {
        name: name.value.trim(),
        expires_at: expiry.value,
        max_uses: usesOf(uses.value) ?? null,
        approval: approval.checked,
      };
    },
    clear() {
      name.input.value = uses.input.value = "";
      approval.checked = false;
      expiry.clear();
    },
  };
}

/**
 * How many may join: null for any number, undefined when it is not one that a link may have.
 * @param {string} text
 */
function usesOf(text) {
  if (!text.trim()) return null;
  const n = Number(text);
  return Number.isInteger(n) && n >= 1 && n <= MOST_USES ? n : undefined;
}

/**
 * When a link expires: never, after a time, or at a date of the device's time zone.
 * @param {string | null} at
 */
function expiryField(at) {
  const time = field({ name: "expires_at", label: t("links.expires.time"), type: "datetime-local", dir: null });
  const id = uniqueId("expires");
  /** @type {HTMLSelectElement} */
  const select = h(
    "select",
    { id, on: { change: () => show() } },
    [/** @type {const} */ ("never"), .../** @type {(keyof typeof TERMS)[]} */ (Object.keys(TERMS)), "at"].map((key) =>
      h("option", { value: key }, t(/** @type {App.TextKey} */ (`links.expires.${key}`))),
    ),
  );
  const show = () => {
    time.element.hidden = select.value !== "at";
    time.showError(null);
  };
  const set = (/** @type {string | null} */ instant) => {
    select.value = instant === null ? "never" : "at";
    time.input.value = instant === null ? "" : localTime(new Date(instant));
    show();
  };
  time.check = () => {
    const isWrong = select.value === "at" && !(new Date(time.value).getTime() > Date.now());
    time.showError(isWrong ? t("links.expires.past") : null);
    return !isWrong;
  };
  set(at);
  return {
    field: time,
    element: h(
      "div.link-expiry",
      {},
      h("div.field", {}, h("label", { for: id }, t("links.expires")), select),
      time.element,
    ),
    /** @returns {string | null} */
    get value() {
      if (select.value === "never") return null;
      const term = /** @type {{ [key: string]: number }} */ (TERMS)[select.value];
      return (term === undefined ? new Date(time.value) : new Date(Date.now() + term)).toISOString();
    },
    clear: () => set(null),
  };
}
