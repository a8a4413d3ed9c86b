// Building elements, and a few helpers for time and focus.
//
// `h` is the only way from data to the page: texts become text nodes and attributes, never markup.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open", "indeterminate"]);

/**
 * Makes an element: `h("button.plain", { on: { click } }, "Save")`.
 *
 * `on` holds listeners and `data` the dataset; every other property is an attribute. Null and false ones are left out.
 * @type {App.H}
 */
export function h(tag, properties = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (key === "data") Object.assign(element.dataset, value);
    else if (PROPERTIES.has(key)) Reflect.set(element, key, value);
    else element.setAttribute(key, value === true && !key.startsWith("aria-") ? "" : String(value));
  }
  element.append(...flat(children));
  return /** @type {never} */ (element); // `App.H` says which element it is
}

/**
 * Replaces all children of an element.
 * @template {Element} Parent
 * @param {Parent} element
 * @param {App.Child[]} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/**
 * @param {App.Child[]} children
 * @returns {(Node | string)[]}
 */
function flat(children) {
  return children.flatMap((child) => {
    if (Array.isArray(child)) return flat(child);
    return child === null || child === undefined || child === false ? [] : [child];
  });
}

/**
 * Makes `wanted` the children of `parent`, in this order. Moves only the elements that are out of place, since a moved
 * element loses its focus, its selection and its transitions.
 * @param {Element} parent
 * @param {Element[]} wanted
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

/**
 * Moves the focus to the heading of a view that has just been loaded, unless the user has moved it elsewhere.
 * @param {HTMLElement} view
 */
export function focusHeading(view) {
  const active = document.activeElement;
  if (active === document.body || active === view.parentElement)
    /** @type {HTMLElement | null} */ (view.querySelector("h1[tabindex]"))?.focus({ preventScroll: true });
}

/**
 * A listener that does `work` in place of the browser's own sending of a form.
 * @param {() => unknown} work
 * @returns {(event: Event) => unknown}
 */
export const submitting = (work) => (event) => {
  event.preventDefault();
  return work();
};

/**
 * Runs a command of the app, such as "palette", as its key does. The frame knows what is open (`start.js`).
 * @param {App.Command} command
 */
export const runCommand = (command) => dispatchEvent(new CustomEvent("app-command", { detail: command }));

/** Whether shortcuts have ⌘ where others have Ctrl. */
export const isMac = /Mac|iP(hone|ad|od)/.test(navigator.platform);

let ids = 0;

/**
 * An id for an element, for labels and descriptions.
 * @param {string} prefix
 */
export function uniqueId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/**
 * Runs `work` once no call has come for so long, with the arguments of the last call.
 * @template {unknown[]} Values
 * @param {number} milliseconds
 * @param {(...values: Values) => unknown} work
 * @returns {(...values: Values) => void}
 */
export function debounce(milliseconds, work) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

/**
 * Runs `work` periodically while the window is visible. `clearInterval` ends it.
 * @param {number} milliseconds
 * @param {() => unknown} work
 */
export function everyWhileVisible(milliseconds, work) {
  return setInterval(() => {
    if (document.visibilityState === "visible") work();
  }, milliseconds);
}

/**
 * Runs `work` at once, then at most once in so long, however often it is called. The last call is never lost.
 * @param {number} milliseconds
 * @param {() => unknown} work
 */
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
