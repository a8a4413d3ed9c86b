// The forms of a channel: what each asks, and what is said when it was sent.

import { del, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { field } from "../form.js";
import { FormFieldList } from "./form_fields.js";
import { forgetForms } from "./form_names.js";
import { NamedList } from "./named_list.js";

const LABEL_BYTES = 150;
const TEXT_BYTES = 1000;
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/**
 * @param {string} channelId
 * @param {Api.FormResponse[]} items
 */
export function formsPanel(channelId, items) {
  const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/forms`);
  return new NamedList({
    title: t("forms.title"),
    lead: t("forms.lead"),
    empty: t("forms.empty"),
    newText: t("forms.new"),
    editTitle: t("forms.edit"),
    items,
    titleOf: ({ title }) => title,
    aboutOf: ({ name, fields }) => t("forms.about", { name, n: fields.length }),
    fieldsOf,
    save: async (name, body) => {
      const saved = await put(`${path}/${part(name)}`, body);
      forgetForms(channelId);
      return saved;
    },
    remove: async (name) => {
      await del(`${path}/${part(name)}`);
      forgetForms(channelId);
    },
    removal: ({ title }) => ({ title: t("forms.delete"), text: t("forms.delete.confirm", { name: title }) }),
  }).element;
}

/**
 * @param {Api.FormResponse | null} form
 * @returns {import("./named_list.js").Fields<Api.PutForm>}
 */
function fieldsOf(form) {
  const title = field({
    name: "title",
    label: t("forms.formTitle"),
    value: form?.title ?? "",
    limit: LABEL_BYTES,
    required: true,
    autofocus: true,
  });
  const name = field({
    name: "name",
    label: t("forms.name"),
    hint: t("forms.name.hint"),
    value: form?.name ?? "",
    required: true,
    spellcheck: "false",
    autocapitalize: "none",
    readonly: form !== null,
    dir: null,
  });
  const text = field({ name: "text", label: t("forms.text"), value: form?.text ?? "", rows: 2, limit: TEXT_BYTES });
  const confirmation = field({
    name: "confirmation",
    label: t("forms.confirmation"),
    hint: t("forms.confirmation.hint"),
    value: form?.confirmation ?? "",
    rows: 2,
    limit: TEXT_BYTES,
  });
  const asked = new FormFieldList(form?.fields ?? []);
  const fields = [title, name, text, confirmation];
  return {
    elements: [title.element, name.element, text.element, asked.element, confirmation.element],
    fields,
    check() {
      const wrong = fields.find((one) => !one.check());
      const isName = NAME.test(name.value.trim());
      if (name.value.trim() && !isName) name.showError(t("forms.name.wrong"));
      const first = wrong ?? (isName ? null : name);
      first?.input.focus();
      return first === null && asked.check();
    },
    get name() {
      return name.value.trim();
    },
    get value() {
      return {
        title: title.value.trim(),
        text: text.value.trim(),
        fields: asked.value,
        confirmation: confirmation.value.trim(),
      };
    },
  };
}
