// What can be done with a message, and the details of its delivery.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { copyText } from "../lib/copy.js";
import { announce } from "../lib/announce.js";
import { visible } from "../lib/visible.js";
import { formatFull } from "./format.js";
import { openMenu } from "./menu.js";
import { openSheet } from "./sheet.js";

/** @typedef {import("./types.js").MessageEntry} MessageEntry */

/**
 * @param {MessageEntry} entry
 * @param {HTMLElement} anchor
 * @param {{model: import("./types.js").ChatModel, replyTo: (entry: MessageEntry) => void, writeTo: (callsign: string) => void,
 *   search: (filter: import("./types.js").SearchFilter) => unknown}} page
 */
export function openMessageMenu(entry, anchor, page) {
  const { message } = entry;
  const { abilities } = page.model;
  const name = visible(message.display ?? message.from);
  openMenu(anchor, t("chat.more"), [
    ...abilities.replies ? [{ icon: "reply", text: t("chat.reply"), act: () => page.replyTo(entry) }] : [],
    { icon: "copy", text: t("chat.copy_text"), act: () => void copyText(message.text).then(done => done && announce(t("copy.copied"))) },
    ...abilities.direct && !entry.mine ? [{ icon: "lock", text: t("chat.roster.write_to", { name }), act: () => page.writeTo(message.from) }] : [],
    { icon: "search", text: t("chat.roster.show_of", { name }), act: () => page.search({ from: message.from }) },
    ...message.thread ? [{ icon: "thread", text: t("chat.thread.show"), act: () => page.search({ thread: message.thread }) }] : [],
    null,
    { icon: "help", text: t("chat.details"), act: () => openDetails(entry) },
  ]);
}

/** @param {MessageEntry} entry */
function openDetails({ message, receipts, id, mine }) {
  const sheet = openSheet(t("chat.details"));
  const row = (/** @type {string} */ key, /** @type {unknown} */ value) => html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>`;
  render(html`<dl class="facts">
    ${row("chat.details.from", html`<bdi>${visible(message.display ?? message.from)}</bdi> ${message.verified ? `(${t("chat.verified.long")})` : nothing}`)}
    ${row("chat.details.to", message.to === "all" ? t("chat.to.all") : html`<bdi>${visible(message.to)}</bdi>`)}
    ${row("chat.details.at", formatFull(message.at))}
    ${message.thread ? row("chat.details.thread", html`<bdi>${visible(message.thread)}</bdi>`) : nothing}
    ${row("chat.details.id", html`<code>${id}</code>`)}
  </dl>
  ${mine && receipts.length ? html`<h3>${t("chat.details.receipts")}</h3><ul class="receipts">${receipts.map(receipt => html`<li><bdi>${visible(receipt.to)}</bdi>
    <span class="muted">${t(`chat.receipt.${receipt.state}`)}${receipt.acked_at ?? receipt.delivered_at ? ` · ${formatFull(/** @type {number} */ (receipt.acked_at ?? receipt.delivered_at))}` : ""}</span></li>`)}</ul>` : nothing}`, sheet.body);
}
