// Texts about broadcasts for those who get them. See `../texts.js` for the format.

export default {
  "optOut.title": "Broadcasts of {name}",
  "optOut.lead": "A broadcast is a message that a channel sends to many subscribers at once.",
  "optOut.isIn": "You get broadcasts of {name}.",
  "optOut.isOut":
    "You get no broadcasts of {name} since {when}. You still get its posts, and answers to what you write.",
  "optOut.stop": "A message to the channel that says only “stop” does the same.",
  "optOut.start": "A message to the channel that says only “start” does the same.",
  "optOut.out": "Stop broadcasts",
  "optOut.in": "Get broadcasts again",
};
