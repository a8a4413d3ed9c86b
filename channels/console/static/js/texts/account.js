// Texts about a user's own data: downloading it, and deleting the account. See `../texts.js` for the format.

export default {
  "account.data": "Your data",
  "account.data.lead":
    "Save what this app stores of you: profile, subscriptions, chats, messages, reactions, settings and more. The file is made for programs: each line is one thing. Photos and files stand in it by their addresses.",
  "account.download": "Download data",
  "account.download.begun": "Collecting the data…",
  "account.download.progress": { one: "{n} line so far", other: "{n} lines so far" },
  "account.download.done": "The file is complete.",
  "account.download.cancelled": "Download cancelled",
  "account.delete": "Delete your account",
  "account.delete.lead":
    "Your account ends, and what is stored of you is deleted. If you want to keep your data, download it first.",
  "account.delete.open": "Delete account…",
  "account.delete.do": "Delete forever",
  "account.delete.type": "Type {id} to confirm",
  "account.delete.gone":
    "Deleted are your profile, subscriptions and memberships, reactions, votes, comments, private chats on both sides, uploads, devices and settings.",
  "account.delete.messages":
    "Your posts in channels and your messages in groups stay, but no longer show who wrote them.",
  "account.delete.stays": "What others wrote or copied stays, and so do backups until they are deleted.",
  "account.delete.again": "You are signed out on all devices at once. This cannot be undone.",
  "account.delete.everything": "Delete my posts and my messages in groups, too",
  "account.delete.other": "Delete the account",
  "account.delete.other.gone":
    "Deleted are their profile, subscriptions and memberships, reactions, votes, comments, private chats on both sides, uploads, devices and settings.",
  "account.delete.other.messages":
    "Their posts in channels and messages in groups stay, but no longer show who wrote them.",
  "account.delete.other.stays": "What others wrote or copied stays, and so do backups until they are deleted.",
  "account.delete.other.again": "They are signed out on all devices at once. This cannot be undone.",
  "account.delete.other.everything": "Delete their posts and messages in groups, too",
  "account.owns": "This account still owns channels or groups. Make somebody else their owner, or delete them:",
};
