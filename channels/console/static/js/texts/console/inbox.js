// What the console says of a channel's inbox. How to write one: `../../texts.js`.

export default {
  "inbox.threads": "People who wrote",
  "inbox.unread": { one: "{n} unread thread in the inbox", other: "{n} unread threads in the inbox" },
  "inbox.none": "Nobody has written to the channel yet.",
  "inbox.choose": "Choose somebody to read what they wrote.",
  "inbox.you": "You: {said}",
  "inbox.messages": "Messages",
  "inbox.older": "Show older ones",
  "inbox.back": "Back to the list",
  "inbox.as": "You answer as the channel; your name is not shown to them.",
  "inbox.by.me": "by you",
  "inbox.message.menu": "More for this message",
  "inbox.recall.sure": "Take this back? They will see that something was here, and nothing of what it said.",
};
