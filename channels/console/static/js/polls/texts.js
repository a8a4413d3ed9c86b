// Loads the texts of polls. Imported when the first poll is shown or written.

import { loadTexts } from "../texts.js";

await loadTexts("polls");
