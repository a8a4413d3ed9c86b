// The automatic answers of a channel: messages that are sent to what people write, by its words.

import { del, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { h, uniqueId } from "../../ui/dom.js";
import { choice, field } from "../form.js";
import { MessageEditor, messageAsWritten } from "./message_editor.js";
import { NamedList } from "./named_list.js";

const NAME_BYTES = 128;
const MOST_KEYWORDS = 10;
const MATCHES = /** @type {const} */ (["contains", "exact"]);

/**
 * @param {string} channelId
 * @param {Api.AutoReplyResponse[]} items
 */
export function autoRepliesPanel(channelId, items) {
  const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/auto-replies`);
  return new NamedList({
    title: t("replies.title"),
    lead: t("replies.lead"),
    empty: t("replies.empty"),
    newText: t("replies.new"),
    editTitle: t("replies.edit"),
    items,
    titleOf: ({ name }) => name,
    aboutOf: ({ keywords, enabled }) =>
      t(enabled ? "replies.to" : "replies.to.off", { keywords: keywords.join(t("replies.comma")) }),
    fieldsOf: (reply) => replyFields(channelId, reply),
    save: (name, body) => put(`${path}/${part(name)}`, body),
    remove: (name) => del(`${path}/${part(name)}`),
    removal: ({ name }) => ({ title: t("replies.delete"), text: t("replies.delete.confirm", { name }) }),
  }).element;
}

/**
 * @param {string} channelId
 * @param {Api.AutoReplyResponse | null} reply
 * @returns {import("./named_list.js").Fields<Api.PutAutoReply>}
 */
function replyFields(channelId, reply) {
  const name = field({
    name: "name",
    label: t("replies.name"),
    hint: t("replies.name.hint"),
    value: reply?.name ?? "",
    limit: NAME_BYTES,
    required: true,
    spellcheck: "false",
    readonly: reply !== null,
    autofocus: reply === null,
  });
  const keywords = field({
    name: "keywords",
    label: t("replies.keywords"),
    hint: t("replies.keywords.hint"),
    value: (reply?.keywords ?? []).join(t("replies.comma")),
    required: true,
    autofocus: reply !== null,
  });
  const match = choice({
    name: "match",
    label: t("replies.match"),
    value: reply?.match ?? "contains",
    options: MATCHES.map((key) => [key, t(`replies.match.${key}`)]),
  });
  const answer = new MessageEditor({ channelId, label: t("replies.answer") });
  answer.write(reply && messageAsWritten(reply.answer));
  const id = uniqueId("enabled");
  const enabled = h("input", { type: "checkbox", id, checked: reply?.enabled ?? true });
  const words = () => [
    ...new Set(
      keywords.value
        .split(/[,،、，\n]/)
        .map((word) => word.trim())
        .filter(Boolean),
    ),
  ];
  return {
    elements: [
      name.element,
      keywords.element,
      match.element,
      answer.element,
      h("div.choice-line", {}, enabled, h("label", { for: id }, t("replies.enabled"))),
    ],
    fields: [name, keywords],
    check() {
      const wrong = [name, keywords].find((one) => !one.check());
      const isTooMany = words().length > MOST_KEYWORDS;
      if (isTooMany) keywords.showError(t("replies.keywords.tooMany", { n: MOST_KEYWORDS }));
      const first = wrong ?? (isTooMany ? keywords : null);
      first?.input.focus();
      return first === null && answer.check();
    },
    get name() {
      return name.value.trim();
    },
    get value() {
      return { keywords: words(), match: match.value, answer: answer.value, enabled: enabled.checked };
    },
  };
}
