// The panels of the tab: what each loads, saves and deletes.

import { del, get, part, put } from "../../client/api.js";
import { t } from "../../texts.js";
import { autoRepliesPanel } from "./auto_replies.js";
import { EditorPanel } from "./editor_panel.js";
import { forgetForms } from "./form_names.js";
import { formsPanel } from "./forms.js";
import { MenuEditor, menuAsWritten } from "./menu_editor.js";
import { MessageEditor, messageAsWritten } from "./message_editor.js";
import { hoursAsWritten, OpeningHoursEditor } from "./opening_hours.js";

/**
 * All panels, once what they show is loaded. Throws what the API refused.
 * @param {Api.ChannelResponse} channel
 */
export async function panelsOf({ channel_id: channelId }) {
  const path = /** @type {const} */ (`/v1/channels/${part(channelId)}`);
  forgetForms(channelId); // another admin may have changed them
  const [menu, greeting, hours, replies, forms] = await Promise.all([
    get(`${path}/menu`),
    get(`${path}/greeting`),
    get(`${path}/opening-hours`),
    get(`${path}/auto-replies`),
    get(`${path}/forms`),
  ]);
  const menuPanel = new EditorPanel({
    form: `menu ${channelId}`,
    title: t("menu.title"),
    lead: t("menu.lead"),
    editor: new MenuEditor(channelId),
    stored: menu.entries.length ? menuAsWritten(menu.entries) : null,
    save: async (entries) => menuAsWritten((await put(`${path}/menu`, { entries })).entries),
    remove: () => del(`${path}/menu`),
    removal: { title: t("menu.delete"), text: t("menu.delete.confirm") },
  });
  const greetingPanel = new EditorPanel({
    form: `greeting ${channelId}`,
    title: t("greeting.title"),
    lead: t("greeting.lead"),
    editor: new MessageEditor({ channelId, label: t("greeting.text") }),
    stored: greeting.text ? messageAsWritten(greeting) : null,
    save: async (message) => messageAsWritten(await put(`${path}/greeting`, message)),
    remove: () => del(`${path}/greeting`),
    removal: { title: t("greeting.delete"), text: t("greeting.delete.confirm") },
  });
  const hoursPanel = new EditorPanel({
    form: `opening hours ${channelId}`,
    title: t("hours.title"),
    lead: t("hours.lead"),
    editor: new OpeningHoursEditor(channelId),
    stored: hours.time_zone ? hoursAsWritten(hours) : null,
    save: async (body) => hoursAsWritten(await put(`${path}/opening-hours`, body)),
    remove: () => del(`${path}/opening-hours`),
    removal: { title: t("hours.delete"), text: t("hours.delete.confirm") },
  });
  return [
    menuPanel.element,
    greetingPanel.element,
    autoRepliesPanel(channelId, replies.items),
    hoursPanel.element,
    formsPanel(channelId, forms.items),
  ];
}
