// The signing secret of a webhook, on the page until the user has stored it: the server does not tell it again.
//
// It is no dialog, so that a click beside it does not lose it.

import { t } from "../../texts.js";
import { h, uniqueId } from "../../ui/dom.js";

/**
 * A panel with the secret. `onDone` is called when the user has stored it.
 * @param {Api.WebhookWithSecret} webhook
 * @param {() => unknown} onDone
 */
export function secretPanel({ url, secret }, onDone) {
  const id = uniqueId("secret");
  /** @type {HTMLInputElement} */
  const input = h("input", {
    id,
    value: secret,
    readonly: true,
    dir: "ltr",
    spellcheck: "false",
    autocomplete: "off",
    "aria-describedby": `${id}-lead`,
    on: { focus: () => input.select() },
  });
  const copied = h("p.soft", { role: "status" });
  const copy = () => {
    input.select();
    // The clipboard's newer interface is missing on plain HTTP.
    const isCopied = document.execCommand("copy");
    copied.textContent = t(isCopied ? "webhooks.secret.copied" : "webhooks.secret.notCopied");
  };
  return h(
    "section.panel.form.secret",
    { "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title`, tabindex: "-1" }, t("webhooks.secret")),
    h("p", { id: `${id}-lead`, dir: "auto" }, t("webhooks.secret.lead", { url })),
    h(
      "div.field",
      {},
      h("label", { for: id }, t("webhooks.secret.label")),
      h(
        "div.secret-line",
        {},
        input,
        h("button.plain", { type: "button", on: { click: copy } }, t("webhooks.secret.copy")),
      ),
      copied,
    ),
    h("div.actions", {}, h("button.primary", { type: "button", on: { click: onDone } }, t("webhooks.secret.done"))),
  );
}
