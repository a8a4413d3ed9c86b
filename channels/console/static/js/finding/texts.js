// Adds the texts of palette, search, keys and feed to those of the app. Imported when the first of them is used.

import feed from "../texts/finding/feed.js";
import search from "../texts/finding/search.js";
import { addTexts } from "../texts.js";

addTexts({ ...search, ...feed });
