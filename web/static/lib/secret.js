// A secret that is masked until it is revealed, with a button to copy it.
import { html } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { copyButton } from "./copy.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

/**
 * @param {string} value
 * @param {{label: string}} options `label` names the secret
 */
export function secret(value, { label }) {
  /** @param {Event} event */
  const toggle = (event) => {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    const text = /** @type {HTMLElement} */ (button.closest(".secret")?.querySelector(".secret-text"));
    const reveal = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(reveal));
    // The value is in the document only while it is revealed.
    text.textContent = reveal ? value : "";
  };
  // A changed value is a new element: its state and text start anew.
  return keyed(value, html`<div class="secret">
    <span class="secret-label">${label}</span>
    <code class="secret-text"></code>
    <button type="button" class="button small round" aria-pressed="false" aria-label=${t("secret.reveal", { name: label })} @click=${toggle}>
      ${icon("eye")}
    </button>
    ${copyButton(value, { name: label })}
  </div>`);
}
