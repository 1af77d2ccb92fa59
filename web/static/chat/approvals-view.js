// The suggested replies of a message as buttons. One tap answers once; what would destroy something can be taken back for 3 s.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon } from "./icon.js";
import { problemText } from "./problem-text.js";

/** @typedef {import("./types.js").MessageEntry} MessageEntry */

/** @type {RegExp | null} */
let words = null;

/**
 * Whether an answer has a word that asks for something that cannot be undone.
 * @param {string} answer
 */
export function destructive(answer) {
  words ??= new RegExp(`(?<!\\p{L})(?:${t("chat.destructive.words").split(/\s*,\s*/u).map(word => word.replace(/[^\p{L}\p{N} -]/gu, "")).join("|")})(?!\\p{L})`, "iu");
  return words.test(answer);
}

/**
 * @param {MessageEntry} entry
 * @param {import("./item.js").ItemContext} context
 */
export function approvalView(entry, context) {
  const { approval, message } = entry;
  if (!approval || !message.suggested_replies?.length) return nothing;
  const open = approval.state === "open" || approval.state === "failed", chosen = !open && approval.state !== "expired";
  const answer = (/** @type {string} */ text) => {
    if (open && entry.id !== null) context.model.reply(entry.id, text, destructive(text));
  };
  return html`<div class="approval" role="group" aria-label=${t("chat.approval")}>
    <div class="answers">${message.suggested_replies.map(text => html`<button type="button" class=${text === approval.answer && chosen ? "answer chosen" : "answer"}
      aria-disabled=${!open} @click=${() => answer(text)}>${text === approval.answer && chosen ? icon("check") : nothing}<bdi>${visible(text)}</bdi></button>`)}</div>
    ${stateView(entry, context)}
  </div>`;
}

/**
 * @param {MessageEntry} entry
 * @param {import("./item.js").ItemContext} context
 */
function stateView(entry, context) {
  const approval = entry.approval;
  if (!approval || approval.state === "open") return nothing;
  if (approval.state === "held") {
    return html`<p class="approval-state held"><span class="countdown" aria-hidden="true"></span>${t("chat.approval.held")}
      <button type="button" class="undo" @click=${() => { if (entry.id !== null) context.model.undoReply(entry.id); }}>${t("chat.approval.undo")}</button></p>`;
  }
  if (approval.state === "failed") {
    const sent = context.model.entries.find(one => one.key === approval.answer_key);
    const problem = sent?.type === "message" ? sent.problem : null;
    return html`<p class="approval-state bad">${icon("alert")} ${t("chat.approval.failed")} ${problem ? problemText(problem) : nothing}</p>`;
  }
  if (approval.state === "expired") return html`<p class="approval-state">${icon("clock")} ${t("chat.approval.expired")}</p>`;
  const text = approval.elsewhere ? "chat.approval.elsewhere" : approval.state === "pending" ? "chat.approval.pending" : "chat.approval.sent";
  return html`<p class="approval-state">${icon(approval.state === "pending" ? "clock" : "check")} ${t(text)}</p>`;
}
