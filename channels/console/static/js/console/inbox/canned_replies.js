// The canned replies of a channel beside the field for answers: a menu, and suggestions once "/" is typed as the first
// character. Choosing one puts its text into the field; nothing is sent.

import { asProblem, del, get, part, put } from "../../client/api.js";
import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { fill, h, submitting, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { attempt, confirmDialog, dialog, menu, menuButton } from "../../ui/overlay.js";
import { field, submitForm } from "../form.js";

const PAGE = 100;
const NAME_BYTES = 128;
const MOST_SUGGESTIONS = 6;

export class CannedReplies {
  /**
   * `writer` holds the field.
   * @param {{ channelId: string; writer: HTMLElement }} options
   */
  constructor({ channelId, writer }) {
    this.#path = `/v1/channels/${part(channelId)}/canned-replies`;
    this.#input = /** @type {HTMLTextAreaElement} */ (writer.querySelector("textarea"));
    this.button = menuButton({ content: t("canned.title"), style: "quiet.small", open: (at) => this.#openMenu(at) });
    this.#list = h("ul.suggestions", {
      id: uniqueId("canned"),
      role: "listbox",
      "aria-label": t("canned.title"),
      hidden: true,
    });
    writer.prepend(this.#list);
    this.#input.addEventListener("input", () => this.#suggest());
    this.#input.addEventListener("blur", () => this.#closeList());
    // Before the field itself sees the key, which sends the answer with Enter.
    writer.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
  }

  /** @type {`${App.ChannelPath}/canned-replies`} */
  #path;
  #input;
  #list;
  /** @type {Promise<Api.CannedReplyResponse[]> | null} */
  #loading = null;
  /** @type {Api.CannedReplyResponse[]} */
  #suggested = [];
  #chosen = 0; // of the suggestions

  /** All of them, loaded when they are needed first. Throws what the API refused. */
  #load() {
    this.#loading ??= this.#loadAll().catch((error) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #loadAll() {
    /** @type {Api.CannedReplyResponse[]} */
    const replies = [];
    /** @type {string | null} */
    let cursor = null;
    do {
      /** @type {App.Page<Api.CannedReplyResponse>} */
      const page = await get(this.#path, { limit: PAGE, cursor });
      replies.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return replies;
  }

  /** @param {HTMLElement} anchor */
  #openMenu(anchor) {
    return attempt(async () => {
      this.#loading = null; // another admin may have changed them
      const replies = await this.#load();
      /** @type {App.MenuEntries} */
      const entries = replies.map((reply) => ({ label: reply.name, icon: "letter", act: () => this.#insert(reply) }));
      if (entries.length) entries.push(null);
      menu(anchor, [...entries, { label: t("canned.edit"), icon: "pen", act: () => this.#edit() }]);
    });
  }

  /** @param {Api.CannedReplyResponse} reply */
  #insert({ text }) {
    const input = this.#input;
    const isCommand = input.value.startsWith("/");
    const [from, to] = isCommand ? [0, input.value.length] : [input.selectionStart, input.selectionEnd];
    input.setRangeText(text, from, to, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
    this.#closeList();
    input.focus();
  }

  // --- suggestions

  async #suggest() {
    const { value } = this.#input;
    if (!value.startsWith("/") || value.includes("\n")) return this.#closeList();
    // Suggestions are a help. The menu says what went wrong.
    const replies = await this.#load().catch(() => []);
    if (this.#input.value !== value) return null;
    const words = value.slice(1).toLowerCase();
    this.#suggested = replies.filter(({ name }) => name.toLowerCase().includes(words)).slice(0, MOST_SUGGESTIONS);
    this.#chosen = 0;
    return this.#showList();
  }

  #showList() {
    fill(
      this.#list,
      this.#suggested.map((reply, index) =>
        h(
          "li.suggestion",
          {
            id: `${this.#list.id}-${index}`,
            role: "option",
            "aria-selected": String(index === this.#chosen),
            // Not `click`: the field would lose the focus first, which closes the list.
            on: {
              pointerdown: (event) => {
                event.preventDefault();
                this.#insert(reply);
              },
            },
          },
          h("strong", { dir: "auto" }, reply.name),
          h("span.soft", { dir: "auto" }, reply.text),
        ),
      ),
    );
    this.#list.hidden = !this.#suggested.length;
    if (this.#list.hidden) return this.#closeList();
    this.#input.setAttribute("aria-controls", this.#list.id);
    this.#input.setAttribute("aria-activedescendant", `${this.#list.id}-${this.#chosen}`);
    return this.#list.children[this.#chosen].scrollIntoView({ block: "nearest" });
  }

  #closeList() {
    this.#list.hidden = true;
    this.#suggested = [];
    this.#input.removeAttribute("aria-controls");
    this.#input.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const n = this.#suggested.length;
    if (!n || event.target !== this.#input || event.isComposing) return;
    if (event.key === "ArrowDown") this.#chosen = (this.#chosen + 1) % n;
    else if (event.key === "ArrowUp") this.#chosen = (this.#chosen + n - 1) % n;
    else if (event.key === "Enter" || event.key === "Tab") this.#insert(this.#suggested[this.#chosen]);
    else if (event.key === "Escape") this.#closeList();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#suggested.length) this.#showList();
  }

  // --- editing

  /** A dialog with all of them, and a form for a new one, or for the one that is changed. */
  #edit() {
    return dialog({
      title: t("canned.title"),
      build: () => {
        const rows = h("ul.canned-rows");
        const name = field({
          name: "name",
          label: t("canned.name"),
          hint: t("canned.name.hint"),
          limit: NAME_BYTES,
          required: true,
          spellcheck: "false",
        });
        const text = field({
          name: "text",
          label: t("canned.text"),
          limit: limits.message_body_bytes,
          rows: 3,
          required: true,
        });
        const error = h("p.error", { role: "alert", hidden: true });
        const button = h("button.primary", { type: "submit" }, t("app.save"));
        const show = async () => {
          this.#loading = null;
          const replies = await this.#load();
          fill(
            rows,
            replies.length ? replies.map((reply) => this.#editRow(reply, { name, text, show })) : t("canned.empty"),
          );
        };
        const submit = submitting(async () => {
          const path = /** @type {const} */ (`${this.#path}/${part(name.value.trim())}`);
          const work = () => put(path, { text: text.value.trim() });
          if (!(await submitForm({ fields: [name, text], error, button, work }))) return;
          name.input.value = text.input.value = "";
          name.input.focus();
          await attempt(show);
        });
        show().catch((problem) => {
          error.textContent = asProblem(problem).userMessage;
          error.hidden = false;
        });
        return h(
          "div.sheet-body",
          {},
          h("p.soft", {}, t("canned.lead")),
          rows,
          h(
            "form.form",
            { novalidate: true, on: { submit } },
            name.element,
            text.element,
            error,
            h("div.actions", {}, button),
          ),
        );
      },
    }).then(() => this.#input.focus());
  }

  /**
   * @param {Api.CannedReplyResponse} reply
   * @param {{ name: App.Field; text: App.Field; show: () => Promise<void> }} form
   */
  #editRow(reply, { name, text, show }) {
    const change = () => {
      name.input.value = reply.name;
      text.input.value = reply.text;
      text.input.focus();
    };
    const remove = async () => {
      const isSure = await confirmDialog({
        title: t("canned.delete"),
        text: t("canned.delete.confirm", { name: reply.name }),
        action: t("canned.delete"),
      });
      if (isSure && (await attempt(() => del(`${this.#path}/${part(reply.name)}`)))) await attempt(show);
    };
    return h(
      "li.canned-row",
      {},
      h("span.canned-text", {}, h("strong", { dir: "auto" }, reply.name), h("span.soft", { dir: "auto" }, reply.text)),
      h(
        "button.quiet.square",
        { type: "button", "aria-label": t("canned.change.label", { name: reply.name }), on: { click: change } },
        icon("pen"),
      ),
      h(
        "button.quiet.square",
        { type: "button", "aria-label": t("canned.delete.label", { name: reply.name }), on: { click: remove } },
        icon("trash"),
      ),
    );
  }
}
