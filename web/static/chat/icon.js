// The icons of the chat as SVG nodes: drawn from modules, so that none is fetched.
import { html, render } from "../vendor/lit-html/lit-html.js";

/** @type {Record<string, string>} */
const paths = {
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm5 12 4 4",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9c0-3.3 2.7-6 6-6s6 2.7 6 6M16 4.5a3.5 3.5 0 0 1 0 6.3M18 14.6c1.8.9 3 2.9 3 5.4",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  send: "M12 19V5m-6 6 6-6 6 6",
  attach: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4L14.5 7",
  close: "M6 6l12 12M18 6 6 18",
  reply: "M10 8 5 13l5 5M5 13h9a5 5 0 0 1 5 5v1",
  copy: "M9 9h10v11H9zM5 15V4h10",
  download: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  file: "M14 3H6v18h12V7zM14 3v4h4",
  down: "m6 9 6 6 6-6",
  end: "M12 5v14m-6-6 6 6 6-6",
  check: "m5 13 4 4L19 7",
  checks: "m2 13 4 4 9-10M11 16l1 1L22 7",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16Zm0 4v4l3 2",
  alert: "M12 4 3 20h18zM12 10v4M12 17h.01",
  verified: "m12 3 2.5 1.8 3-.1.9 2.9 2.5 1.7-1 2.9 1 2.9-2.5 1.7-.9 2.9-3-.1L12 21l-2.5-1.4-3 .1-.9-2.9L3.100 15.100l1-2.900-1-2.900 2.500-1.700.900-2.900 3 .1ZM8.500 12.200l2.500 2.500 4.500-5",
  flag: "M6 21V4m0 1h11l-2 4 2 4H6",
  live: "M13 3 5 14h6l-1 7 8-11h-6z",
  poll: "M4 12a8 8 0 0 1 14-5l2 2m0-5v5h-5M20 12a8 8 0 0 1-14 5l-2-2m0 5v-5h5",
  offline: "M4 4l16 16M8.500 15.500a5 5 0 0 1 7 0M5 12a10 10 0 0 1 4-2.400M12 8.500c2.700 0 5.200 1.300 7 3.500M12 19h.01",
  tab: "M4 5h16v14H4zM4 9h16",
  qr: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v6h-6v-2",
  help: "M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17ZM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .800-1 1.700M12 16.500h.01",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5",
  exit: "M10 4H5v16h5M9 12h11m-4-4 4 4-4 4",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  edit: "M5 19h4L19 9l-4-4L5 15z",
  retry: "M20 12a8 8 0 1 1-2.500-5.800L20 8.500M20 4v4.500h-4.500",
  power: "M12 4v8M7 7a7 7 0 1 0 10 0",
  all: "M4 10v4h3l8 4V6l-8 4zM18 9.500a4 4 0 0 1 0 5",
  task: "M9 4h6v3H9zM9 5.500H6V20h12V5.500h-3M9 13.500l2 2 4-4.500",
  thread: "M9 4 7 20M17 4l-2 16M5 9h15M4 15h15",
};

/** Each icon once: drawing is a copy. @type {Map<string, Element>} */
const drawn = new Map();

/**
 * A decorative icon. The control around it carries the name.
 * @param {string} name
 * @returns {Node}
 */
export function icon(name) {
  let one = drawn.get(name);
  if (!one) {
    const place = document.createElement("span");
    render(html`<svg viewBox="0 0 24 24" aria-hidden="true" class=${`icon icon-${name}`}><path d=${paths[name] ?? ""}></path></svg>`, place);
    drawn.set(name, one = /** @type {Element} */ (place.firstElementChild));
  }
  return one.cloneNode(true);
}

/**
 * An icon with the name of a control beside it for those who cannot see it.
 * @param {string} name
 * @param {string} label
 */
export function labelled(name, label) {
  const both = document.createDocumentFragment();
  const text = document.createElement("span");
  text.className = "visually-hidden";
  text.textContent = label;
  both.append(icon(name), text);
  return both;
}
