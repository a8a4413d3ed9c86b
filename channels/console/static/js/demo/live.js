// The page of the demo on which a post arrives while one watches: Bob's composer, Ada's phone, and the time in between.
//
// The phone is the element that any page may embed. The time is that of one browser clock: from the press of the button
// until the element has the post.

import { ChannelsClient } from "../../sdk/channels.js";
import "../../sdk/feed/channel_feed.js";

/** @import { ChannelFeed } from "../../sdk/feed/channel_feed.js" */

const CHANNEL = "@TOA#_fc-harbour";
const MOST_TIMES = 20;

/**
 * @template {HTMLElement} Found
 * @param {string} id
 */
const element = (id) => /** @type {Found} */ (document.getElementById(id));

/** @param {string} userId */
async function tokenOf(userId) {
  const answer = await fetch(`/demo/tokens/${userId}`, { method: "POST" });
  if (!answer.ok) throw new Error(`no token for ${userId}: ${answer.status}`);
  return /** @type {{ token: string }} */ (await answer.json()).token;
}

const author = new ChannelsClient({ baseUrl: location.origin, getToken: () => tokenOf("bob") });
const phone = /** @type {ChannelFeed} */ (document.querySelector("channel-feed"));
phone.getToken = () => tokenOf("ada");

/** When the button was pressed, by the text of the post. @type {Map<string, number>} */
const pressed = new Map();

phone.addEventListener("feed-post", (event) => {
  const { text } = /** @type {CustomEvent<{ text: string }>} */ (event).detail;
  const since = pressed.get(text);
  if (since === undefined) return;
  pressed.delete(text);
  const milliseconds = Math.round(performance.now() - since);
  say("arrived", String(milliseconds));
  const times = element("times");
  const item = document.createElement("li");
  item.textContent = String(milliseconds);
  times.prepend(item);
  while (times.children.length > MOST_TIMES) times.lastElementChild?.remove();
});

element("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  /** @type {HTMLTextAreaElement} */
  const field = element("text");
  const text = field.value.trim();
  if (!text) return;
  pressed.set(text, performance.now());
  try {
    await author.posts.create(CHANNEL, { kind: "text", text });
    field.value = "";
    field.focus();
  } catch (error) {
    pressed.delete(text);
    say("refused", error instanceof Error ? error.message : "");
  }
});

/**
 * Shows one of the sentences of the page with a value in it.
 * @param {string} template
 * @param {string} value
 */
function say(template, value) {
  /** @type {HTMLTemplateElement} */
  const source = element(template);
  const words = /** @type {DocumentFragment} */ (source.content.cloneNode(true));
  const place = words.querySelector("strong");
  if (place) place.textContent = value;
  element("outcome").replaceChildren(words);
}
