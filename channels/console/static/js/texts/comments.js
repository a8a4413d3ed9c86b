// Texts of the comments on posts. See `../texts.js` for the format.

export default {
  "comments.title": "Comments",
  "comments.toPost": "Back to the post: {text}",
  "comments.gone": "This post does not exist, or you may not see it.",
  "comments.off": "Comments are turned off in this channel.",
  "comments.closed": "Comments on this post are closed.",
  "comments.banned": "You are banned from commenting in this channel.",
  "comments.full": "This post has as many comments as it may have.",
  "comments.postDeleted": "The post was deleted, so nobody can comment any more.",
  "comments.subscribersOnly": "Only subscribers can comment.",
  "comments.as": "You comment as {name}.",
  "comments.author": "Comment as",
  "comments.blocked": "A comment by someone you have blocked",
  "comments.blocked.show": "Show comment",
  "comments.link": "Link to this comment",
  "comments.arrived": "{name} commented: {text}",
  "comments.close": "Close comments",
  "comments.reopen": "Open comments again",
  "comments.ban": "Ban from commenting",
  "comments.ban.confirm":
    "Ban “{user}” from commenting in this channel? They can still read. Comments that they have written stay.",
  "comments.ban.done": "“{user}” can no longer comment",
};
