// What became of a message of one's own: an icon and a word, and where it failed what can be done.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { formatClock } from "./format.js";
import { icon } from "./icon.js";
import { problemText } from "./problem-text.js";

/** @typedef {import("./types.js").MessageEntry} MessageEntry */

/** @type {Record<import("./types.js").Tick, string>} */
const icons = { waiting: "clock", accepted: "check", away: "check", delivered: "checks", read: "checks", expired: "alert", failed: "alert" };

/**
 * @param {MessageEntry} entry
 * @param {import("./item.js").ItemContext} context
 */
export function tickView(entry, context) {
  if (entry.tick === "failed") return failedView(entry, context);
  const time = html`<time class="tick-time" datetime=${new Date(entry.message.at).toISOString()}>${formatClock(entry.message.at)}</time>`;
  if (!entry.tick) return html`<p class="tick">${time}</p>`;
  return html`<p class="tick tick-${entry.tick}">${time}<span title=${whoText(entry)}>${icon(icons[entry.tick])} ${tickText(entry)}</span>${waitingDetail(entry, context)}</p>`;
}

/** @param {MessageEntry} entry */
function tickText(entry) {
  const { receipts, tick } = entry;
  const read = receipts.filter(receipt => receipt.state === "acked").length;
  const got = receipts.filter(receipt => receipt.state !== "queued" && receipt.state !== "expired").length;
  if (receipts.length > 1 && read) return tn("chat.tick.read_by", read, { of: receipts.length });
  if (receipts.length > 1 && got && got < receipts.length) return tn("chat.tick.delivered_to", got, { of: receipts.length });
  return t(`chat.tick.${tick}`);
}

/** @param {MessageEntry} entry */
function whoText(entry) {
  return entry.receipts.map(receipt => `${receipt.to}: ${t(`chat.receipt.${receipt.state}`)}`).join("\n");
}

/**
 * Why a message still waits, and a way to take it back.
 * @param {MessageEntry} entry
 * @param {import("./item.js").ItemContext} context
 */
function waitingDetail(entry, context) {
  if (entry.tick !== "waiting" || !entry.problem) return nothing;
  return html` <span class="muted">${problemText(entry.problem)}</span>
    <button type="button" class="link-button" @click=${() => context.edit(entry)}>${t("chat.edit")}</button>
    <button type="button" class="link-button" @click=${() => context.model.discard(entry.key)}>${t("chat.discard")}</button>`;
}

/**
 * @param {MessageEntry} entry
 * @param {import("./item.js").ItemContext} context
 */
function failedView(entry, context) {
  return html`<div class="not-sent" role="group" aria-label=${t("chat.tick.failed")}>
    <p>${icon("alert")} <strong>${t("chat.tick.failed")}</strong>${entry.problem ? html` ${problemText(entry.problem)}` : nothing}</p>
    <div class="buttons">
      <button type="button" class="button small" @click=${() => context.model.retry(entry.key)}>${icon("retry")} ${t("chat.retry")}</button>
      <button type="button" class="button small" @click=${() => context.edit(entry)}>${icon("edit")} ${t("chat.edit")}</button>
      <button type="button" class="button small quiet" @click=${() => context.model.discard(entry.key)}>${t("chat.discard")}</button>
    </div>
  </div>`;
}
