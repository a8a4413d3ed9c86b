// The dialog that deletes an account: what is deleted, what stays, and the id that has to be typed.
//
// A user who still owns channels or groups is refused, and sees which. From the server's answer on the user's tokens are
// worth nothing, so a person who deletes themselves has to be signed out then.

import { asProblem, client } from "../client/api.js";
import { consolePath, groupPath } from "../router.js";
import "./texts.js";
import { t } from "../texts.js";
import { fill, h, submitting, uniqueId } from "../ui/dom.js";
import { dialog } from "../ui/overlay.js";

const REASONS = /** @type {const} */ (["gone", "messages", "stays", "again"]);

/**
 * Resolves with the server's answer, null when nothing was deleted.
 * @param {{ path: `/v1/users/${Api.Part}` | "/v1/users/me"; userId: string; isSelf: boolean }} options
 * @returns {Promise<Api.DeletionResponse | null>}
 */
export function deleteAccount({ path, userId, isSelf }) {
  return dialog({
    title: t(isSelf ? "account.delete" : "account.delete.other"),
    build: (close) => {
      const id = uniqueId("delete");
      const error = h("div.error", { role: "alert", hidden: true });
      const button = h("button.danger", { type: "submit", disabled: true }, t("account.delete.do"));
      const input = h("input", {
        id,
        autofocus: true,
        autocomplete: "off",
        autocapitalize: "none",
        spellcheck: "false",
        dir: "auto",
        on: {
          input: () => {
            button.disabled = input.value !== userId;
          },
        },
      });
      const messages = h("input", { type: "checkbox", id: `${id}-messages` });
      const submit = submitting(async () => {
        if (button.disabled) return;
        error.hidden = true;
        button.disabled = true;
        try {
          const body = { confirm: input.value, messages: messages.checked ? "delete" : "keep" };
          close(await client.request("DELETE", path, { body }));
        } catch (refusal) {
          fill(error, refusalOf(asProblem(refusal), close));
          error.hidden = false;
          button.disabled = false;
        }
      });
      return h(
        "form.sheet-body.form",
        { novalidate: true, on: { submit } },
        h(
          "ul.account-facts",
          {},
          REASONS.map((name) => h("li", {}, t(isSelf ? `account.delete.${name}` : `account.delete.other.${name}`))),
        ),
        h("div.choice-line", {}, messages, h("label", { for: messages.id }, t("account.delete.everything"))),
        h("div.field", {}, h("label", { for: id }, t("account.delete.type", { id: userId })), input),
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

/** @typedef {{ channel_ids?: string[]; group_ids?: string[] }} Owned */

/**
 * Why not, in words; with the channels and groups that the user owns, as links.
 * @param {import("../client/api.js").Problem} problem
 * @param {() => void} close
 * @returns {App.Child[]}
 */
function refusalOf(problem, close) {
  if (problem.code !== "owns_channels") return [h("p", {}, problem.userMessage)];
  const { channel_ids: channels = [], group_ids: groups = [] } = /** @type {Owned} */ (problem.details);
  /**
   * @param {string} id
   * @param {string} href
   */
  const row = (id, href) =>
    h("li", {}, h("a", { href, "data-inside": true, dir: "auto", on: { click: () => close() } }, id));
  return [
    h("p", {}, t("account.owns")),
    h(
      "ul.account-owned",
      {},
      channels.map((id) => row(id, consolePath(id, "settings"))),
      groups.map((id) => row(id, groupPath(id))),
    ),
  ];
}
