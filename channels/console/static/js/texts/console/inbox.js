// Texts of the console about a channel's inbox. See `../../texts.js` for the format.

export default {
  "inbox.threads": "Chats",
  "inbox.unread": { one: "{n} unread chat in the inbox", other: "{n} unread chats in the inbox" },
  "inbox.empty": "No private messages yet.",
  "inbox.choose": "Select a chat to read it.",
  "inbox.you": "You: {text}",
  "inbox.back": "Back to the list",
  "inbox.answersAs": "You reply as the channel. Your name is not shown.",
  "inbox.byYou": "you",
};
