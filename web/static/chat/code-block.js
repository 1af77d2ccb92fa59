// A block of code with a copy button and its language.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../lib/copy.js";
import { t } from "../lib/i18n.js";

/**
 * @param {string} text as shown
 * @param {string} language
 * @returns {HTMLElement}
 */
export function codeBlock(text, language) {
  const frame = document.createElement("div");
  frame.className = "code";
  render(html`<div class="code-head"><span>${language.split(/\s/u)[0].slice(0, 24)}</span>${copyButton(text, { name: t("chat.code") })}</div>
    <pre tabindex="0"><code>${text}</code></pre>`, frame);
  return frame;
}
