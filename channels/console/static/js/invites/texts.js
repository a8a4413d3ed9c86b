// Loads the texts and the styles of this folder. Imported by each of its views.

import { loadTexts } from "../texts.js";
import { loadStyle } from "../ui/style_sheet.js";

await Promise.all([loadTexts("invites"), loadStyle("css/console.css"), loadStyle("css/invites.css")]);
