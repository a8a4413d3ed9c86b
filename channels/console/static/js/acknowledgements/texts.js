// Loads the texts of acknowledgements. Imported when the first post asks for one, or when the staff looks at them.

import { loadTexts } from "../texts.js";

await loadTexts("acknowledgements");
