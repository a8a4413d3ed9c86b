// The fields of a webhook: its address, its description, and the events that it receives.

import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { h, submitting, uniqueId } from "../../ui/dom.js";
import { dialog } from "../../ui/overlay.js";
import { choice, field, submitForm } from "../form.js";
import { eventTypes } from "./event_types.js";

/**
 * The fields, filled with a webhook that is edited; null: for a new one.
 * @param {boolean} isOfChannel
 * @param {Api.WebhookResponse | null} webhook
 */
function webhookFields(isOfChannel, webhook) {
  const url = field({
    name: "url",
    label: t("webhooks.url"),
    hint: t("webhooks.url.hint"),
    value: webhook?.url ?? "",
    limit: limits.webhook_url_bytes,
    required: true,
    type: "url",
    spellcheck: "false",
    autocapitalize: "none",
  });
  const description = field({
    name: "description",
    label: t("webhooks.description"),
    hint: t("webhooks.description.hint"),
    value: webhook?.description ?? "",
    limit: limits.webhook_description_bytes,
  });
  const types = typeFields(isOfChannel, webhook?.event_types ?? []);
  return {
    all: [url, description, types.field],
    elements: [url.element, description.element, types.element],
    get value() {
      return { url: url.value.trim(), description: description.value.trim(), event_types: types.value };
    },
  };
}

/**
 * All events, or some, chosen by checkboxes in groups. `value` is empty for all.
 * @param {boolean} isOfChannel
 * @param {string[]} chosen
 */
function typeFields(isOfChannel, chosen) {
  const groups = eventTypes(isOfChannel).map(([name, types]) =>
    groupFields(t(`webhooks.group.${name}`), types, chosen),
  );
  const known = eventTypes(isOfChannel).flatMap(([, types]) => types);
  // Types of a newer server stay as they are, unless the user unchecks them.
  const others = chosen.filter((type) => !known.includes(type));
  if (others.length) groups.push(groupFields(t("webhooks.group.others"), others, chosen));
  const error = h("p.error", { id: uniqueId("types-error"), role: "alert", hidden: true });
  const some = h(
    "div.event-groups",
    { role: "group", "aria-label": t("webhooks.types"), "aria-describedby": error.id },
    groups.map(({ element }) => element),
  );
  /** @type {App.Choice<"all" | "some">} */
  const scope = choice({
    name: "scope",
    label: t("webhooks.types"),
    options: [
      ["all", t("webhooks.types.all")],
      ["some", t("webhooks.types.some")],
    ],
    value: chosen.length ? "some" : "all",
    on: (which) => showScope(which),
  });
  /** @param {"all" | "some"} which */
  const showScope = (which) => {
    some.hidden = which === "all";
    error.hidden = true;
  };
  showScope(scope.value);
  const wanted = () => (scope.value === "all" ? [] : groups.flatMap((group) => group.value));
  /** @type {App.Field} */
  const self = {
    name: "event_types",
    input: groups[0].input,
    element: some,
    value: "",
    showError(reason) {
      error.textContent = reason ?? "";
      error.hidden = !reason;
    },
    check() {
      const isValid = scope.value === "all" || wanted().length > 0;
      self.showError(isValid ? null : t("webhooks.types.none"));
      return isValid;
    },
  };
  return {
    field: self,
    element: h("div.event-types", {}, scope.element, some, error),
    get value() {
      return wanted();
    },
  };
}

/**
 * The checkboxes of a group, and one that stands for all of them.
 * @param {string} name
 * @param {string[]} types
 * @param {string[]} chosen
 */
function groupFields(name, types, chosen) {
  const boxes = types.map((type) => checkbox(h("code", {}, type), chosen.includes(type), () => showWhole()));
  const whole = checkbox(name, false, () => {
    for (const { input } of boxes) input.checked = whole.input.checked;
  });
  const showWhole = () => {
    const n = boxes.filter(({ input }) => input.checked).length;
    whole.input.checked = n === boxes.length;
    whole.input.indeterminate = n > 0 && n < boxes.length;
  };
  showWhole();
  whole.line.classList.add("event-group-name");
  return {
    input: whole.input,
    element: h(
      "div.event-group",
      { role: "group", "aria-label": name },
      whole.line,
      boxes.map(({ line }) => line),
    ),
    get value() {
      return types.filter((_, index) => boxes[index].input.checked);
    },
  };
}

/**
 * @param {App.Child} label
 * @param {boolean} checked
 * @param {() => unknown} onChange
 */
function checkbox(label, checked, onChange) {
  const id = uniqueId("event");
  const input = h("input", { type: "checkbox", id, checked, on: { change: onChange } });
  return { input, line: h("div.choice-line", {}, input, h("label", { for: id }, label)) };
}

/**
 * The form for a new webhook. `create` is called with its fields; after that the form is empty again.
 * @param {boolean} isOfChannel
 * @param {(body: Api.CreateWebhook) => Promise<unknown>} create
 */
export function newWebhookForm(isOfChannel, create) {
  let fields = webhookFields(isOfChannel, null);
  const error = h("p.error", { role: "alert", hidden: true });
  const button = h("button.primary", { type: "submit" }, t("webhooks.add.do"));
  const slot = h("div.form", {}, fields.elements);
  const submit = submitting(async () => {
    if (!(await submitForm({ fields: fields.all, error, button, work: () => create(fields.value) }))) return;
    fields = webhookFields(isOfChannel, null);
    slot.replaceChildren(...fields.elements);
  });
  return h(
    "form.panel.form",
    { novalidate: true, on: { submit } },
    h("h2", {}, t("webhooks.add")),
    slot,
    error,
    h("div.actions", {}, button),
  );
}

/**
 * Edits a webhook in a dialog. `save` is called with the fields that have changed. Resolves when the dialog is closed.
 * @param {boolean} isOfChannel
 * @param {Api.WebhookResponse} webhook
 * @param {(body: Api.ChangeWebhook) => Promise<unknown>} save
 */
export function editWebhook(isOfChannel, webhook, save) {
  const fields = webhookFields(isOfChannel, webhook);
  const error = h("p.error", { role: "alert", hidden: true });
  const button = h("button.primary", { type: "submit" }, t("app.save"));
  return dialog({
    title: t("webhooks.edit"),
    build: (close) =>
      h(
        "form.sheet-body.form",
        {
          novalidate: true,
          on: {
            submit: submitting(async () => {
              if (
                await submitForm({
                  fields: fields.all,
                  error,
                  button,
                  work: () => save(changesOf(webhook, fields.value)),
                })
              )
                close();
            }),
          },
        },
        fields.elements,
        error,
        h(
          "div.actions",
          {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          button,
        ),
      ),
  });
}

/**
 * The fields that differ. An address that stays is not sent: who gives one decides what may be sent to it.
 * @param {Api.WebhookResponse} webhook
 * @param {Required<Pick<Api.ChangeWebhook, "url" | "description" | "event_types">>} wanted
 * @returns {Api.ChangeWebhook}
 */
function changesOf(webhook, wanted) {
  return {
    ...(wanted.url === webhook.url ? {} : { url: wanted.url }),
    ...(wanted.description === webhook.description ? {} : { description: wanted.description }),
    ...(String(wanted.event_types) === String(webhook.event_types) ? {} : { event_types: wanted.event_types }),
  };
}
