// The views of this folder and of the feed, loaded when their address is opened.

import "./texts.js";
import { FeedView } from "../feed/feed_view.js";
import { loadStyle } from "../ui/style_sheet.js";
import { SearchView } from "./search_view.js";

/**
 * @param {"search" | "feed"} name
 * @returns {Promise<App.View>}
 */
export async function findingView(name) {
  await loadStyle("css/finding.css");
  return name === "feed" ? new FeedView() : new SearchView();
}
