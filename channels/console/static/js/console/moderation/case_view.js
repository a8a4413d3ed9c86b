// One case: what was reported, how often and why, and the decision.

import { asProblem, get, part, post } from "../../client/api.js";
import { personOf } from "../../client/people.js";
import { moderationPath } from "../../router.js";
import { t } from "../../texts.js";
import { avatar } from "../../ui/avatar.js";
import { contentElements } from "../../ui/content.js";
import { fill, focusHeading, h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { icon } from "../../ui/icons.js";
import { notice } from "../../ui/overlay.js";
import { retryButton } from "../../ui/retry.js";
import { formDialog } from "./form_dialog.js";
import { reasonsElement } from "./reasons.js";
import { modeChoice, noteField, untilField } from "./sanction_fields.js";
import { loadNames, targetPath, targetText } from "./targets.js";

/** By type of what was reported: what can be decided. @type {{ [type: string]: Api.CaseAction[] }} */
const ACTIONS = {
  post: ["dismiss", "delete", "suspend_channel", "restrict_user"],
  comment: ["dismiss", "delete", "suspend_channel", "restrict_user"],
  message: ["dismiss", "delete", "restrict_user"],
  channel: ["dismiss", "suspend_channel", "restrict_user"],
  group: ["dismiss", "restrict_user"],
  user: ["dismiss", "restrict_user"],
};

export class CaseView {
  /** @param {string} id */
  constructor(id) {
    this.#path = `/v1/reports/${part(id)}`;
    this.#load();
  }

  /** @type {`/v1/reports/${Api.Part}`} */
  #path;
  element = h("div.panels", {}, h("p.empty", { role: "status" }, t("app.loading")));
  #isClosed = false;

  close() {
    this.#isClosed = true;
  }

  async #load() {
    try {
      const one = await get(this.#path);
      await loadNames([one]);
      if (!this.#isClosed) this.#show(one);
    } catch (error) {
      const problem = asProblem(error);
      const isGone = problem.status === 404;
      fill(
        this.element,
        h("p.empty", { role: "alert" }, isGone ? t("case.gone") : problem.userMessage),
        isGone ? null : retryButton(() => this.#load()),
      );
    }
  }

  /** @param {Api.ReportCaseResponse} one */
  #show(one) {
    const heading = h("h2", { tabindex: "-1", dir: "auto" });
    const author = h("p.soft", { dir: "auto" });
    const showNames = () => {
      heading.textContent = targetText(one, showNames);
      if (!one.author_id) return;
      const { name } = personOf(one.author_id, showNames);
      const key = one.target.type === "channel" || one.target.type === "group" ? "case.owner" : "case.author";
      author.textContent = one.target.type === "user" ? one.author_id : t(key, { name });
      author.title = one.author_id;
    };
    showNames();
    const path = targetPath(one.target);
    fill(
      this.element,
      h(
        "a.plain.button.case-back",
        { href: moderationPath(null), "data-inside": true },
        icon("back"),
        t("moderation.tab.reports"),
      ),
      h(
        "section.panel.form",
        {},
        heading,
        h("p.hint.soft", {}, t("case.content.lead")),
        contentOf(one),
        author,
        path ? h("a", { href: path, "data-inside": true }, t("case.show")) : null,
      ),
      reportsPanel(one),
      one.state === "open" ? this.#decisionPanel(one) : resolvedPanel(one),
    );
    focusHeading(this.element);
  }

  /** @param {Api.ReportCaseResponse} one */
  #decisionPanel(one) {
    const { type } = one.target;
    const hasPerson = one.author_id !== null;
    const actions = (ACTIONS[type] ?? ["dismiss"]).filter((action) => action !== "restrict_user" || hasPerson);
    return h(
      "section.panel.form",
      {},
      h("h2", {}, t("case.decision")),
      h("p.soft", {}, t("case.decision.lead")),
      h(
        "div.case-actions",
        {},
        actions.map((action) =>
          h(
            `button.${action === "dismiss" ? "plain" : "danger-plain"}`,
            { type: "button", on: { click: () => this.#decide(action) } },
            t(`case.${action}`),
          ),
        ),
      ),
    );
  }

  /** @param {Api.CaseAction} action */
  async #decide(action) {
    const isShown = action === "suspend_channel" || action === "restrict_user";
    const note = noteField("note", isShown);
    const mode = action === "suspend_channel" ? modeChoice() : null;
    const until = action === "restrict_user" ? untilField() : null;
    const isDone = await formDialog({
      title: t(`case.${action}.title`),
      text: t(`case.${action}.text`),
      elements: [mode, until, note].flatMap((one) => (one ? [one.element] : [])),
      fields: until ? [until.field, note] : [note],
      action: t(`case.${action}`),
      isDangerous: action !== "dismiss",
      work: async () => {
        const text = note.value.trim();
        const resolved = await post(`${this.#path}/resolution`, {
          action,
          ...(mode && { mode: mode.value }),
          ...(until?.value && { until: until.value }),
          ...(text && { note: text }),
        });
        this.#show(resolved);
      },
    });
    if (isDone) notice(t(`case.done.${action}`));
    else if (!this.#isClosed) await this.#load();
    this.element.querySelector("h2")?.focus();
  }
}

/** What it looked like. @param {Api.ReportCaseResponse} one */
function contentOf({ content, profile, target }) {
  if (content) return h("blockquote.case-content", {}, contentElements(content));
  if (!profile) return null;
  const id = target.channel_id ?? target.group_id ?? target.user_id ?? "";
  const { face_url: url, introduction, name } = profile;
  return h(
    "div.case-content",
    {},
    avatar({ id, name: name || id, url, shape: target.type === "channel" ? "tile" : "round", size: "large" }),
    h("strong", { dir: "auto" }, name || id),
    h("span.soft", { dir: "auto" }, id),
    introduction ? h("p.text", { dir: "auto" }, introduction) : null,
  );
}

/** @param {Api.ReportCaseResponse} one */
function reportsPanel(one) {
  return h(
    "section.panel.form",
    {},
    h("h2", {}, t("cases.count", { n: one.count })),
    reasonsElement(one),
    h("p.soft", {}, t("case.times", { first: exact(one.first_at), last: exact(one.last_at) })),
    h("h3", {}, t("case.texts")),
    one.texts.length
      ? h(
          "ul.case-texts",
          {},
          one.texts.map(({ at, reason, text }) =>
            h(
              "li",
              {},
              h("p", { dir: "auto" }, text),
              h(
                "p.soft",
                { title: exact(at) },
                `${t(/** @type {App.TextKey} */ (`reporting.reason.${reason}`))} · ${ago(at)}`,
              ),
            ),
          ),
        )
      : h("p.soft", {}, t("case.texts.none")),
  );
}

/** @param {Api.ReportCaseResponse} one */
function resolvedPanel({ resolution, resolved_by: by }) {
  if (resolution === null) return null;
  const { action, at, note, until } = resolution;
  const line = h("p", { dir: "auto", title: exact(at) });
  const show = () => {
    line.textContent = t(`case.was.${action}`, { name: personOf(by ?? "", show).name, when: ago(at) });
  };
  show();
  return h(
    "section.panel.form",
    {},
    h("h2", {}, t("case.decision")),
    line,
    until ? h("p.soft", {}, t("log.mutedUntil", { when: exact(until) })) : null,
    note ? h("p", { dir: "auto" }, t("case.was.note", { note })) : null,
  );
}
