// The webhooks of a channel, or of the application: where events are sent, and what became of each.

import { client, del, get, part, patch, post } from "../../client/api.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, menu, menuButton, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { announceOutcome, answered, Deliveries } from "./deliveries.js";
import { secretPanel } from "./secret.js";
import { editWebhook, newWebhookForm } from "./webhook_form.js";

const PAGE = 50;

export class Webhooks {
  /** @param {{ channel: Pick<Api.ChannelResponse, "channel_id"> | null }} options Null: the application's. */
  constructor({ channel }) {
    this.#channelId = channel?.channel_id ?? null;
    this.#path = channel ? `/v1/channels/${part(channel.channel_id)}/webhooks` : "/v1/webhooks";
    const form = newWebhookForm(channel !== null, async (body) => this.#showSecret(await post(this.#path, body)));
    this.#page = h(
      "div.panels",
      {},
      this.#secret,
      h("section.panel", {}, this.#heading, h("p.soft", {}, t("webhooks.lead")), this.#list.elements),
      form,
    );
    this.element = h("div.webhooks-part", {}, this.#page);
    client.socket.addEventListener("event", this.#onEvent);
    this.#list.reload();
  }

  #channelId;
  /** @type {App.WebhooksPath} */
  #path;
  #page;
  #secret = h("div.secret-slot");
  #heading = h("h2", { tabindex: "-1" }, t("webhooks.title"));
  /** @type {PagedList<Api.WebhookResponse>} */
  #list = new PagedList({
    list: h("ul.webhooks"),
    fetchPage: (cursor) => get(this.#path, { limit: PAGE, cursor }),
    renderRow: (webhook) => this.#row(webhook),
    emptyText: () => t("webhooks.empty"),
  });

  close() {
    client.socket.removeEventListener("event", this.#onEvent);
  }

  /**
   * The server has disabled one, which failed.
   * @param {CustomEvent<App.Event>} event
   */
  #onEvent = ({ detail: event }) => {
    if (event.type === "webhook.disabled" && event.channel_id === this.#channelId) this.#list.reload();
  };

  // --- rows

  /** @param {Api.WebhookResponse} webhook */
  #row(webhook) {
    const { description, enabled, event_types: types, old_secrets_until: oldUntil, url } = webhook;
    const isOldSigning = oldUntil !== null && Date.parse(oldUntil) > Date.now();
    /** @type {HTMLElement} */
    const element = h(
      "li.webhook",
      {},
      h(
        "div.webhook-text",
        {},
        h(
          "p.webhook-top",
          {},
          h("strong.webhook-url", { dir: "ltr" }, url),
          h(
            "span.role",
            { data: { status: enabled ? "succeeded" : "off" } },
            t(enabled ? "webhooks.on" : "webhooks.off"),
          ),
        ),
        description ? h("p.soft", { dir: "auto" }, description) : null,
        webhook.disabled_reason ? reasonLine(webhook.disabled_reason, webhook.disabled_at) : null,
        h("p.soft.webhook-types", { dir: "ltr" }, types.length ? types.join(", ") : t("webhooks.types.all")),
        this.#channelId !== null && !webhook.receives_inbox ? h("p.soft", {}, t("webhooks.noInbox")) : null,
        isOldSigning
          ? h("p.soft", { title: exact(oldUntil) }, t("webhooks.oldSecret", { until: exact(oldUntil) }))
          : null,
      ),
      h(
        "div.webhook-actions",
        {},
        h(
          "button.plain",
          {
            type: "button",
            "aria-label": t("webhooks.deliveries.label", { url }),
            on: { click: () => this.#showDeliveries(webhook) },
          },
          t("webhooks.deliveries"),
        ),
        menuButton({
          label: t("webhooks.menu", { url }),
          open: (button) => this.#openMenu(webhook, element, button),
        }),
      ),
    );
    return element;
  }

  /**
   * @param {Api.WebhookResponse} webhook
   * @param {HTMLElement} row
   * @param {HTMLElement} anchor
   */
  #openMenu(webhook, row, anchor) {
    const { enabled } = webhook;
    menu(anchor, [
      ...(enabled
        ? [{ label: t("webhooks.test"), icon: /** @type {const} */ ("send"), act: () => this.#sendTest(webhook) }]
        : []),
      {
        label: t("webhooks.edit"),
        icon: "pen",
        act: () => editWebhook(this.#channelId !== null, webhook, (body) => this.#change(webhook, row, body)),
      },
      { label: t("webhooks.rotate"), icon: "lock", act: () => this.#rotate(webhook, row) },
      {
        label: t(enabled ? "webhooks.disable" : "webhooks.enable"),
        icon: enabled ? "block" : "check",
        act: () => attempt(() => this.#change(webhook, row, { enabled: !enabled })),
      },
      null,
      { label: t("webhooks.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(webhook) },
    ]);
  }

  /**
   * Puts the webhook's new row in place of the old one, which keeps the focus.
   * @param {HTMLElement} row
   * @param {Api.WebhookResponse} webhook
   */
  #renew(row, webhook) {
    const hadFocus = row.contains(document.activeElement);
    const renewed = this.#row(webhook);
    this.#list.renew(row, renewed);
    /** @type {HTMLElement | null} */
    const more = renewed.querySelector("[aria-haspopup]");
    if (hadFocus) more?.focus();
  }

  // --- what can be done

  /** @param {Api.WebhookResponse} webhook */
  #one({ webhook_id: id }) {
    return /** @type {const} */ (`${this.#path}/${part(id)}`);
  }

  /**
   * @param {Api.WebhookResponse} webhook
   * @param {HTMLElement} row
   * @param {Api.ChangeWebhook} changes
   */
  async #change(webhook, row, changes) {
    const changed = await patch(this.#one(webhook), changes);
    this.#renew(row, changed);
    if (changed.enabled !== webhook.enabled) notice(t(changed.enabled ? "webhooks.enabled" : "webhooks.disabled"));
    else notice(t("app.saved"));
  }

  /**
   * @param {Api.WebhookResponse} webhook
   * @param {HTMLElement} row
   */
  async #rotate(webhook, row) {
    const text = t("webhooks.rotate.confirm", { url: webhook.url });
    if (!(await confirmDialog({ title: t("webhooks.rotate"), text, action: t("webhooks.rotate.do") }))) return;
    await attempt(async () => {
      const changed = await post(`${this.#one(webhook)}/rotate-secret`);
      this.#renew(row, changed);
      this.#showSecret(changed, false);
    });
  }

  /** @param {Api.WebhookResponse} webhook */
  async #sendTest(webhook) {
    await attempt(async () => {
      const sent = await post(`${this.#one(webhook)}/test`);
      notice(t("webhooks.tested"));
      announceOutcome(await answered(this.#one(webhook), sent));
    });
  }

  /** @param {Api.WebhookResponse} webhook */
  async #delete(webhook) {
    const text = t("webhooks.delete.confirm", { url: webhook.url });
    if (!(await confirmDialog({ title: t("webhooks.delete"), text, action: t("webhooks.delete") }))) return;
    if (!(await attempt(() => del(this.#one(webhook))))) return;
    notice(t("webhooks.deleted"));
    await this.#list.reload();
    this.#heading.focus();
  }

  /**
   * Shows a secret above the list until the user has stored it.
   * @param {Api.WebhookWithSecret} webhook
   * @param {boolean} [isNew]
   */
  #showSecret(webhook, isNew = true) {
    const panel = secretPanel(webhook, () => {
      fill(this.#secret);
      this.#heading.focus();
    });
    fill(this.#secret, panel);
    panel.scrollIntoView({ block: "nearest" });
    panel.querySelector("h2")?.focus();
    if (isNew) this.#list.reload();
  }

  /** @param {Api.WebhookResponse} webhook */
  #showDeliveries(webhook) {
    const onBack = () => {
      fill(this.element, this.#page);
      this.#heading.focus();
      this.#list.reload();
    };
    const deliveries = new Deliveries({ path: this.#path, webhook, onBack });
    fill(this.element, deliveries.element);
    deliveries.heading.focus();
  }
}

/**
 * @param {Api.DisabledReason} reason
 * @param {string | null} at
 */
function reasonLine(reason, at) {
  const text = t(`webhooks.off.${reason}`);
  return h("p.error", {}, at ? t("webhooks.off.when", { reason: text, when: ago(at) }) : text);
}
