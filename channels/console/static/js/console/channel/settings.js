// The settings of a channel and, for its owner, transferring ownership and deleting the channel.

import { del, part, patch, post } from "../../client/api.js";
import { isOwner, may } from "../../client/grants.js";
import { session } from "../../client/session.js";
import { go } from "../../router.js";
import { t } from "../../texts.js";
import { fill, h, submitting, uniqueId } from "../../ui/dom.js";
import { attempt, confirmDialog, dialog, notice } from "../../ui/overlay.js";
import { choice, field, submitForm } from "../form.js";
import { suspensionPanel } from "../moderation/suspension.js";
import { keepChanges, unsavedOf } from "../unsaved.js";
import { defaultPanel } from "./default_channel.js";
import { exportPanel } from "./export.js";
import { verifiedPanel } from "./verified.js";

const REACTIONS = /** @type {const} */ (["all", "basic", "none", "list"]);
const VISIBILITIES = /** @type {const} */ (["public", "private"]);
const COMMENTS = /** @type {const} */ (["off", "subscribers", "everyone"]);
const ACCEPTED = /** @type {const} */ (["everyone", "subscribers", "nobody"]);
const NUMBERS = /** @type {const} */ (["reactions_per_user", "distinct_reactions", "retention_days"]);
const MOST = { reactions_per_user: "100", distinct_reactions: "1000", retention_days: "3650" };
const SWITCHES = /** @type {const} */ (["signatures", "protect_content", "count_clicks"]);

export class Settings {
  /** @param {{ channel: Api.ChannelResponse; onChange: (channel: Api.ChannelResponse) => unknown }} options */
  constructor({ channel, onChange }) {
    this.#channel = channel;
    this.#onChange = onChange;
    const { settings } = channel;
    const policy = settings.reactions;
    const isList = Array.isArray(policy);
    const isReadOnly = !may(channel, "change_settings");
    this.#emojiList = field({
      name: "reactions",
      label: t("settings.emoji"),
      hint: t("settings.emoji.hint"),
      value: isList ? policy.join(" ") : "",
    });
    this.#emojiList.element.hidden = !isList;
    this.#reactions = choice({
      name: "reactions",
      label: t("settings.reactions"),
      value: REACTIONS.find((key) => key === policy) ?? "list",
      options: REACTIONS.map((key) => [key, t(`settings.reactions.${key}`)]),
      disabled: isReadOnly,
      on: (key) => {
        this.#emojiList.element.hidden = key !== "list";
      },
    });
    this.#visibility = choice({
      name: "visibility",
      label: t("settings.visibility"),
      value: settings.visibility === "private" ? "private" : "public",
      options: VISIBILITIES.map((key) => [key, t(`settings.visibility.${key}`)]),
      disabled: isReadOnly,
    });
    this.#comments = choice({
      name: "comments",
      label: t("settings.comments"),
      value: settings.comments,
      options: COMMENTS.map((key) => [key, t(`settings.comments.${key}`)]),
      disabled: isReadOnly,
    });
    this.#acceptMessages = choice({
      name: "accept_messages",
      label: t("settings.accept_messages"),
      value: settings.accept_messages,
      options: ACCEPTED.map((key) => [key, t(`settings.accept_messages.${key}`)]),
      disabled: isReadOnly,
    });
    this.#numbers = NUMBERS.map((name) =>
      field({
        name,
        label: t(`settings.${name}`),
        hint: t(`settings.${name}.hint`),
        value: numberOf(settings, name),
        type: "number",
        inputmode: "numeric",
        min: name === "retention_days" ? "0" : "1",
        max: MOST[name],
        required: true,
        dir: null,
      }),
    );
    this.#switches = SWITCHES.map((name) => {
      const id = uniqueId(name);
      return { name, id, input: h("input", { type: "checkbox", id, checked: settings[name], disabled: isReadOnly }) };
    });
    for (const { input } of [this.#emojiList, ...this.#numbers]) input.disabled = isReadOnly;
    for (const { name, input } of this.#numbers) if (!this.#mayChange(name)) input.disabled = true;
    this.#error = h("p.error", { role: "alert", hidden: true });
    this.#button = h("button.primary", { type: "submit", hidden: isReadOnly }, t("app.save"));
    this.element = h(
      "div.panels",
      {},
      h(
        "form.panel.form",
        { novalidate: true, on: { submit: submitting(() => this.#save()), input: () => this.#keep() } },
        this.#notice,
        this.#visibility.element,
        this.#reactions.element,
        this.#emojiList.element,
        h(
          "div.side-by-side",
          {},
          this.#numbers.map(({ element }) => element),
        ),
        this.#comments.element,
        this.#acceptMessages.element,
        h(
          "fieldset.choices-list",
          {},
          h("legend", {}, t("settings.other")),
          this.#switches.map(({ name, id, input }) =>
            h("div.choice-line", {}, input, h("label", { for: id }, t(`settings.${name}`))),
          ),
        ),
        isReadOnly ? h("p.soft", {}, t("settings.readOnly")) : null,
        this.#error,
        h("div.actions", {}, this.#button),
      ),
      session.isAdmin
        ? [verifiedPanel(channel, onChange), defaultPanel(channel), suspensionPanel(channel, onChange)]
        : null,
      exportPanel(channel),
      isOwner(channel) ? [this.#transferForm(), this.#deletePanel()] : null,
    );
    const unsaved = isReadOnly ? null : unsavedOf(this.#form);
    if (unsaved) this.#show({ ...this.#stored, ...unsaved });
    this.#keep();
  }

  #channel;
  #onChange;
  /** @type {App.Choice<"all" | "basic" | "none" | "list">} */
  #reactions;
  #emojiList;
  /** @type {App.Choice<"public" | "private">} */
  #visibility;
  #comments;
  #acceptMessages;
  #numbers;
  #switches;
  #error;
  #button;
  #notice = h("div.unsaved", { role: "status", hidden: true });

  get #form() {
    return `settings ${this.#channel.channel_id}`;
  }

  /**
   * The settings of the channel, as the texts that the form holds.
   * @returns {import("../unsaved.js").Values}
   */
  get #stored() {
    const { settings } = this.#channel;
    const policy = settings.reactions;
    const isList = Array.isArray(policy);
    return {
      visibility: settings.visibility,
      comments: settings.comments,
      accept_messages: settings.accept_messages,
      policy: isList ? "list" : policy,
      emoji: isList ? policy.join(" ") : "",
      ...Object.fromEntries(NUMBERS.map((name) => [name, numberOf(settings, name)])),
      ...Object.fromEntries(SWITCHES.map((name) => [name, String(settings[name])])),
    };
  }

  /** Keeps what differs from the channel until it is saved or discarded. */
  #keep() {
    const values = {
      visibility: this.#visibility.value,
      comments: this.#comments.value,
      accept_messages: this.#acceptMessages.value,
      policy: this.#reactions.value,
      emoji: this.#reactions.value === "list" ? this.#emojiList.value : this.#stored.emoji,
      ...Object.fromEntries(this.#numbers.map(({ name, value }) => [name, value])),
      ...Object.fromEntries(this.#switches.map(({ name, input }) => [name, String(input.checked)])),
    };
    const onDiscard = () => {
      this.#show(this.#stored);
      this.#keep();
      this.#button.focus();
    };
    keepChanges({ form: this.#form, values, stored: this.#stored, notice: this.#notice, onDiscard });
  }

  /** @param {import("../unsaved.js").Values} values */
  #show(values) {
    this.#visibility.value = VISIBILITIES.find((key) => key === values.visibility) ?? "public";
    this.#comments.value = COMMENTS.find((key) => key === values.comments) ?? "off";
    this.#acceptMessages.value = ACCEPTED.find((key) => key === values.accept_messages) ?? "nobody";
    this.#reactions.value = REACTIONS.find((key) => key === values.policy) ?? "list";
    this.#emojiList.input.value = values.emoji;
    this.#emojiList.element.hidden = values.policy !== "list";
    for (const { name, input } of this.#numbers) input.value = values[name];
    for (const { name, input } of this.#switches) input.checked = values[name] === "true";
  }

  /**
   * Only the owner changes how long posts are kept.
   * @param {string} name
   */
  #mayChange(name) {
    return name !== "retention_days" || isOwner(this.#channel);
  }

  /** @returns {App.ChannelPath} */
  get #path() {
    return `/v1/channels/${part(this.#channel.channel_id)}`;
  }

  async #save() {
    const policy = this.#reactions.value;
    const isList = policy === "list";
    /** @type {Api.SettingsBody} */
    const settings = {
      visibility: this.#visibility.value,
      comments: this.#comments.value,
      accept_messages: this.#acceptMessages.value,
      reactions: policy === "list" ? this.#emojiList.value.split(/[\s,]+/).filter(Boolean) : policy,
    };
    for (const { name, input } of this.#switches) settings[name] = input.checked;
    for (const [index, name] of NUMBERS.entries())
      if (this.#mayChange(name)) settings[name] = Number(this.#numbers[index].value);
    if (isList && !settings.reactions?.length) {
      this.#emojiList.showError(t("error.required"));
      this.#emojiList.input.focus();
      return;
    }
    await submitForm({
      fields: isList ? [this.#emojiList, ...this.#numbers] : this.#numbers,
      error: this.#error,
      button: this.#button,
      work: async () => {
        this.#channel = await patch(this.#path, { settings });
        this.#show(this.#stored);
        this.#keep();
        this.#onChange(this.#channel);
        notice(t("app.saved"));
      },
    });
  }

  #transferForm() {
    const user = field({
      name: "user_id",
      label: t("owner.new"),
      required: true,
      spellcheck: "false",
      autocapitalize: "none",
    });
    const error = h("p.error", { role: "alert", hidden: true });
    const button = h("button.plain", { type: "submit" }, t("owner.transfer.do"));
    const submit = submitting(async () => {
      if (!user.check()) return user.input.focus();
      const name = user.value.trim();
      if (
        !(await confirmDialog({
          title: t("owner.transfer"),
          text: t("owner.transfer.confirm", { user: name, name: this.#channel.name }),
          action: t("owner.transfer.do"),
        }))
      )
        return;
      const isDone = await submitForm({
        fields: [user],
        error,
        button,
        work: async () => this.#onChange(await post(`${this.#path}/owner`, { user_id: name })),
      });
      if (!isDone) return;
      notice(t("owner.transferred", { user: name }));
      // The user is no longer the owner.
      if (!session.isAdmin) fill(this.element, this.element.firstElementChild);
    });
    return h(
      "form.panel.form",
      { novalidate: true, on: { submit } },
      h("h2", {}, t("owner.transfer")),
      h("p.soft", {}, t("owner.transfer.lead")),
      user.element,
      error,
      h("div.actions", {}, button),
    );
  }

  #deletePanel() {
    return h(
      "section.panel.form",
      {},
      h("h2", {}, t("settings.delete")),
      h("p.soft", {}, t("settings.delete.lead")),
      h(
        "div.actions",
        {},
        h("button.danger-plain", { type: "button", on: { click: () => this.#delete() } }, t("settings.delete.do")),
      ),
    );
  }

  async #delete() {
    const { name } = this.#channel;
    const isSure = await dialog({
      title: t("settings.delete"),
      build: (close) => {
        const id = uniqueId("confirm");
        const button = h("button.danger", { type: "submit", disabled: true }, t("settings.delete.confirm"));
        const input = h("input", {
          id,
          autocomplete: "off",
          autofocus: true,
          dir: "auto",
          on: {
            input: () => {
              button.disabled = input.value.trim() !== name.trim();
            },
          },
        });
        return h(
          "form.sheet-body",
          { on: { submit: submitting(() => close(true)) } },
          h("p", {}, t("settings.delete.lead")),
          h("label", { for: id, dir: "auto" }, t("settings.delete.type", { name })),
          input,
          h(
            "div.actions",
            {},
            h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
            button,
          ),
        );
      },
    });
    if (!isSure) return;
    if (await attempt(() => del(this.#path))) {
      notice(t("profile.deleted"));
      go("/console", { replace: true });
    }
  }
}

/**
 * The text of a number in the form. A channel that an older version kept on this device lacks later ones.
 * @param {Api.SettingsResponse} settings
 * @param {(typeof NUMBERS)[number]} name
 */
function numberOf(settings, name) {
  return String(settings[name] ?? 0);
}
