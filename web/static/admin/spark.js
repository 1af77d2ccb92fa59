// A line chart of the last ten minutes, drawn as SVG.
import { html, svg } from "../vendor/lit-html/lit-html.js";
import { HEIGHT, WIDTH, lines } from "./data.js";

/** @typedef {import("./data.js").Point} Point */

/**
 * The chart with a description for screen readers.
 * @param {Point[]} points oldest first
 * @param {number} now in milliseconds since the epoch
 * @param {string} label
 */
export function spark(points, now, label) {
  if (points.length === 0) return html`<div class="spark" aria-hidden="true"></div>`;
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${lines(points, now).map(run => svg`<polyline points=${run} />`)}
  </svg>`;
}
