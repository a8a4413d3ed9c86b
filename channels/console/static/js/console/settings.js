// A channel's settings, and what only its owner does: handing it over, deleting it.

import { del, part, patch, post } from "../api.js";
import { fill, freshId, h } from "../dom.js";
import { attempt, dialog, notice, sure } from "../overlay.js";
import { go } from "../router.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { choice, field, send } from "./fields.js";
import { isOwner, may } from "../rights.js";

export class Settings {
  constructor({ channel, onChange }) {
    this.#channel = channel;
    this.#onChange = onChange;
    const { settings } = channel;
    const options = (name, keys) => keys.map((key) => [key, t(`settings.${name}.${key}`)]);
    const isList = Array.isArray(settings.reactions);
    const isFixed = !may(channel, "change_settings");
    this.#list = field({ name: "reactions", label: t("settings.emoji"), hint: t("settings.emoji.hint"), value: isList ? settings.reactions.join(" ") : "" });
    this.#list.element.hidden = !isList;
    this.#reactions = choice({
      name: "reactions",
      label: t("settings.reactions"),
      value: isList ? "list" : settings.reactions,
      options: options("reactions", ["all", "basic", "none", "list"]),
      disabled: isFixed,
      on: (key) => {
        this.#list.element.hidden = key !== "list";
      },
    });
    this.#choices = [
      choice({ name: "visibility", label: t("settings.visibility"), value: settings.visibility, options: options("visibility", ["public", "private"]), disabled: isFixed }),
      choice({ name: "accept_messages", label: t("settings.accept_messages"), value: settings.accept_messages, options: options("accept_messages", ["everyone", "subscribers", "nobody"]), disabled: isFixed }),
    ];
    this.#numbers = ["reactions_per_user", "distinct_reactions"].map((name) => field({
      name, label: t(`settings.${name}`), hint: t(`settings.${name}.hint`), value: String(settings[name]), type: "number", inputmode: "numeric", min: "1", max: name === "reactions_per_user" ? "100" : "1000", required: true, dir: null,
    }));
    this.#switches = ["signatures", "protect_content"].map((name) => {
      const id = freshId(name);
      return { name, id, input: h("input", { type: "checkbox", id, checked: settings[name], disabled: isFixed }) };
    });
    for (const { input } of [this.#list, ...this.#numbers]) input.disabled = isFixed;
    this.#told = h("p.wrong", { role: "alert", hidden: true });
    this.#button = h("button.primary", { type: "submit", hidden: isFixed }, t("app.save"));
    this.element = h("div.panels", {},
      h("form.panel.form", { novalidate: true, on: { submit: (event) => (event.preventDefault(), this.#save()) } },
        this.#choices[0].element,
        this.#reactions.element,
        this.#list.element,
        h("div.side-by-side", {}, this.#numbers.map(({ element }) => element)),
        this.#choices[1].element,
        h("fieldset.choices-list", {}, h("legend", {}, t("settings.other")),
          this.#switches.map(({ name, id, input }) => h("div.choice-line", {}, input, h("label", { for: id }, t(`settings.${name}`))))),
        isFixed ? h("p.soft", {}, t("settings.mayNot")) : null,
        this.#told,
        h("div.actions", {}, this.#button),
      ),
      isOwner(channel) ? [this.#handOver(), this.#deletion()] : null,
    );
  }

  #channel;
  #onChange;
  #reactions;
  #list;
  #choices;
  #numbers;
  #switches;
  #told;
  #button;

  get #path() {
    return `/v1/channels/${part(this.#channel.channel_id)}`;
  }

  async #save() {
    const settings = Object.fromEntries(this.#choices.map((one) => [one.name, one.value]));
    const isList = this.#reactions.value === "list";
    settings.reactions = isList ? this.#list.value.split(/[\s,]+/).filter(Boolean) : this.#reactions.value;
    for (const { name, input } of this.#switches) settings[name] = input.checked;
    for (const one of this.#numbers) settings[one.name] = Number(one.value);
    if (isList && !settings.reactions.length) {
      this.#list.tell(t("error.required"));
      this.#list.input.focus();
      return;
    }
    await send({
      fields: isList ? [this.#list, ...this.#numbers] : this.#numbers,
      told: this.#told,
      button: this.#button,
      work: async () => {
        this.#channel = await patch(this.#path, { settings });
        this.#onChange(this.#channel);
        notice(t("app.saved"));
      },
    });
  }

  #handOver() {
    const user = field({ name: "user_id", label: t("settings.owner.user"), required: true, spellcheck: "false", autocapitalize: "none" });
    const told = h("p.wrong", { role: "alert", hidden: true });
    const button = h("button.plain", { type: "submit" }, t("settings.owner.do"));
    const submit = async (event) => {
      event.preventDefault();
      if (!user.check()) return user.input.focus();
      const name = user.value.trim();
      if (!(await sure({ title: t("settings.owner"), text: t("settings.owner.sure", { user: name, name: this.#channel.name }), action: t("settings.owner.do") }))) return;
      const done = await send({ fields: [user], told, button, work: async () => this.#onChange(await post(`${this.#path}/owner`, { user_id: name })) });
      if (!done) return;
      notice(t("settings.owner.done", { user: name }));
      // What only an owner does is not for us any more.
      if (!session.isAdmin) fill(this.element, this.element.firstElementChild);
    };
    return h("form.panel.form", { novalidate: true, on: { submit } }, h("h2", {}, t("settings.owner")), h("p.soft", {}, t("settings.owner.lead")), user.element, told, h("div.actions", {}, button));
  }

  #deletion() {
    return h("section.panel.form", {},
      h("h2", {}, t("settings.delete")),
      h("p.soft", {}, t("settings.delete.lead")),
      h("div.actions", {}, h("button.danger-plain", { type: "button", on: { click: () => this.#delete() } }, t("settings.delete.do"))),
    );
  }

  async #delete() {
    const { name } = this.#channel;
    const isSure = await dialog({
      title: t("settings.delete"),
      build: (close) => {
        const id = freshId("confirm");
        const button = h("button.danger", { type: "submit", disabled: true }, t("settings.delete.sure"));
        const input = h("input", { id, autocomplete: "off", autofocus: true, dir: "auto", on: { input: () => {
          button.disabled = input.value.trim() !== name.trim();
        } } });
        return h("form.sheet-body", { on: { submit: (event) => (event.preventDefault(), close(true)) } },
          h("p", {}, t("settings.delete.lead")),
          h("label", { for: id, dir: "auto" }, t("settings.delete.type", { name })), input,
          h("div.actions", {}, h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")), button),
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
