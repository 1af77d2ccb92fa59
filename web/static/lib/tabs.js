// Tabs after the ARIA pattern: arrow keys, Home and End move, one tab is in the tab order.
import { html } from "../vendor/lit-html/lit-html.js";

/**
 * @param {object} options
 * @param {string} options.id prefix of the element ids
 * @param {string} options.label
 * @param {{id: string, label: string, panel: () => unknown}[]} options.items
 * @param {string} options.selected
 * @param {(id: string) => void} options.select renders again with another selection
 */
export function tabs({ id, label, items, selected, select }) {
  const at = Math.max(0, items.findIndex((item) => item.id === selected));
  const current = items[at];
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const last = items.length - 1;
    const moves = /** @type {Record<string, number>} */ ({ ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last });
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    select(items[to].id);
    document.getElementById(`${id}-tab-${items[to].id}`)?.focus();
  };
  return html`<div class="tabs">
    <div class="tab-list" role="tablist" aria-label=${label} @keydown=${key}>
      ${items.map(
        (item, n) => html`<button type="button" role="tab" id="${id}-tab-${item.id}" aria-selected=${n === at ? "true" : "false"}
          aria-controls="${id}-panel" tabindex=${n === at ? 0 : -1} @click=${() => select(item.id)}>${item.label}</button>`,
      )}
    </div>
    <div class="tab-panel" role="tabpanel" id="${id}-panel" aria-labelledby="${id}-tab-${current.id}" tabindex="0">${current.panel()}</div>
  </div>`;
}
