// A person in a list of the console, and checkboxes for an admin's grants.

import { GRANTS } from "../../client/grants.js";
import { personOf } from "../../client/people.js";
import { t } from "../../texts.js";
import { avatar } from "../../ui/avatar.js";
import { h, uniqueId } from "../../ui/dom.js";

/**
 * A row: picture, name, id, an optional line of details, and the elements at its end.
 * @param {{ user_id: string; name?: string; face_url?: string }} person
 * @param {App.Child} [atEnd]
 * @param {App.Child} [details]
 */
export function personRow({ user_id: id, name, face_url: url }, atEnd = null, details = null) {
  return h(
    "li.person",
    {},
    avatar({ id, name: name || id, url, shape: "round" }),
    h(
      "span.person-text",
      {},
      h("strong", { dir: "auto" }, name || id),
      name ? h("span.soft", { dir: "auto" }, id) : null,
      details,
    ),
    atEnd,
  );
}

/**
 * The row of a user of whom only the id is known. It is made again once the name has been loaded.
 * @param {string} userId
 * @param {(name: string) => { atEnd: App.Child; details?: App.Child }} content
 */
export function rowOfUser(userId, content) {
  /** @type {HTMLElement | null} */
  let row = null;
  const show = () => {
    const { name, face_url } = personOf(userId, show);
    const { atEnd, details } = content(name);
    const made = personRow({ user_id: userId, name: name === userId ? "" : name, face_url }, atEnd, details);
    row?.replaceWith(made);
    row = made;
    return made;
  };
  return show();
}

/**
 * Checkboxes for the grants. `value` is the list of those that are checked.
 * @param {Api.Grant[]} granted
 */
export function grantBoxes(granted) {
  const boxes = GRANTS.map((grant) => {
    const id = uniqueId("grant");
    const input = h("input", { type: "checkbox", id, checked: granted.includes(grant) });
    return { grant, input, line: h("div.choice-line", {}, input, h("label", { for: id }, t(`grant.${grant}`))) };
  });
  return {
    element: h(
      "fieldset.choices-list.grant-boxes",
      {},
      h("legend", {}, t("admins.grants")),
      boxes.map(({ line }) => line),
    ),
    get value() {
      return boxes.filter(({ input }) => input.checked).map(({ grant }) => grant);
    },
    set value(grants) {
      for (const { grant, input } of boxes) input.checked = grants.includes(grant);
    },
  };
}
