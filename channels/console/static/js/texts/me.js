// Texts of the view "Profile and settings". See `../texts.js` for the format.

export default {
  "me.profile": "Your profile",
  "me.name": "Name",
  "me.name.hint": "Shown to the people and channels that you write to.",
  "me.photo": "Your photo",
  "me.photo.hint": "Drop a photo here. A square one works best.",
  "me.photo.choose": "Choose photo",
  "me.photo.remove": "Remove photo",
  "me.photo.not": "This file is not an image.",
  "me.browser": "In this browser",
  "me.browser.hint": "These settings are stored in this browser only.",
  "me.theme": "Theme",
  "me.theme.system": "Like the system",
  "me.theme.light": "Light",
  "me.theme.dark": "Dark",
  "me.language": "Language",
  "me.language.browser": "Like the browser",
  "me.language.hint": "Dates and numbers follow the language.",
  "me.account": "Account",
};
