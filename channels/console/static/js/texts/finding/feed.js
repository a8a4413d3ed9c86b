// Texts of the feed of all channels. See `../../texts.js` for the format.

export default {
  "feed.title": "All posts",
  "feed.filter": "Channels of",
  "feed.filter.all": "All my channels",
  "feed.new": { one: "{n} new post", other: "{n} new posts" },
  "feed.empty": "There are no posts yet. Subscribe to channels, and their posts appear here.",
  "feed.empty.folder": "The channels in this folder have no posts.",
  "feed.end": "These are all posts of your channels.",
  "feed.open": "Open in {name}",
  "feed.list": "Posts of all channels",
};
