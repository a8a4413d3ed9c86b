// Texts of what a channel offers by itself: buttons, its menu and its forms. See `../texts.js` for the format.

export default {
  "buttons.label": "Buttons",
  "button.presses": { one: "{n} person chose this.", other: "{n} people chose this." },
  "button.pressed": "You chose this.",
  "button.said": "You chose “{text}”.",
  "button.saidBefore": "You have chosen “{text}” before.",
  "service.sent": "“{text}” was sent to {name}. Open the chat.",

  "menu.label": "Menu of {name}",
  "menu.selected": "{name} knows that you chose “{text}”.",

  "form.send": "Send",
  "form.done": "Done",
  "form.sent": "Your answers were sent.",
  "form.openChat": "Open the chat with the channel",
  "form.goesTo": "Your answers go to {name} as a private message.",
  "form.optional": "{label} (optional)",
  "form.noAnswer": "No answer",
  "form.error.missing": "Fill in this field.",
  "form.error.choose": "Choose one of the answers.",
  "form.error.too_long": { one: "Use at most {n} character.", other: "Use at most {n} characters." },
  "form.error.not_a_number": "Enter a number.",
  "form.error.not_an_option": "Choose one of the answers.",
  "form.error.bad_date": "Choose a date.",
  "form.error.bad_phone": "Enter a phone number, such as +49 30 123456.",
  "form.error.bad_email": "Enter an email address, such as name@example.com.",
};
