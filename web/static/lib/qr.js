// QR codes: the hub computes the modules, the page draws them.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { request } from "./api.js";

/** Modules of white around the code, which scanners need. */
const QUIET = 4;

/**
 * A QR code as an image, black on white in every theme.
 *
 * @param {string} text at most 1,024 characters
 * @param {string} [label] what the code is, for screen readers
 * @returns {Promise<SVGElement>}
 */
export async function qrSvg(text, label = "QR") {
  /** @type {{size: number, rows: string[]}} */
  const { size, rows } = await request("POST", "/api/qr", { body: { text } });
  const all = size + 2 * QUIET;
  const holder = document.createElement("div");
  render(
    html`<svg class="qr" viewBox="0 0 ${all} ${all}" role="img" aria-label=${label} shape-rendering="crispEdges">
      <path class="qr-light" d="M0 0h${all}v${all}H0z"></path>
      <path class="qr-dark" d=${rows.map(runs).join("")}></path>
    </svg>`,
    holder,
  );
  return /** @type {SVGElement} */ (holder.firstElementChild);
}

/**
 * The dark runs of a row as parts of a path.
 *
 * @param {string} row
 * @param {number} y
 */
function runs(row, y) {
  return [...row.matchAll(/1+/g)].map((run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`).join("");
}

/** Codes by their text. @type {Map<string, SVGElement | null>} */
const drawn = new Map();

/**
 * A QR code for a template: an empty box of its size until the hub has computed it, nothing if it cannot.
 *
 * @param {string} text
 * @param {string} label
 * @param {() => void} draw renders the template again
 */
export function qrBox(text, label, draw) {
  if (!drawn.has(text)) {
    drawn.set(text, null);
    qrSvg(text, label).then((svg) => drawn.set(text, svg).size && draw(), () => {});
  }
  return html`<div class="qr-box">${drawn.get(text) ?? ""}</div>`;
}
