// Secrets that are shown once: copy, save as a file, and no way on before "I have kept it".
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t, formatTime } from "../lib/i18n.js";
import { showDialog } from "../lib/dialog.js";
import { copyButton } from "../lib/copy.js";
import { icon } from "../lib/icon.js";
import { saveText } from "../lib/save.js";
import { fileText } from "./data.js";

/** @typedef {{label: string, value: string, note?: string}} Item */

/** @param {BeforeUnloadEvent} event */
const ask = event => event.preventDefault();

/**
 * Shows secrets until the user says that they are kept. Closing the page asks first.
 * @param {{title: string, about: string, file: string, items: Item[], more?: (close: () => void) => unknown}} what
 * @returns {Promise<void>} fulfilled when they are kept
 */
export async function keep({ title, about, file, items, more = () => nothing }) {
  let isKept = false;
  addEventListener("beforeunload", ask);
  const save = () => saveText(file, fileText(title, location.origin, formatTime(new Date()), items));
  const tick = (/** @type {Event} */ event) => {
    isKept = /** @type {HTMLInputElement} */ (event.target).checked;
    draw();
  };
  const dialog = showDialog({ title, body: "", className: "keep", canClose: () => isKept });
  const draw = () => dialog.update(html`<div class="stack">
    <p>${about}</p>
    <dl class="secrets">${items.map(item => html`<div>
      <dt>${item.label}</dt>
      <dd><code>${item.value}</code>${copyButton(item.value, { name: item.label })}</dd>
      ${item.note === undefined ? nothing : html`<dd class="muted">${item.note}</dd>`}
    </div>`)}</dl>
    <div class="row"><button type="button" class="button" @click=${save}>${icon("download")}<span>${t("account.keep.save")}</span></button></div>
    <div class="dialog-actions">
      <label class="check"><input type="checkbox" .checked=${isKept} @change=${tick} /><span>${t("account.keep.kept")}</span></label>
      ${isKept ? more(() => dialog.close()) : nothing}
      <button type="button" class="button primary" ?disabled=${!isKept} @click=${() => dialog.close()}>${t("account.keep.done")}</button>
    </div>
  </div>`);
  draw();
  await dialog.closed;
  removeEventListener("beforeunload", ask);
}
