// The palette (Ctrl+K): one field that finds conversations, folders, people, actions and public channels.
//
// What the app has is matched at once; the directory and people with this id follow when the server answers. The rows are the
// options of a combobox: the focus stays in the field, and the arrow keys move the active row. Answers that come in
// late never change which row is active.

import { client, get } from "../client/api.js";
import { conversations, dialogueConversationId, isChannelId } from "../client/conversations.js";
import { knownPeople } from "../client/people.js";
import { session } from "../client/session.js";
import { ConversationView } from "../conversation/conversation_view.js";
import { channelPath, dialoguePath, folderPath, go, searchPath } from "../router.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { debounce, fill, h, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { showBadge } from "../ui/list_row.js";
import { actions } from "./actions.js";
import { openConversationSearch } from "./conversation_search.js";
import { highlighted } from "./highlighted.js";
import { keyElements } from "./key_names.js";
import { matchName, wordsOf } from "./match.js";
import { identityOf, listed, loadRest, pathOf, unread } from "./open_conversations.js";

/**
 * A row. `id` stays the same while others come and go.
 * @typedef {{ id: string; picture: Element; name: App.Child; note?: App.Child; isChat?: boolean; end?: App.Child; run: () => unknown }} Option
 * @typedef {{ key: "palette.recent" | "palette.conversations" | "palette.folders" | "palette.people" | "palette.actions" | "palette.directory" | "palette.messages"; options: Option[] }} Section
 */

const ASK_AFTER = 200; // milliseconds without a key
const MOST = /** @type {const} */ ({ recent: 7, conversations: 8, folders: 3, people: 4, actions: 6, directory: 5 });
const PAGE_STEP = 5; // rows that Page Down moves
const MAX_QUERY = 100; // characters; the server takes no more

/** @type {Palette | null} */
let opened = null;

/**
 * Opens the palette, or closes it when it is open.
 * @param {App.CommandContext} context
 */
export function togglePalette(context) {
  if (opened?.isOnPage) return opened.close();
  opened = new Palette(context);
}

class Palette {
  /** @param {App.CommandContext} context */
  constructor(context) {
    this.#context = context;
    this.#actions = actions(context);
    const id = uniqueId("palette");
    this.#list = h("div.palette-list", { id: `${id}-list`, role: "listbox", "aria-label": t("palette.title") });
    this.#input = h("input", {
      type: "text",
      role: "combobox",
      placeholder: t("palette.field"),
      "aria-label": t("palette.field"),
      "aria-expanded": "true",
      "aria-autocomplete": "list",
      "aria-controls": `${id}-list`,
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      maxlength: String(MAX_QUERY),
      dir: "auto",
      enterkeyhint: "go",
      on: { input: () => this.#onInput(), keydown: (event) => this.#onKey(event) },
    });
    this.#element = h(
      "dialog.palette",
      {
        "aria-label": t("palette.title"),
        on: {
          close: () => this.#onClose(),
          click: (event) => {
            if (event.target === this.#element) this.close();
          },
        },
      },
      h(
        "div.palette-field",
        {},
        icon("search"),
        this.#input,
        h(
          "button.quiet.square",
          { type: "button", "aria-label": t("app.close"), on: { click: () => this.close() } },
          icon("close"),
        ),
      ),
      this.#list,
      this.#status,
    );
    document.body.append(this.#element);
    this.#element.showModal();
    this.#input.focus();
    this.#render();
    loadRest(() => {
      if (this.#isOpen) this.#render();
      return this.#isOpen;
    });
  }

  #context;
  #actions;
  #element;
  #input;
  #list;
  #status = h("p.unseen", { role: "status" });
  /** @type {Option[]} */
  #options = [];
  /** @type {Map<string, HTMLElement>} */
  #elements = new Map(); // by id of the option, of this rendering
  /** @type {string | null} */
  #activeId = null;
  /** @type {Api.ChannelResponse[]} */
  #directory = [];
  /** @type {Api.UserResponse | null} */
  #person = null;
  #requests = 0;
  /** What is done once the palette is closed and the focus is back. */
  #then = /** @type {(() => unknown) | null} */ (null);

  /** Whether it was not removed with everything else, as at the end of a session. */
  get isOnPage() {
    return this.#element.isConnected;
  }

  get #isOpen() {
    return opened === this && this.isOnPage;
  }

  get #query() {
    return this.#input.value.trim();
  }

  close() {
    this.#element.close();
  }

  #onClose() {
    if (opened === this) opened = null;
    this.#element.remove();
    this.#then?.();
  }

  #onInput() {
    this.#requests += 1;
    this.#directory = [];
    this.#person = null;
    this.#activeId = null;
    this.#render();
    this.#askSoon(this.#requests);
  }

  #askSoon = debounce(ASK_AFTER, (/** @type {number} */ request) => this.#ask(request));

  /**
   * Asks for channels of the directory and for the person with this id. A failure leaves what the app has.
   * @param {number} request
   */
  async #ask(request) {
    const q = this.#query;
    if (!q || !this.#isOpen) return;
    const isId = !/\s/.test(q) && !isChannelId(q) && !conversations.byId.has(dialogueConversationId(q));
    const [channels, people] = await Promise.all([
      get("/v1/channels", { q, limit: MOST.directory + MOST.conversations }).catch(() => null),
      isId && !session.isBusiness ? client.byIds("/v1/users", "user_id", [q]).catch(() => null) : null,
    ]);
    // The user has typed on meanwhile.
    if (request !== this.#requests || !this.#isOpen) return;
    this.#directory = channels?.items ?? [];
    this.#person = people?.get(q) ?? null;
    this.#render();
  }

  // --- what is found

  /** @returns {Section[]} */
  #sections() {
    const words = wordsOf(this.#query);
    if (!words.length)
      return [
        { key: "palette.recent", options: this.#recent() },
        { key: "palette.actions", options: this.#actions.map((action) => this.#actionOption(action, [])) },
      ];
    const known = listed();
    return [
      {
        key: "palette.conversations",
        options: best(known, words, (one) => identityOf(one).name, MOST.conversations, conversationOption),
      },
      { key: "palette.folders", options: best(conversations.folders, words, String, MOST.folders, folderOption) },
      { key: "palette.people", options: this.#people(words, known) },
      {
        key: "palette.actions",
        options: best(
          this.#actions,
          words,
          (action) => action.label,
          MOST.actions,
          (action, ranges) => this.#actionOption(action, ranges),
        ),
      },
      { key: "palette.directory", options: this.#public(words, known) },
      { key: "palette.messages", options: this.#searches() },
    ];
  }

  /** Unread ones first, then the last used; the open one is where the user is already. */
  #recent() {
    const first = unread();
    const ids = new Set(first.map((one) => one.conversation_id));
    const others = listed()
      .filter((one) => !ids.has(one.conversation_id))
      .sort((one, other) => (other.last_message?.at ?? "").localeCompare(one.last_message?.at ?? ""));
    return [...first, ...others]
      .filter((one) => pathOf(one) !== location.pathname)
      .slice(0, MOST.recent)
      .map((one) => conversationOption(one, []));
  }

  /**
   * @param {string[]} words
   * @param {Api.ConversationResponse[]} known
   * @returns {Option[]}
   */
  #people(words, known) {
    if (session.isBusiness) return [];
    const withChats = new Set(known.map((one) => one.peer_id));
    const others = knownPeople().filter(({ id }) => !withChats.has(id) && id !== session.userId && !isChannelId(id));
    const found = best(others, words, ({ name }) => name, MOST.people, personOption);
    const person = this.#person;
    const isNew = person && person.account_kind !== "business" && !found.some(({ id }) => id === person.user_id);
    return isNew
      ? [...found, personOption({ id: person.user_id, name: person.name || person.user_id, url: person.face_url }, [])]
      : found;
  }

  /**
   * @param {string[]} words
   * @param {Api.ConversationResponse[]} known
   * @returns {Option[]}
   */
  #public(words, known) {
    const own = new Set(known.map((one) => one.group_id));
    return this.#directory
      .filter((channel) => !own.has(channel.channel_id))
      .slice(0, MOST.directory)
      .map((channel) => ({
        id: channel.channel_id,
        picture: avatar({ id: channel.channel_id, name: channel.name, url: channel.face_url, size: "small" }),
        name: [highlighted(channel.name, matchName(channel.name, words)?.ranges ?? []), verifiedMark(channel)],
        note: t("channel.subscribers", { n: channel.subscriber_count }),
        run: () => go(channelPath(channel.channel_id)),
      }));
  }

  /** @returns {Option[]} */
  #searches() {
    const q = this.#query;
    const { view } = this.#context;
    const all = {
      id: "search",
      picture: icon("search"),
      name: t("palette.search", { q }),
      run: () => go(searchPath({ q })),
    };
    if (!(view instanceof ConversationView) || !view.history) return [all];
    const { name } = view.identity;
    return [
      all,
      {
        id: "search.here",
        picture: icon("search"),
        name: t("palette.search.here", { q, name }),
        run: () => openConversationSearch(view, this.#context, q),
      },
    ];
  }

  /**
   * @param {import("./actions.js").Action} action
   * @param {import("./highlighted.js").Range[]} ranges
   * @returns {Option}
   */
  #actionOption({ id, label, note, icon: name, command, run }, ranges) {
    return {
      id: `action.${id}`,
      picture: icon(name),
      name: highlighted(label, ranges),
      note,
      end: command ? keyElements(command) : null,
      run,
    };
  }

  // --- the list

  #render() {
    const sections = this.#sections().filter(({ options }) => options.length);
    this.#options = sections.flatMap(({ options }) => options);
    this.#elements.clear();
    fill(
      this.#list,
      sections.map(({ key, options }) => {
        const id = uniqueId("section");
        return h(
          "div.palette-section",
          { role: "group", "aria-labelledby": id },
          h("div.palette-head", { id, role: "presentation" }, t(key)),
          options.map((option) => this.#optionElement(option)),
        );
      }),
    );
    this.#status.textContent = this.#query ? t("palette.results", { n: this.#options.length }) : "";
    if (!this.#elements.has(this.#activeId ?? "")) this.#activeId = this.#options[0]?.id ?? null;
    this.#showActive();
  }

  /** @param {Option} option */
  #optionElement(option) {
    const element = h(
      "div.palette-option",
      {
        id: uniqueId("option"),
        role: "option",
        "aria-selected": "false",
        on: {
          // The focus stays in the field.
          mousedown: (event) => event.preventDefault(),
          click: () => this.#choose(option),
        },
      },
      h("span.palette-picture", {}, option.picture),
      h("span.palette-name", { dir: "auto" }, option.name),
      option.note ? h("span.palette-note.soft", { dir: "auto" }, option.note) : null,
      option.end ? h("span.palette-end", {}, option.end) : null,
    );
    // A channel and the chat with it have the same name and picture, also where there is no room for notes.
    element.classList.toggle("is-chat", option.isChat === true);
    this.#elements.set(option.id, element);
    return element;
  }

  #showActive() {
    for (const [id, element] of this.#elements) element.setAttribute("aria-selected", String(id === this.#activeId));
    const active = this.#elements.get(this.#activeId ?? "");
    if (active) this.#input.setAttribute("aria-activedescendant", active.id);
    else this.#input.removeAttribute("aria-activedescendant");
    // With its heading, where it is the first.
    const isFirst = this.#options[0]?.id === this.#activeId;
    if (isFirst) this.#list.scrollTop = 0;
    else active?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} index */
  #activate(index) {
    const { length } = this.#options;
    if (!length) return;
    this.#activeId = this.#options[(index + length) % length].id;
    this.#showActive();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return;
    const at = this.#options.findIndex(({ id }) => id === this.#activeId);
    const last = this.#options.length - 1;
    if (event.key === "ArrowDown") this.#activate(at + 1);
    else if (event.key === "ArrowUp") this.#activate(at - 1);
    else if (event.key === "PageDown") this.#activate(Math.min(last, at + PAGE_STEP));
    else if (event.key === "PageUp") this.#activate(Math.max(0, at - PAGE_STEP));
    else if (event.key === "Enter" && this.#options[at]) this.#choose(this.#options[at]);
    else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) this.close();
    else return;
    event.preventDefault();
  }

  /** @param {Option} option */
  #choose(option) {
    this.#then = option.run;
    this.close();
  }
}

/**
 * The best matches as options, in the order of how well they match and then as they come.
 * @template One
 * @param {One[]} all
 * @param {string[]} words
 * @param {(one: One) => string} nameOf
 * @param {number} most
 * @param {(one: One, ranges: import("./highlighted.js").Range[]) => Option} optionOf
 * @returns {Option[]}
 */
function best(all, words, nameOf, most, optionOf) {
  return all
    .map((one) => ({ one, match: matchName(nameOf(one), words) }))
    .filter(({ match }) => match !== null)
    .sort((one, other) => (other.match?.score ?? 0) - (one.match?.score ?? 0))
    .slice(0, most)
    .map(({ one, match }) => optionOf(one, match?.ranges ?? []));
}

/**
 * @param {Api.ConversationResponse} conversation
 * @param {import("./highlighted.js").Range[]} ranges
 * @returns {Option}
 */
function conversationOption(conversation, ranges) {
  const identity = identityOf(conversation);
  const badge = h("span.badge");
  badge.classList.toggle("muted", conversation.muted);
  showBadge(badge, conversation.unread_count);
  const { is_channel: isChannel, group_id: groupId } = conversation;
  return {
    id: conversation.conversation_id,
    picture: avatar({ ...identity, size: "small" }),
    name: [highlighted(identity.name, ranges), verifiedMark(conversation)],
    isChat: groupId === null,
    note: t(isChannel ? "palette.channel" : groupId === null ? "palette.chat" : "palette.group"),
    end: badge,
    run: () => go(pathOf(conversation)),
  };
}

/**
 * @param {string} name
 * @param {import("./highlighted.js").Range[]} ranges
 * @returns {Option}
 */
const folderOption = (name, ranges) => ({
  id: `folder.${name}`,
  picture: icon("folder"),
  name: highlighted(name, ranges),
  note: t("palette.folder"),
  run: () => go(folderPath(name)),
});

/**
 * @param {App.Identity} person
 * @param {import("./highlighted.js").Range[]} ranges
 * @returns {Option}
 */
const personOption = (person, ranges) => ({
  id: person.id,
  picture: avatar({ ...person, shape: "round", size: "small" }),
  name: highlighted(person.name, ranges),
  note: t("palette.person"),
  run: () => go(dialoguePath(person.id)),
});
