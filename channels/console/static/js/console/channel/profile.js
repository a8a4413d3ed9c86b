// The form for a channel's profile, of a new channel or an existing one.

import { client, part, patch, post } from "../../client/api.js";
import { limits } from "../../client/limits.js";
import { consolePath, go } from "../../router.js";
import { t } from "../../texts.js";
import { avatar } from "../../ui/avatar.js";
import { fill, h, submitting } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { attempt, notice } from "../../ui/overlay.js";
import { field, submitForm } from "../form.js";
import { keepChanges, keepUnsaved, unsavedOf } from "../unsaved.js";

const PREFIX = "@TOA#_";
const CHANNEL_ID_BYTES = 48;
/**
 * Changing one of these ends the verification of a channel.
 * @type {string[]}
 */
const VERIFIED_FIELDS = ["name", "organization"];

export class Profile {
  /**
   * A `channel` of null creates a new one.
   * @param {{ channel: Api.ChannelResponse | null; onChange?: (channel: Api.ChannelResponse) => unknown }} options
   */
  constructor({ channel, onChange = () => {} }) {
    this.#channel = channel;
    this.#onChange = onChange;
    this.#form = `profile ${channel?.channel_id ?? "new"}`;
    const unsaved = unsavedOf(this.#form);
    this.#faceUrl = unsaved?.face_url ?? channel?.face_url ?? "";
    /**
     * @param {Exclude<App.ProfileField, "channel_id">} name
     * @param {number} limit
     * @param {object} [more]
     */
    const text = (name, limit, more = {}) => {
      const hint = t(`profile.${name}.hint`);
      const warns = channel?.verified && VERIFIED_FIELDS.includes(name);
      return field({
        name,
        label: t(`profile.${name}`),
        hint: warns ? `${hint} ${t("profile.verified.hint")}` : hint,
        value: unsaved?.[name] ?? channel?.[name] ?? "",
        limit,
        ...more,
      });
    };
    this.#fields = [
      text("name", limits.channel_name_bytes, { required: true, on: { input: () => this.#showPicture() } }),
      ...(channel
        ? []
        : [
            field({
              name: "channel_id",
              label: t("profile.id"),
              hint: t("profile.id.hint"),
              value: unsaved?.channel_id ?? "",
              limit: CHANNEL_ID_BYTES - PREFIX.length,
              spellcheck: "false",
              autocapitalize: "none",
            }),
          ]),
      text("introduction", limits.channel_introduction_bytes, { rows: 3 }),
      text("organization", limits.channel_organization_bytes),
      text("custom_data", limits.channel_custom_data_bytes, { rows: 2, spellcheck: "false" }),
    ];
    this.#error = h("p.error", { role: "alert", hidden: true });
    this.#button = h("button.primary", { type: "submit" }, channel ? t("app.save") : t("profile.create"));
    this.#picture = h("div.picture-field");
    this.element = h(
      "form.panel.form",
      { novalidate: true, on: { submit: submitting(() => this.#submit()), input: () => this.#keep() } },
      this.#notice,
      this.#picture,
      this.#fields.map((one) => one.element),
      this.#error,
      h(
        "div.actions",
        {},
        channel ? null : h("a.button.plain", { href: "/console", "data-inside": true }, t("app.cancel")),
        this.#button,
      ),
    );
    this.#showPicture();
    this.#keep();
  }

  #channel;
  #form;
  #onChange;
  #faceUrl;
  #fields;
  #error;
  #button;
  #picture;
  #notice = h("div.unsaved", { role: "status", hidden: true });
  #bar = h("progress", { max: "1", hidden: true, "aria-label": t("profile.picture") });
  /** @type {HTMLInputElement} */
  #files = h("input", {
    type: "file",
    accept: "image/*",
    hidden: true,
    on: { change: () => this.#upload(this.#files.files?.[0]) },
  });

  /** @param {App.ProfileField} name */
  #value(name) {
    return this.#fields.find((one) => one.name === name)?.value ?? "";
  }

  #showPicture() {
    const name = this.#value("name") || "?";
    const content = h(
      "div.picture-drop",
      {
        on: {
          dragover: (event) => event.preventDefault(),
          drop: (event) => {
            event.preventDefault();
            this.#upload(event.dataTransfer?.files[0]);
          },
        },
      },
      avatar({ id: this.#channel?.channel_id ?? name, name, url: this.#faceUrl, size: "huge" }),
      h(
        "div.drop-text",
        {},
        h("p", {}, h("strong", {}, t("profile.picture"))),
        h("p.soft", {}, t("profile.picture.hint")),
        h(
          "div.drop-buttons",
          {},
          h(
            "button.plain",
            { type: "button", on: { click: () => this.#files.click() } },
            icon("image"),
            t("profile.picture.choose"),
          ),
          this.#faceUrl
            ? h(
                "button.quiet",
                { type: "button", on: { click: () => this.#setPicture("") } },
                t("profile.picture.remove"),
              )
            : null,
        ),
        this.#bar,
      ),
    );
    fill(this.#picture, content, this.#files);
  }

  /** @param {string} url */
  #setPicture(url) {
    this.#faceUrl = url;
    this.#showPicture();
    this.#keep();
  }

  /** Keeps what differs from the channel until it is saved or discarded. */
  #keep() {
    /** @type {{ [name: string]: string }} */
    const values = { ...this.#values, ...(!this.#channel && { channel_id: this.#value("channel_id") }) };
    const stored = Object.fromEntries(Object.keys(values).map((name) => [name, this.#stored(name)]));
    keepChanges({ form: this.#form, values, stored, notice: this.#notice, onDiscard: () => this.#discard() });
  }

  /** @param {string} name */
  #stored(name) {
    return String(this.#channel?.[/** @type {"name"} */ (name)] ?? "");
  }

  #discard() {
    this.#showStored();
    this.#fields[0].input.focus();
  }

  #showStored() {
    for (const one of this.#fields) {
      one.input.value = this.#stored(one.name);
      one.input.dispatchEvent(new Event("input"));
      one.showError(null);
    }
    this.#setPicture(this.#stored("face_url"));
  }

  /** @param {File | undefined} file */
  async #upload(file) {
    if (!file) return;
    this.#bar.hidden = false;
    this.#bar.value = 0;
    await attempt(async () => {
      const onProgress = (/** @type {number} */ share) => {
        this.#bar.value = share;
      };
      const media = await client.upload(file, { onProgress });
      if (media.kind !== "image") notice(t("profile.picture.not"), { isBad: true });
      else this.#setPicture(media.thumb_url ?? media.url);
    });
    this.#bar.hidden = true;
    this.#files.value = "";
  }

  async #submit() {
    await submitForm({
      fields: this.#fields,
      error: this.#error,
      button: this.#button,
      work: () => (this.#channel ? this.#change(this.#channel) : this.#create()),
    });
  }

  get #values() {
    return {
      name: this.#value("name"),
      introduction: this.#value("introduction"),
      organization: this.#value("organization"),
      custom_data: this.#value("custom_data"),
      face_url: this.#faceUrl,
    };
  }

  async #create() {
    const id = this.#value("channel_id").trim();
    const channel_id = PREFIX + id.replace(PREFIX, "");
    const channel = await post("/v1/channels", { ...this.#values, ...(id && { channel_id }) });
    keepUnsaved(this.#form, null);
    notice(t("profile.created", { name: channel.name }));
    go(consolePath(channel.channel_id), { replace: true });
  }

  /** @param {Api.ChannelResponse} channel */
  async #change(channel) {
    const values = this.#values;
    /** @type {Api.UpdateChannel} */
    const changes = {};
    for (const name of /** @type {(keyof typeof values)[]} */ (Object.keys(values)))
      if (values[name] !== channel[name]) changes[name] = values[name];
    const changed = Object.keys(changes).length
      ? await patch(`/v1/channels/${part(channel.channel_id)}`, changes)
      : channel;
    this.#channel = changed;
    this.#showStored();
    this.#onChange(changed);
    notice(t("app.saved"));
  }
}
