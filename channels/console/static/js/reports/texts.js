// Loads the texts of reports. Imported by each module that shows them.

import { loadTexts } from "../texts.js";

await loadTexts("reports");
