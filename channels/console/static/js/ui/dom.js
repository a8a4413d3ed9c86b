// Building elements, and a few helpers for time and focus.
//
// `h` is the only way from data to the page: texts become text nodes and attributes, never markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open", "indeterminate"]);

/**
 * Makes an element: `h("button.plain", { on: { click } }, "Save")`.
 *
 * `on` holds listeners and `data` the dataset; every other property is an attribute. Null and false ones are left out.
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

/** Replaces all children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/**
 * Makes `wanted` the children of `parent`, in this order. Moves only the elements that are out of place, since a moved
 * element loses its focus, its selection and its transitions.
 */
export function reconcile(parent, wanted) {
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const element of wanted) {
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
}

/** Moves the focus to the heading of a view that has just been loaded, unless the user has moved it elsewhere. */
export function focusHeading(view) {
  const active = document.activeElement;
  if (active === document.body || active === view.parentElement)
    view.querySelector("h1[tabindex]")?.focus({ preventScroll: true });
}

/** A listener that does `work` in place of the browser's own sending of a form. */
export const submitting = (work) => (event) => {
  event.preventDefault();
  return work();
};

let ids = 0;

/** An id for an element, for labels and descriptions. */
export function uniqueId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** Runs `work` once no call has come for so long, with the arguments of the last call. */
export function debounce(milliseconds, work) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

/** Runs `work` periodically while the window is visible. `clearInterval` ends it. */
export function everyWhileVisible(milliseconds, work) {
  return setInterval(() => {
    if (document.visibilityState === "visible") work();
  }, milliseconds);
}

/** Runs `work` at once, then at most once in so long, however often it is called. The last call is never lost. */
export function throttle(milliseconds, work) {
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
