// Loads the texts of buttons, menus and forms. Imported when the first one is shown.

import { loadTexts } from "../texts.js";

await loadTexts("self_service");
