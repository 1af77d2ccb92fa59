// The priority of a message; urgent asks once.
import { html } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { icon } from "./icon.js";

/** @typedef {import("./types.js").Priority} Priority */

/** @type {Priority[]} */
const all = ["urgent", "high", "default", "low", "min"];

/**
 * @param {Priority} now
 * @param {(priority: Priority) => void} choose
 */
export function priorityMenu(now, choose) {
  return html`<label class="select priority-select priority-${now}" title=${t("chat.priority")}>
    ${icon("flag")}<span class="visually-hidden">${t("chat.priority")}</span>
    ${now === "default" ? "" : html`<span class="select-text" aria-hidden="true">${t(`chat.priority.${now}`)}</span>`}
    <select .value=${live(now)} @change=${(/** @type {Event} */ event) => choose(/** @type {Priority} */ (/** @type {HTMLSelectElement} */ (event.target).value))}>
      ${all.map(name => html`<option value=${name} ?selected=${name === now}>${t(`chat.priority.${name}`)}</option>`)}
    </select></label>`;
}

let asked = false;

/** Whether the message shall really be urgent; asked once in a visit. */
export async function askUrgent() {
  if (asked) return true;
  const { confirmDialog } = await load(import("../lib/dialog.js"));
  asked = await confirmDialog({ title: t("chat.urgent.title"), text: t("chat.urgent.text"), action: t("chat.urgent.yes") });
  return asked;
}
