// Secrets that are masked until they are revealed, with a button to copy them.
import { html } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { copyButton } from "./copy.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";

const MASK = "••••••••";

/**
 * @param {string} value
 * @param {{label: string}} options `label` names the secret
 */
export function secret(value, { label }) {
  // A changed value is a new element: its state and text start anew.
  return keyed(value, html`<div class="secret">
    <span class="secret-label">${label}</span>
    <code class="secret-text" .textContent=${MASK}></code>
    ${revealButton(t("secret.reveal", { name: label }), ".secret", ".secret-text", value, MASK)}
    ${copyButton(value, { name: label })}
  </div>`);
}

/**
 * A block of text, such as a command, in which the secrets are masked until they are revealed.
 *
 * @param {string} text
 * @param {{label: string, secrets: (string | null | undefined)[], primary?: boolean, copy?: string}} options `label` names
 *   the text, `copy` is the text of the button, which is prominent with `primary`
 */
export function secretBlock(text, { label, secrets, primary = false, copy }) {
  const masked = secrets.reduce((/** @type {string} */ shown, one) => (one ? shown.replaceAll(one, MASK) : shown), text);
  const reveal = masked === text ? "" : revealButton(t("secret.reveal_in", { name: label }), ".snippet", "pre", text, masked);
  return keyed(text, html`<div class="snippet">
    <pre tabindex="0" role="region" aria-label=${label} .textContent=${masked}></pre>
    <div class="snippet-actions">${reveal}${copyButton(text, { name: label, label: copy, primary })}</div>
  </div>`);
}

/**
 * @param {string} name
 * @param {string} scope selects the element around button and text
 * @param {string} target selects the element with the text
 * @param {string} shown
 * @param {string} masked
 */
function revealButton(name, scope, target, shown, masked) {
  /** @param {Event} event */
  const toggle = (event) => {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    const text = /** @type {HTMLElement} */ (button.closest(scope)?.querySelector(target));
    const reveal = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(reveal));
    // The value is in the document only while it is revealed.
    text.textContent = reveal ? shown : masked;
  };
  return html`<button type="button" class="button small round" aria-pressed="false" aria-label=${name} title=${name} @click=${toggle}>${icon("eye")}</button>`;
}
