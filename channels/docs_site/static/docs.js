/**
 * The documentation works without this script. It adds: results while one types, a button that copies a block of code,
 * the mark of the current heading, and scrolling by keyboard where a block is wider than the page.
 */

/** @typedef {{address: string, title: string, where: string, excerpt: [string, boolean][]}} Found */

const WAIT_MILLISECONDS = 120;
const RESULTS = "found";

/**
 * Makes an element with a class, and text or elements in it.
 * @param {string} tag
 * @param {string} name
 * @param {(string | Node)[]} content
 */
function element(tag, name, ...content) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...content);
  return made;
}

/** @param {HTMLInputElement} input */
function searchWhileTyping(input) {
  const list = element("ul", "found");
  list.id = RESULTS;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Results");
  input.form?.append(list);
  const status = element("span", "hidden");
  status.setAttribute("role", "status");
  input.form?.append(status);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-controls", RESULTS);
  input.setAttribute("aria-autocomplete", "list");
  let active = -1;
  let timer = 0;
  let request = new AbortController();

  /** @param {boolean} isOpen */
  const open = (isOpen) => {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) mark(-1);
  };

  /** @param {number} place */
  const mark = (place) => {
    active = place;
    [...list.children].forEach((each, number) => {
      each.setAttribute("aria-selected", String(number === place));
    });
    const item = list.children[place];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };

  /** @param {Found[]} results */
  const show = (results) => {
    list.replaceChildren(
      ...results.map((found, number) => {
        const words = found.excerpt.map(([text, isMatch]) => (isMatch ? element("mark", "", text) : text));
        const where = element("span", "where", found.where);
        const item = element("li", "", element("strong", "", found.title), where, ...words);
        item.id = `${RESULTS}-${number}`;
        item.dataset.address = found.address;
        item.setAttribute("role", "option");
        item.addEventListener("click", () => location.assign(found.address));
        item.addEventListener("mousemove", () => active !== number && mark(number));
        return item;
      }),
    );
    status.textContent = results.length ? `${results.length} results` : "No results";
    open(results.length > 0);
    mark(-1);
  };

  const ask = async () => {
    request.abort();
    const query = input.value.trim();
    if (!query) {
      status.textContent = "";
      open(false);
      return;
    }
    request = new AbortController();
    try {
      const answer = await fetch(`/docs/search.json?q=${encodeURIComponent(query)}`, { signal: request.signal });
      if (answer.ok) show((await answer.json()).results);
    } catch (error) {
      // Without the server there are no results while one types; Enter still asks for the page.
      if (!(error instanceof DOMException)) open(false);
    }
  };

  input.setAttribute("aria-expanded", "false");
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MILLISECONDS);
  });
  input.addEventListener("focus", () => open(list.children.length > 0 && input.value !== ""));
  input.addEventListener("blur", () => setTimeout(() => open(false), 200));
  input.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      open(false);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      event.preventDefault();
      open(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(active < 0 && step < 0 ? count - 1 : (active + step + count) % count);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      const item = list.children[active];
      if (item instanceof HTMLElement && item.dataset.address) location.assign(item.dataset.address);
    }
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    const isTyping = target instanceof HTMLElement && target.matches("input, textarea, select");
    const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
    const isCommand = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (isSlash || isCommand) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
}

/** @param {Element} block */
function addCopyButton(block) {
  const button = element("button", "copy", "Copy");
  button.setAttribute("type", "button");
  button.addEventListener("click", async () => {
    const text = block.querySelector("code")?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Without permission, or over plain HTTP, the text is selected instead.
      getSelection()?.selectAllChildren(block.querySelector("code") ?? block);
      button.textContent = "Selected";
    }
    setTimeout(() => button.replaceChildren("Copy"), 1500);
  });
  block.append(button);
}

/** Lets the keyboard scroll what is wider than the page. */
function focusWhatScrolls() {
  for (const box of document.querySelectorAll("pre, .table")) {
    const scrolls = box.scrollWidth > box.clientWidth;
    if (scrolls && !box.hasAttribute("tabindex")) {
      box.setAttribute("tabindex", "0");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches("pre") ? "Code, scrolls sideways" : "Table, scrolls sideways");
    } else if (!scrolls && box.hasAttribute("tabindex")) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

/** Marks the heading that one reads in the contents. */
function followHeadings() {
  const links = [...document.querySelectorAll(".toc a")];
  const headings = links.map((link) =>
    document.getElementById(decodeURIComponent(link.getAttribute("href")?.slice(1) ?? "")),
  );
  let scheduled = false;
  const update = () => {
    scheduled = false;
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 4;
    let current = headings.findLastIndex((heading) => heading && heading.getBoundingClientRect().top < 130);
    if (atEnd && scrollY > 0)
      current = Math.max(
        current,
        headings.findLastIndex((heading) => heading && heading.getBoundingClientRect().top < innerHeight / 2),
      );
    links.forEach((link, number) => {
      if (number === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener(
    "scroll",
    () => {
      if (!scheduled) requestAnimationFrame(update);
      scheduled = true;
    },
    { passive: true },
  );
  update();
}

/** Scrolls the navigation, and not the page, to the entry of this page. */
function showCurrentEntry() {
  const [menu, entry] = [document.getElementById("menu"), document.querySelector(".side [aria-current]")];
  if (!menu || !entry) return;
  const below = entry.getBoundingClientRect().bottom - menu.getBoundingClientRect().bottom;
  if (below > 0) menu.scrollTop += below + menu.clientHeight / 3;
}

/** Leads the old addresses of the API reference, `/docs#/Channels/channels_create`, to their calls. */
function followOldAddress() {
  const [, tag, call] = decodeURIComponent(location.hash).split("/");
  if (location.pathname !== "/docs" || !location.hash.startsWith("#/") || !tag) return;
  const slug = tag.toLowerCase().replaceAll(" ", "-");
  const anchor = call ? `#${call.slice(tag.length + 1).replaceAll("_", "-")}` : "";
  location.replace(`/docs/api/${slug}${anchor}`);
}

followOldAddress();
const query = document.getElementById("query");
if (query instanceof HTMLInputElement) searchWhileTyping(query);
document.querySelectorAll(".code").forEach(addCopyButton);
showCurrentEntry();
followHeadings();
focusWhatScrolls();
addEventListener("resize", focusWhatScrolls);
document.addEventListener("toggle", focusWhatScrolls, true);
