// How chats begin: writing to somebody, making a group, joining one.

import { get, part, post, put } from "../api.js";
import { freshId, h } from "../dom.js";
import { icon } from "../icons.js";
import { isChannelId } from "../inbox.js";
import { bytesOf, limits } from "../limits.js";
import { ask, dialog, menu, notice } from "../overlay.js";
import { chatPath, go, withPath } from "../router.js";
import { session } from "../session.js";
import { t } from "../texts.js";

/** What stands behind each kind: who may come in, as the group's type has it. */
const KINDS = { closed: "work", open: "community", asked: "public" };

/** The menu at the button for a new chat. */
export function openBeginning(anchor) {
  menu(anchor, [
    { label: t("begin.person"), icon: "letter", act: writeToSomebody },
    { label: t("begin.group"), icon: "people", act: newGroup },
    { label: t("begin.join"), icon: "plus", act: joinGroup },
  ]);
}

async function writeToSomebody() {
  const userId = await ask({
    title: t("begin.person.title"),
    label: t("begin.person.id"),
    action: t("begin.person.do"),
    check: (text) => (isPerson(text.trim()) ? null : t("begin.person.not")),
  });
  if (userId !== null) go(withPath(userId.trim()));
}

const isPerson = (id) => id !== "" && id !== "." && id !== ".." && !isChannelId(id);

async function joinGroup() {
  const groupId = await ask({
    title: t("begin.join.title"),
    label: t("begin.join.id"),
    action: t("begin.join.do"),
    check: async (text) => {
      try {
        const id = text.trim();
        if (!id) return t("error.required");
        const group = await get(`/v1/groups/${part(id)}`);
        return group.is_channel ? t("begin.join.channel") : null;
      } catch (problem) {
        if (problem.code === undefined) throw problem;
        return problem.status === 404 || problem.status === 400 ? t("begin.join.none") : problem.shown;
      }
    },
  });
  if (groupId !== null) go(chatPath(groupId.trim()));
}

async function newGroup() {
  const group = await dialog({ title: t("begin.group.title"), build: (close) => new GroupForm(close).element });
  if (group) go(chatPath(group.group_id));
}

/** Name, who may come in, and the first people; closes with the group. */
class GroupForm {
  constructor(close) {
    this.#close = close;
    const id = freshId("group");
    this.#wrong = h("p.wrong", { id: `${id}-wrong`, role: "alert", hidden: true });
    this.#name = h("input", { id: `${id}-name`, autofocus: true, autocomplete: "off", dir: "auto", "aria-describedby": `${id}-wrong` });
    this.#person = h("input", { id: `${id}-person`, autocomplete: "off", dir: "auto", on: { keydown: (event) => {
      if (event.key !== "Enter" || event.isComposing || !this.#person.value.trim()) return;
      event.preventDefault();
      this.#add();
    } } });
    this.#people = h("ul.shelf", { "aria-label": t("begin.group.people"), hidden: true });
    this.#kinds = Object.keys(KINDS).map((kind, index) => h("input", { id: `${id}-${kind}`, type: "radio", name: `${id}-kind`, value: kind, checked: index === 0 }));
    this.#button = h("button.primary", { type: "submit" }, t("begin.group.do"));
    this.element = h("form.sheet-body", { on: { submit: (event) => (event.preventDefault(), this.#create()) } },
      h("label", { for: `${id}-name` }, t("begin.group.name")), this.#name, this.#wrong,
      h("fieldset.plain-set.stacked", {}, h("legend", {}, t("begin.group.kind")),
        this.#kinds.map((input) => h("div.choice-line", {}, input, h("label", { for: input.id }, t(`begin.group.kind.${input.value}`))))),
      h("label", { for: `${id}-person` }, t("begin.group.person")),
      h("div.line", {}, this.#person, h("button.plain", { type: "button", on: { click: () => this.#add() } }, t("begin.group.add"))),
      this.#people,
      h("div.actions", {}, h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")), this.#button),
    );
  }

  #close;
  #wrong;
  #name;
  #person;
  #people;
  #kinds;
  #button;
  #ids = new Set();

  #add() {
    const userId = this.#person.value.trim();
    if (userId && userId !== session.userId && !this.#ids.has(userId)) {
      this.#ids.add(userId);
      const remove = () => {
        this.#ids.delete(userId);
        line.remove();
        this.#people.hidden = !this.#ids.size;
        this.#person.focus();
      };
      const line = h("li", {}, h("span", { dir: "auto" }, userId), h("button.quiet.square.small", { type: "button", "aria-label": t("write.remove", { name: userId }), on: { click: remove } }, icon("close")));
      this.#people.append(line);
    }
    this.#people.hidden = !this.#ids.size;
    this.#person.value = "";
    this.#person.focus();
  }

  async #create() {
    const name = this.#name.value.trim();
    const limit = limits.group_name_bytes;
    const refused = !name ? t("error.required") : bytesOf(name) > limit ? t("error.field_too_long", { limit }) : null;
    if (refused !== null) return this.#refuse(refused);
    if (this.#person.value.trim()) this.#add(); // typed, and not yet put on the list
    this.#button.disabled = true;
    try {
      const kind = this.#kinds.find((input) => input.checked).value;
      const group = await post("/v1/groups", { type: KINDS[kind], name });
      // The group is there now: who cannot be added is told, and can be tried again from its members.
      await this.#admit(group);
      this.#close(group);
    } catch (problem) {
      if (problem.code === undefined) throw problem;
      this.#refuse(problem.shown);
    } finally {
      this.#button.disabled = false;
    }
  }

  async #admit(group) {
    for (const userId of this.#ids) {
      try {
        await put(`/v1/groups/${part(group.group_id)}/members/${part(userId)}`);
      } catch (problem) {
        if (problem.code === undefined) throw problem;
        notice(`${userId}: ${problem.shown}`, { isBad: true });
      }
    }
  }

  #refuse(reason) {
    this.#wrong.textContent = reason;
    this.#wrong.hidden = false;
    this.#name.setAttribute("aria-invalid", "true");
    this.#name.focus();
  }
}
