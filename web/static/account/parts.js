// Pieces that every section of the page is made of.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t, ago, formatTime } from "../lib/i18n.js";
import { fault } from "../lib/fault.js";

/** @typedef {import("./account.js").Account} Account */

/**
 * A section with a heading, a sentence on what it is for, and its content.
 * @param {{id: string, title: string, about: string, count?: string, aside?: unknown}} head
 * @param {unknown} body
 */
export function section({ id, title, about, count = "", aside = nothing }, body) {
  return html`<section class="card" id=${id} aria-labelledby=${`${id}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${id}-title`}>${title}${count === "" ? nothing : html` <span class="count">${count}</span>`}</h2>
      ${aside}
    </div>
    <p class="muted about">${about}</p>
    ${body}
  </section>`;
}

/**
 * A list that is loaded: its rows, or why there are none.
 * @template T
 * @param {import("../lib/resource.js").Resource<T[]>} list
 * @param {string} empty what to do when there are none
 * @param {(items: T[]) => unknown} rows
 */
export function loaded(list, empty, rows) {
  const items = list.value;
  return html`
    ${list.error === null ? nothing : failed(list)}
    ${items === null
      ? (list.error === null ? html`<div class="skeleton" role="status"><span class="visually-hidden">${t("account.loading")}</span></div>` : nothing)
      : items.length === 0 ? html`<p class="nothing">${empty}</p>` : rows(items)}`;
}

/**
 * A load that failed, with a button to repeat it.
 * @param {import("../lib/resource.js").Resource<any>} list
 */
export function failed(list) {
  return html`<div class="failed">
    ${fault(list.error)}
    <button type="button" class="button small" aria-disabled=${list.loading ? "true" : "false"} @click=${() => list.reload()}>${t("account.retry")}</button>
  </div>`;
}

/**
 * A button of a row that does something. Its name says to what.
 * @param {Account} account
 * @param {{task: string, label: string, of: string, kind?: string, act: () => void}} button
 */
export function rowButton(account, { task, label, of, kind = "", act }) {
  const isBusy = account.tasks.isBusy(task);
  return html`<button type="button" class="button small ${kind}" aria-label=${`${label}: ${of}`} aria-disabled=${isBusy ? "true" : "false"}
    @click=${() => { if (!isBusy) act(); }}>${label}</button>`;
}

/**
 * The error of a task, or nothing.
 * @param {Account} account
 * @param {string} task
 */
export const faultOf = (account, task) => fault(account.tasks.error(task));

/**
 * A time as its distance from now; the exact time is the title.
 * @param {number} at_ms milliseconds since the epoch
 */
export const when = at_ms =>
  html`<time datetime=${new Date(at_ms).toISOString()} title=${formatTime(new Date(at_ms))}>${ago(new Date(at_ms))}</time>`;

/**
 * How many of how many; an unlimited account has no second number.
 * @param {number | undefined} count
 * @param {number | null | undefined} limit
 */
export function outOf(count, limit) {
  if (count === undefined) return "";
  return limit === null || limit === undefined ? String(count) : t("account.of", { count, limit });
}
