// Building elements. The only way from data to the page: text becomes text nodes and attributes, never markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open", "indeterminate"]);

/**
 * An element: `h("button.plain", { on: { click } }, "Save")`.
 *
 * Of the properties, `on` holds listeners, `data` a dataset, null and false are left out; all others are attributes.
 */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (PROPERTIES.has(key)) element[key] = value;
    else element.setAttribute(key, value === true && !key.startsWith("aria-") ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

/** Put these in place of all that the element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/**
 * Make the children of `parent` exactly `wanted`, in order, moving only what is out of place: what stays keeps its
 * focus, its selection and its running transitions.
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const element of wanted) {
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}

/** Begin at the heading of a view that has come late, unless the user has gone on meanwhile. */
export function takeFocus(view) {
  const active = document.activeElement;
  if (active === document.body || active === view.parentElement) view.querySelector("h1[tabindex]")?.focus({ preventScroll: true });
}

let ids = 0;

/** An id that no other element has, for labels and descriptions. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** Call `work` once things have been quiet for so long; the last arguments count. */
export function settled(milliseconds, work) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

/** Call `work` again and again while the window is seen; what `clearInterval` ends. */
export function everySeen(milliseconds, work) {
  return setInterval(() => {
    if (document.visibilityState === "visible") work();
  }, milliseconds);
}

/** Call `work` now and, when it was asked for again meanwhile, once more, at most once in so long. */
export function atMostEvery(milliseconds, work) {
  let timer = 0;
  let again = false;
  const run = () => {
    again = false;
    timer = setTimeout(() => {
      timer = 0;
      if (again) run();
    }, milliseconds);
    work();
  };
  return () => {
    if (timer) again = true;
    else run();
  };
}
