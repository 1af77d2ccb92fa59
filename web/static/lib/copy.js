// Copies texts to the clipboard; on plain http, where browsers have no clipboard API, by selection.
import { html } from "../vendor/lit-html/lit-html.js";
import { announce } from "./announce.js";
import { t } from "./i18n.js";
import { icon } from "./icon.js";
import { load } from "./load.js";

/** How long a button shows that it copied. */
const SHOWN_MS = 1800;
/** @type {WeakMap<HTMLElement, number>} */
const timers = new WeakMap();

/**
 * Copies a text. Where that fails, a dialog shows the text selected.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed, or not a secure context.
  }
  if (copySelected(text)) return true;
  const box = html`<textarea class="copy-box" readonly rows="6" aria-label=${t("copy.text")} .value=${text}></textarea>`;
  const { showDialog } = await load(import("./dialog.js"));
  const { element } = showDialog({ title: t("copy.by_hand"), body: box });
  element.querySelector("textarea")?.select();
  return false;
}

/** @param {string} text */
function copySelected(text) {
  const place = document.querySelector("dialog[open]:modal") ?? document.body;
  const before = document.activeElement;
  const box = document.createElement("textarea");
  box.value = text;
  box.readOnly = true;
  box.className = "visually-hidden";
  place.append(box);
  box.select();
  let copied = false;
  try {
    copied = document.execCommand("copy");
  } catch {
    // The dialog follows.
  }
  box.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

/**
 * A button that copies a text, shows that it did, and announces it.
 *
 * @param {string} text
 * @param {{label?: string, name?: string, primary?: boolean}} [options] `label` is the visible text, `name` says what is
 *   copied where the label alone does not
 */
export function copyButton(text, { label = t("copy.copy"), name, primary = false } = {}) {
  const before = name ? `${label}: ${name}` : label;
  const after = name ? t("copy.copied_what", { what: name }) : t("copy.copied");
  /** @param {Event} event */
  const click = async (event) => {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    if (!(await copyText(text))) return;
    announce(after);
    button.dataset.done = "";
    // The name begins with the text that is visible.
    button.setAttribute("aria-label", after);
    clearTimeout(timers.get(button));
    const reset = () => {
      delete button.dataset.done;
      button.setAttribute("aria-label", before);
    };
    timers.set(button, window.setTimeout(reset, SHOWN_MS));
  };
  return html`<button type="button" class="button copy ${primary ? "primary" : "small"}" aria-label=${before} @click=${click}>
    <span class="copy-before">${icon("copy")}<span>${label}</span></span>
    <span class="copy-after">${icon("check")}<span>${t("copy.copied")}</span></span>
  </button>`;
}
