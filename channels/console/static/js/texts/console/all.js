// Loads the console's texts. Imported when the console is opened.

import { loadTexts } from "../../texts.js";

await loadTexts(
  "console/admins",
  "console/channels",
  "console/inbox",
  "console/insights",
  "console/moderation",
  "console/people",
  "console/posts",
  "console/self_service",
  "console/webhooks",
);
