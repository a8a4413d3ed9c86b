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

  "tags.edit": "Edit tags",
  "tags.label": "Tags, separated by commas",
  "tags.filter": "Filter by tag",
  "tags.all": "All chats",
  "tags.none": "No chat has this tag.",
  "tags.tooMany": "At most {n} tags, of {characters} characters each.",

  "canned.title": "Canned replies",
  "canned.lead":
    "Texts that everyone who answers this inbox can use. Type / in an empty answer to find one by its name.",
  "canned.empty": "No canned replies yet.",
  "canned.edit": "Edit canned replies…",
  "canned.name": "Name",
  "canned.name.hint": "Short, such as “hours”. Saving under an existing name replaces that text.",
  "canned.text": "Text",
  "canned.change.label": "Change “{name}”",
  "canned.delete": "Delete canned reply",
  "canned.delete.label": "Delete “{name}”",
  "canned.delete.confirm": "Delete “{name}” for everyone who answers this inbox?",
};
