// Adds the console's texts to those of the app. Imported when the console is opened.

import { addTexts } from "../../texts.js";
import admins from "./admins.js";
import channels from "./channels.js";
import inbox from "./inbox.js";
import insights from "./insights.js";
import people from "./people.js";
import posts from "./posts.js";
import webhooks from "./webhooks.js";

addTexts({ ...channels, ...posts, ...inbox, ...people, ...admins, ...insights, ...webhooks });
