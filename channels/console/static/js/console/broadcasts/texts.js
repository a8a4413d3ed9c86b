// Loads the texts of broadcasts and of subscribers' tags. Imported by each module that shows them.

import { loadTexts } from "../../texts.js";

await loadTexts("console/broadcasts");
