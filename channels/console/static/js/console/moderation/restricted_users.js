// The users that the application's admin restricted: who, until when and why; ending it, and restricting another one.

import { del, get, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { h, submitting } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { field, submitForm } from "../form.js";
import { rowOfUser } from "../people/rows.js";
import { noteField, untilField } from "./sanction_fields.js";

export class RestrictedUsers {
  constructor() {
    this.element = h("div.panels", {}, h("section.panel", {}, this.#users.elements), this.#form());
    this.#users.reload();
  }

  /** @type {PagedList<Api.RestrictedUserResponse>} */
  #users = new PagedList({
    fetchPage: (cursor) => get("/v1/restrictions", { cursor }),
    renderRow: (restriction) => this.#row(restriction),
    emptyText: () => t("restriction.empty"),
  });

  /** @param {Api.RestrictedUserResponse} restriction */
  #row({ at, reason, until, user_id: id }) {
    return rowOfUser(id, (name) => ({
      details: [
        h(
          "span.soft",
          { title: exact(at) },
          until
            ? t("restriction.is.until", { when: ago(at), until: exact(until) })
            : t("restriction.is", { when: ago(at) }),
        ),
        reason ? h("span.soft", { dir: "auto" }, t("suspension.reason", { reason })) : null,
      ],
      atEnd: h(
        "button.plain",
        {
          type: "button",
          "aria-label": t("restriction.lift.label", { user: name }),
          on: { click: () => this.#lift(id, name) },
        },
        t("restriction.lift"),
      ),
    }));
  }

  /**
   * @param {string} id
   * @param {string} user The name, or the id again.
   */
  async #lift(id, user) {
    const text = t("restriction.lift.confirm", { user });
    const title = t("restriction.lift");
    if (!(await confirmDialog({ title, text, action: title }))) return;
    if (!(await attempt(() => del(`/v1/users/${part(id)}/restriction`)))) return;
    notice(t("restriction.lifted", { user }));
    await this.#users.reload();
  }

  #form() {
    const userId = field({
      name: "user_id",
      label: t("people.id"),
      required: true,
      spellcheck: "false",
      autocapitalize: "none",
    });
    const until = untilField();
    const reason = noteField("reason", true);
    const error = h("p.error", { role: "alert", hidden: true });
    const button = h("button.danger", { type: "submit" }, t("restriction.do"));
    const submit = submitting(async () => {
      const user = userId.value.trim();
      const work = () =>
        put(`/v1/users/${part(user)}/restriction`, { until: until.value, reason: reason.value.trim() });
      if (!(await submitForm({ fields: [userId, until.field, reason], error, button, work }))) return;
      notice(t("restriction.done", { user }));
      userId.input.value = reason.input.value = "";
      await this.#users.reload();
    });
    return h(
      "form.panel.form",
      { novalidate: true, on: { submit } },
      h("h2", {}, t("restriction.new")),
      userId.element,
      until.element,
      reason.element,
      error,
      h("div.actions", {}, button),
    );
  }
}
