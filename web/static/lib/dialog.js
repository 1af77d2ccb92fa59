// Modal dialogs and sheets on the browser's `<dialog>`: focus is kept inside, Escape closes, focus returns afterwards.
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

let last = 0;

/**
 * @typedef {object} DialogHandle
 * @property {HTMLDialogElement} element
 * @property {(value?: string) => void} close
 * @property {Promise<string>} closed resolves with the value given to `close`; empty after Escape
 * @property {(body: unknown) => void} update renders another body
 */

/**
 * Opens a dialog, or with `sheet` one that comes from the lower edge of a narrow screen.
 *
 * @param {{title: string, body: unknown, sheet?: boolean, className?: string, canClose?: () => boolean}} options `body` is a
 *   template; while `canClose` says no, neither Escape nor the close button nor a click beside the dialog closes it
 * @returns {DialogHandle}
 */
export function showDialog({ title, body, sheet = false, className = "", canClose = () => true }) {
  const element = document.createElement("dialog");
  const heading = `dialog-${++last}`;
  element.className = `dialog ${sheet ? "sheet" : ""} ${className}`.trim();
  element.setAttribute("aria-labelledby", heading);
  const close = (value = "") => {
    if (canClose()) element.close(value);
  };
  /** @param {unknown} content */
  const update = (content) =>
    render(
      html`<div class="dialog-head">
          <h2 id=${heading}>${title}</h2>
          ${canClose()
            ? html`<button type="button" class="button quiet round" aria-label=${t("common.close")} @click=${() => close()}>${icon("close")}</button>`
            : nothing}
        </div>
        <div class="dialog-body">${content}</div>`,
      element,
    );
  /** @type {Promise<string>} */
  const closed = new Promise((resolve) => {
    element.addEventListener("close", () => {
      // Browsers close a dialog at the second Escape, whatever became of its cancel event.
      if (!canClose()) return element.showModal();
      element.remove();
      resolve(element.returnValue);
    });
  });
  element.addEventListener("cancel", (event) => {
    if (!canClose()) event.preventDefault();
  });
  // A click on the backdrop has the dialog itself as its target.
  element.addEventListener("click", (event) => {
    if (event.target === element && isOutside(element, event)) close();
  });
  update(body);
  document.body.append(element);
  element.showModal();
  return { element, close, closed, update };
}

/** @param {HTMLElement} element @param {MouseEvent} event */
function isOutside(element, event) {
  const box = element.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

/**
 * Asks for a confirmation. With `typed`, the button works only once that name has been typed.
 *
 * @param {{title: string, text: unknown, action: string, danger?: boolean, typed?: string, cancel?: string}} options
 * @returns {Promise<boolean>}
 */
export async function confirmDialog({ title, text, action, danger = false, typed, cancel = t("common.cancel") }) {
  let input = "";
  /** @type {DialogHandle} */
  let handle;
  const ready = () => typed === undefined || input.trim() === typed;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (ready()) handle.close("yes");
  };
  const body = () => html`<form @submit=${submit}>
    <div class="dialog-text">${text}</div>
    ${typed === undefined
      ? ""
      : html`<label class="field"><span>${t("dialog.type_name", { name: typed })}</span>
          <input autocomplete="off" autocapitalize="off" spellcheck="false" @input=${
            /** @param {Event} event */ (event) => {
              input = /** @type {HTMLInputElement} */ (event.target).value;
              handle.update(body());
            }} /></label>`}
    <div class="dialog-actions">
      <button type="button" class="button" @click=${() => handle.close()}>${cancel}</button>
      <button class="button ${danger ? "danger" : "primary"}" ?disabled=${!ready()}>${action}</button>
    </div>
  </form>`;
  handle = showDialog({ title, body: "" });
  handle.update(body());
  // The harmless button has the focus, or the field.
  /** @type {HTMLElement | null} */ (handle.element.querySelector("form input, form .button"))?.focus();
  return (await handle.closed) === "yes";
}
