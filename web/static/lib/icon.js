// Icons of the sprite file, drawn in the colour of the text around them.
import { html } from "../vendor/lit-html/lit-html.js";

const SPRITE = new URL("../icons.svg", import.meta.url).pathname;

/**
 * An icon beside a text that says the same; screen readers skip it.
 *
 * @param {string} name an id in `icons.svg`
 */
export const icon = (name) => html`<svg class="icon" aria-hidden="true" focusable="false"><use href="${SPRITE}#${name}"></use></svg>`;
