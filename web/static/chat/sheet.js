// Dialogs of the chat that draw their own content: a sheet from below on phones, a box in the middle elsewhere.
import { html } from "../vendor/lit-html/lit-html.js";
import { showDialog } from "../lib/dialog.js";

/**
 * @typedef {object} Sheet
 * @property {HTMLDialogElement} dialog
 * @property {HTMLElement} body where the content is drawn
 * @property {Promise<unknown>} closed
 * @property {() => void} close
 */

/**
 * @param {string} title
 * @param {{className?: string, onClose?: () => void}} [options]
 * @returns {Sheet}
 */
export function openSheet(title, { className = "", onClose } = {}) {
  const { element, close, closed } = showDialog({ title, body: html`<div class="sheet-body"></div>`, sheet: true, className });
  if (onClose) void closed.then(onClose);
  return { dialog: element, body: /** @type {HTMLElement} */ (element.querySelector(".sheet-body")), closed, close };
}
