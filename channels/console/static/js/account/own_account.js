// The panels of "Profile and settings" in which a user downloads their data and deletes their account, where the deployment
// allows it, which the page says.

import { session } from "../client/session.js";
import "./texts.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { deleteAccount } from "./delete_dialog.js";
import { downloadPanel } from "./download_panel.js";

/** @type {HTMLMetaElement | null} */
const meta = document.querySelector('meta[name="channels-user-data"]');
/** What users may do with their own data: "export", "delete". */
const allowed = (meta?.content ?? "").split(" ");

/**
 * `signOut` ends the session, whose token the server refuses once the account is being deleted.
 * @param {{ userId: string; signOut: () => unknown }} options
 */
export function ownAccount({ userId, signOut }) {
  const mayDownload = allowed.includes("export") || session.isAdmin;
  const download = mayDownload
    ? downloadPanel({
        path: "/v1/users/me/export",
        name: "my-data",
        title: t("account.data"),
        lead: t("account.data.lead"),
      })
    : null;
  const deletion = allowed.includes("delete") ? deletePanel(userId, signOut) : null;
  return { elements: [download?.element, deletion], close: () => download?.close() };
}

/**
 * @param {string} userId
 * @param {() => unknown} signOut
 */
function deletePanel(userId, signOut) {
  const ask = async () => {
    // The socket may say that the token is worth nothing before the call is answered.
    session.endsAs = "deleted";
    const begun = await deleteAccount({ path: "/v1/users/me", userId, isSelf: true });
    if (begun === null) session.endsAs = null;
    else signOut();
  };
  return h(
    "section.panel.form",
    {},
    h("h2", {}, t("account.delete")),
    h("p.soft", {}, t("account.delete.lead")),
    h("div.actions", {}, h("button.danger-plain", { type: "button", on: { click: ask } }, t("account.delete.open"))),
  );
}
