// Texts of important posts: what their readers are asked, and what the staff sees. See `../texts.js` for the format.

export default {
  "acknowledge.ask": "Please confirm that you have read this.",
  "acknowledge.do": "I have read this",
  "acknowledge.done": "You confirmed that you have read this.",
  "acknowledge.asking": "Readers are asked to confirm that they have read this.",
  "acknowledge.count": { one: "{n} person has confirmed.", other: "{n} people have confirmed." },
  "acknowledge.count.none": "Nobody has confirmed yet.",
  "acknowledge.reminder": "{name} waits for your confirmation. Show the message.",

  "acknowledgements.title": "Confirmations",
  "acknowledgements.given": { one: "Confirmed ({n})", other: "Confirmed ({n})" },
  "acknowledgements.missing": { one: "Not confirmed ({n})", other: "Not confirmed ({n})" },
  "acknowledgements.given.none": "Nobody has confirmed yet.",
  "acknowledgements.missing.none": "Everybody has confirmed.",
  "acknowledgements.missing.many": "There are too many members to list those who have not confirmed.",
  "acknowledgements.at": "confirmed {when}",
  "acknowledgements.remind": "Remind those who have not confirmed",
  "acknowledgements.remind.confirm":
    "Everybody who has not confirmed gets one notification. You can do this once for a post.",
  "acknowledgements.reminded": "Reminded {when}.",
};
