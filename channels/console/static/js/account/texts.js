// Loads the texts and styles of an account's data. Imported by each module that shows them.

import { loadTexts } from "../texts.js";
import { loadStyle } from "../ui/style_sheet.js";

await Promise.all([loadTexts("account"), loadStyle("css/account.css")]);
