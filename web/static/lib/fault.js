// Why something failed, beside the control that it concerns.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { errorText } from "./errors.js";
import { visible } from "./visible.js";

/**
 * @param {unknown} error null is no error
 */
export const fault = error => error === null ? nothing : html`<p class="error" role="alert">${visible(errorText(error))}</p>`;
