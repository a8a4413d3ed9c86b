// Rows of people as the console lists them.

import { avatar } from "../avatar.js";
import { freshId, h } from "../dom.js";
import { t } from "../texts.js";
import { GRANTS } from "../rights.js";

/** A row: face, name, id, a line of what there is to say, and what stands at its end. */
export function personRow({ user_id: id, name, face_url: url }, ends, line = null) {
  return h("li.person", {},
    avatar({ id, name: name || id, url, shape: "round" }),
    h("span.person-text", {}, h("strong", { dir: "auto" }, name || id), name ? h("span.soft", { dir: "auto" }, id) : null, line),
    ends,
  );
}

/** What an admin was granted, in words. */
export function grantsLine(grants) {
  const isAll = grants.length === GRANTS.length;
  return h("span.soft.grants-line", {}, isAll ? t("admins.all") : grants.length ? grants.map((grant) => t(`grant.${grant}`)).join(", ") : t("admins.nothing"));
}

/** Checkboxes for the grants; `value` is what is chosen. */
export function grantBoxes(granted) {
  const boxes = GRANTS.map((grant) => {
    const id = freshId("grant");
    const input = h("input", { type: "checkbox", id, checked: granted.includes(grant) });
    return { grant, input, line: h("div.choice-line", {}, input, h("label", { for: id }, t(`grant.${grant}`))) };
  });
  return {
    element: h("fieldset.choices-list.grant-boxes", {}, h("legend", {}, t("admins.grants")), boxes.map(({ line }) => line)),
    get value() {
      return boxes.filter(({ input }) => input.checked).map(({ grant }) => grant);
    },
    set value(wanted) {
      for (const { grant, input } of boxes) input.checked = wanted.includes(grant);
    },
  };
}
