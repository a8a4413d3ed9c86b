// Subscribing to a channel and unsubscribing, wherever a channel is shown.

import { del, part, put } from "../client/api.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { attempt, notice } from "../ui/overlay.js";

/**
 * Subscribes to a channel, or says that the user has. `onSubscribe(channel)` is called with the channel as it is then.
 * @param {Api.ChannelResponse} channel
 * @param {string | null} [describedBy]
 * @param {(channel: Api.ChannelResponse) => unknown} [onSubscribe]
 */
export function subscribeButton(channel, describedBy = null, onSubscribe = () => {}) {
  let isSubscribed = channel.subscribed_at !== null;
  const button = h("button", { type: "button", "aria-describedby": describedBy });
  const show = () => {
    button.className = isSubscribed ? "plain" : "primary";
    button.textContent = isSubscribed ? t("channel.isSubscribed") : t("channel.subscribe");
    button.disabled = isSubscribed;
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    await attempt(async () => {
      const subscribed = await put(`/v1/channels/${part(channel.channel_id)}/subscription`);
      isSubscribed = true;
      notice(t("channel.subscribed", { name: subscribed.name }));
      onSubscribe(subscribed);
    });
    show();
  });
  show();
  return button;
}

/**
 * Returns whether it worked.
 * @param {string} channelId
 */
export function unsubscribe(channelId) {
  return attempt(() => del(`/v1/channels/${part(channelId)}/subscription`));
}
