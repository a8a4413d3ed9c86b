// One user's account in the hands of the application's admin: downloading all data of it, deleting it, and how far a deletion
// is. The address names the user.

import { deleteAccount } from "../../account/delete_dialog.js";
import { downloadPanel } from "../../account/download_panel.js";
import { asProblem, get, part } from "../../client/api.js";
import { go, moderationPath } from "../../router.js";
import { t } from "../../texts.js";
import { fill, h, submitting } from "../../ui/dom.js";
import { exact } from "../../ui/format.js";
import { retryButton } from "../../ui/retry.js";
import { field } from "../form.js";
import { rowOfUser } from "../people/rows.js";

const LOOK = 2000; // milliseconds between two looks how far it is

export class Accounts {
  /** @param {string | null} userId Null asks for one. */
  constructor(userId) {
    this.#account = userId === null ? null : new Account(userId);
    this.element = h("div.panels", {}, this.#form(userId ?? ""), this.#account?.element);
  }

  #account;

  close() {
    this.#account?.close();
  }

  /** @param {string} value */
  #form(value) {
    const userId = field({
      name: "user_id",
      label: t("people.id"),
      value,
      required: true,
      spellcheck: "false",
      autocapitalize: "none",
    });
    const submit = submitting(() => {
      if (userId.check()) go(moderationPath("accounts", userId.value.trim()));
      else userId.input.focus();
    });
    return h(
      "form.panel.form",
      { novalidate: true, on: { submit } },
      h("p.soft", {}, t("accounts.lead")),
      userId.element,
      h("div.actions", {}, h("button.plain", { type: "submit" }, t("accounts.open"))),
    );
  }
}

class Account {
  /** @param {string} userId */
  constructor(userId) {
    this.#userId = userId;
    this.#path = /** @type {const} */ (`/v1/users/${part(userId)}`);
    this.#download = downloadPanel({
      path: `${this.#path}/export`,
      name: "user-data",
      title: t("accounts.data"),
      lead: t("accounts.data.lead"),
    });
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel",
        {},
        h(
          "ul.people",
          { "aria-label": t("accounts.person") },
          rowOfUser(userId, () => ({ atEnd: null })),
        ),
      ),
      this.#download.element,
      h("section.panel.form", {}, h("h2", {}, t("account.delete.other")), this.#state, this.#actions),
    );
    this.#load();
  }

  #userId;
  #path;
  #download;
  #state = h("div.deletion-state", { role: "status" });
  #actions = h("div.actions");
  #isClosed = false;

  close() {
    this.#isClosed = true;
    this.#download.close();
  }

  async #load() {
    try {
      this.#show(await get(`${this.#path}/deletion`));
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === "deletion_not_found") return this.#show(null);
      fill(this.#state, h("p", {}, problem.userMessage));
      fill(
        this.#actions,
        retryButton(() => this.#load()),
      );
    }
  }

  /** @param {Api.DeletionResponse | null} deletion */
  #show(deletion) {
    if (this.#isClosed) return;
    const isRunning = deletion !== null && deletion.state !== "done";
    fill(this.#state, deletion ? deletionLines(deletion) : h("p.soft", {}, t("accounts.delete.lead")));
    const hadFocus = this.#actions.contains(document.activeElement);
    const button = isRunning
      ? null
      : h("button.danger-plain", { type: "button", on: { click: () => this.#delete() } }, t("account.delete.open"));
    fill(this.#actions, button);
    if (hadFocus) button?.focus();
    if (isRunning) setTimeout(() => this.#isClosed || this.#load(), LOOK);
  }

  async #delete() {
    const begun = await deleteAccount({ path: this.#path, userId: this.#userId, isSelf: false });
    if (begun !== null) this.#show(begun);
  }
}

/** @param {Api.DeletionResponse} deletion */
function deletionLines({ state, started_at: startedAt, finished_at: finishedAt, step, steps }) {
  if (state === "done")
    return [
      h("p", {}, t("accounts.deleted", { when: exact(finishedAt ?? startedAt) })),
      h("p.soft", {}, t("accounts.deleted.lead")),
    ];
  return [
    h("p", {}, t("accounts.deleting", { when: exact(startedAt) })),
    state === "blocked" ? h("p.error", {}, t("accounts.blocked")) : null,
    h("progress", { max: String(steps), value: step, "aria-label": t("accounts.deleting.label") }),
    h("p.soft", {}, t("accounts.deleting.step", { step, steps })),
  ];
}
