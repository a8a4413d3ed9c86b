// The icons, drawn as strokes in the colour of the text beside them.

const NAMESPACE = "http://www.w3.org/2000/svg";
const STROKES = {
  back: "M14.5 5 7.500 12l7 7",
  close: "M6 6l12 12M18 6 6 18",
  more: "M12 5.500v.01M12 12v.01M12 18.500v.01",
  plus: "M12 5v14M5 12h14",
  search: "M10.500 4a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13ZM15.500 15.500 20 20",
  mute: "M4 9.500h3.500L12 6v12l-4.500-3.500H4zM16 9.500l4.500 5M20.500 9.500l-4.500 5",
  bell: "M6.500 17c1-1 1.300-2.600 1.300-5.500a4.200 4.200 0 0 1 8.400 0c0 2.900.3 4.500 1.300 5.500zM10.500 19.500c.8.8 2.200.8 3 0M12 5.500v1.500",
  bellOff:
    "M6.500 17c1-1 1.300-2.600 1.300-5.500a4.200 4.200 0 0 1 8.400 0c0 2.900.3 4.500 1.300 5.500zM10.500 19.500c.8.8 2.200.8 3 0M12 5.500v1.500M4.500 4.500l15 15",
  pin: "M9 4h6l-.8 6 2.800 3.500H7L9.800 10zM12 13.500V20",
  smile:
    "M12 3.500a8.500 8.500 0 1 1 0 17 8.500 8.500 0 0 1 0-17ZM8.500 14.200c1.800 2.600 5.200 2.600 7 0M9 9.500v.01M15 9.500v.01",
  down: "M6 9.500l6 6 6-6",
  send: "M4.500 12 20 4.500 15.500 20l-4-6.500zM11.500 13.500 20 4.500",
  image: "M4 5.500h16v13H4zM4 15.500l4.500-4.500 4 4 3-3 4.500 4M15.500 9v.01",
  video: "M3.500 6.500h11.500v11H3.500zM15 10.500l5.500-3v9l-5.500-3",
  sound:
    "M9 17.500V6l10-2v11.500M9 17.500a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0ZM19 15.500a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0Z",
  calendar: "M4.500 6h15v13.500h-15zM4.500 10.500h15M8.500 3.500V8M15.500 3.500V8",
  file: "M7 3.500h7l4 4v13H7zM13.500 3.500V8H18",
  place: "M12 20.500c4-4.500 6-7.800 6-10.500a6 6 0 0 0-12 0c0 2.700 2 6 6 10.500ZM12 10v.01",
  link: "M10 14a3.500 3.500 0 0 0 5 0l3-3a3.500 3.500 0 0 0-5-5l-1 1M14 10a3.500 3.500 0 0 0-5 0l-3 3a3.500 3.500 0 0 0 5 5l1-1",
  check: "M5 12.500l4.500 4.500L19 7.500",
  flag: "M6 20.500v-16M6 5h11.500l-2.500 4 2.500 4H6",
  folder: "M3.500 6.500h6l2 2.500h9v9.500h-17z",
  compass: "M12 3.500a8.500 8.500 0 1 1 0 17 8.500 8.500 0 0 1 0-17ZM15.500 8.500l-2 5-5 2 2-5z",
  pen: "M5 19l1-4L16 5l3 3L9 18z",
  person: "M12 4.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7ZM5 20c.8-4 3.500-6 7-6s6.200 2 7 6",
  out: "M13.500 4.500h-8v15h8M10 12h10M16.500 8.500 20 12l-3.500 3.500",
  lock: "M6.500 11h11v8.500h-11zM9 11V8a3 3 0 0 1 6 0v3M12 14.500v1.500",
  reader: "M12 6.500c-2-1.500-4.500-2-8-2v13c3.500 0 6 .5 8 2 2-1.500 4.500-2 8-2v-13c-3.500 0-6 .5-8 2ZM12 6.500v13",
  letter: "M4 5.500h16v11H9.500L5.500 20v-3.500H4z",
  poll: "M5 19.500V11M12 19.500V4.500M19 19.500v-6",
  comments: "M4 5h16v11H11l-4 3.500V16H4zM8 9h8M8 12h5",
  people:
    "M9 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM3.500 19c.6-3.500 2.700-5 5.500-5s4.900 1.500 5.500 5M15.500 5.500a2.800 2.800 0 0 1 0 5.400M17 14.300c2 .5 3.200 2 3.600 4.700",
  forward: "M13.500 6.500 19.500 12l-6 5.500M19 12h-6.500c-4 0-7 1.500-8 5.500",
  reply: "M10.500 6.500 4.500 12l6 5.500M5 12h6.500c4 0 7 1.500 8 5.500",
  eye: "M3 12c2.200-4 5.300-6 9-6s6.800 2 9 6c-2.200 4-5.300 6-9 6s-6.800-2-9-6ZM12 9.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5Z",
  block: "M12 3.500a8.500 8.500 0 1 1 0 17 8.500 8.500 0 0 1 0-17ZM6 6l12 12",
  keys: "M3.500 7h17v10h-17zM7 10v.01M10.300 10v.01M13.700 10v.01M17 10v.01M8.500 13.800h7",
  moon: "M19.500 14.500A8 8 0 1 1 10 4.500a6.500 6.500 0 0 0 9.500 10Z",
  feed: "M4.500 5.500h15v5h-15zM4.500 14h15M4.500 18h10",
  list: "M5 7h14M5 12h14M5 17h14",
  buttons: "M4 6h16v5.500H4zM4 15h7v4H4zM13.500 15h6.500v4h-6.500z",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l1 12.500h8L17 7",
};

/** @typedef {keyof typeof STROKES} IconName */

/**
 * The icon of this name. Hidden from screen readers: the element around it needs a label.
 * @param {IconName} name
 */
export function icon(name) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  if (name === "back" || name === "send" || name === "forward" || name === "reply") svg.classList.add("directed");
  if (name === "more") svg.classList.add("dots");
  const path = document.createElementNS(NAMESPACE, "path");
  path.setAttribute("d", STROKES[name]);
  svg.append(path);
  return svg;
}
