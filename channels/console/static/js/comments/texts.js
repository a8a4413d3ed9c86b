// Loads the texts of comments. Imported when the comments on a post are opened.

import { loadTexts } from "../texts.js";

await loadTexts("comments");
