// Loads the texts of palette, search, keys and feed. Imported when the first of them is used.

import { loadTexts } from "../texts.js";

await loadTexts("finding/search", "finding/feed");
