// "Profile and settings": the user's own name and photo, which the API stores, the theme and the language, which this
// browser stores, and the data of the account. Imported when it is opened.

import { ownAccount } from "../account/own_account.js";
import { patch } from "../client/api.js";
import { limits } from "../client/limits.js";
import { rememberPeople } from "../client/people.js";
import { session } from "../client/session.js";
import { field, submitForm } from "../console/form.js";
import { loadTexts, t } from "../texts.js";
import { h, submitting } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { notice } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";
import { languagePanel, themePanel } from "./browser_settings.js";
import { PhotoField } from "./photo_field.js";

await Promise.all([loadTexts("me"), loadStyle("css/console.css")]);

export class MeView {
  /**
   * `onChange` gets the profile that was saved; `signOut` ends the session.
   * @param {{ me: Api.UserResponse; onChange: (me: Api.UserResponse) => unknown; signOut: () => unknown }} options
   */
  constructor({ me, onChange, signOut }) {
    this.#onChange = onChange;
    this.#photo = new PhotoField({ id: me.user_id, name: () => this.#name.value || me.user_id, url: me.face_url });
    this.#name = field({
      name: "name",
      label: t("me.name"),
      hint: t("me.name.hint"),
      value: me.name,
      limit: limits.user_name_bytes,
      autocomplete: "name",
      on: { input: () => this.#photo.show() },
    });
    this.#photo.show();
    this.#account = ownAccount({ userId: me.user_id, signOut });
    this.element = h(
      "section.page",
      {},
      h(
        "div.page-inner",
        {},
        h(
          "header.page-head",
          {},
          h(
            "a.quiet.square.narrow-only",
            { href: "/", "data-inside": true, "aria-label": t("app.back") },
            icon("back"),
          ),
          h("h1", { tabindex: "-1" }, t("app.me")),
        ),
        h(
          "form.panel.form",
          { novalidate: true, on: { submit: submitting(() => this.#save()) } },
          h("h2", {}, t("me.profile")),
          this.#photo.element,
          this.#name.element,
          this.#error,
          h("div.actions", {}, this.#button),
        ),
        h(
          "div.panel.form",
          {},
          h("h2", {}, t("me.browser")),
          h("p.hint.soft", {}, t("me.browser.hint")),
          themePanel(),
          languagePanel(),
        ),
        h(
          "div.panel.form",
          {},
          h("h2", {}, t("me.account")),
          h("p.soft", {}, t("signin.as", { name: session.userId })),
          h(
            "div.actions",
            {},
            h("button.danger-plain", { type: "button", on: { click: signOut } }, icon("out"), t("signin.out")),
          ),
        ),
        this.#account.elements,
      ),
    );
  }

  #onChange;
  #photo;
  #account;
  #name;
  #error = h("p.error", { role: "alert", hidden: true });
  #button = h("button.primary", { type: "submit" }, t("app.save"));

  async #save() {
    await submitForm({
      fields: [this.#name],
      error: this.#error,
      button: this.#button,
      work: async () => {
        const me = await patch("/v1/users/me", { name: this.#name.value.trim(), face_url: this.#photo.url });
        rememberPeople([me]);
        this.#onChange(me);
        notice(t("app.saved"));
      },
    });
  }

  close() {
    this.#account.close();
  }
}
