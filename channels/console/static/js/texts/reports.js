// Texts of reporting something to those who run the app. See `../texts.js` for the format.

export default {
  "reporting.title.post": "Report this post",
  "reporting.title.message": "Report this message",
  "reporting.title.comment": "Report this comment",
  "reporting.title.channel": "Report this channel",
  "reporting.title.group": "Report this group",
  "reporting.title.user": "Report this person",
  "reporting.lead": "Those who run this app look at it. Nobody else learns that you reported it.",
  "reporting.reason": "What is wrong with it?",
  "reporting.reason.spam": "Spam or fraud",
  "reporting.reason.abuse": "Insults or harassment",
  "reporting.reason.violence": "Violence or threats",
  "reporting.reason.sexual": "Sexual content",
  "reporting.reason.illegal": "Something illegal",
  "reporting.reason.impersonation": "Pretends to be somebody else",
  "reporting.reason.other": "Something else",
  "reporting.reason.missing": "Choose what is wrong.",
  "reporting.text": "More about it (optional)",
  "reporting.send": "Send report",
  "reporting.thanks": "Thank you for your report",
  "reporting.thanks.lead":
    "Those who run this app look at it. You can report it again if you want to change what you wrote.",
  "reporting.done": "Done",
};
