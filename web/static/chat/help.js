// The keys of the chat and what its signs mean.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { icon } from "./icon.js";
import { openSheet } from "./sheet.js";

export function openHelp() {
  const sheet = openSheet(t("chat.help"));
  const keys = [[["Enter"], "send"], [["Shift", "Enter"], "line"], [["Alt", "↑"], "up"], [["Alt", "↓"], "down"], [["/"], "search"], [["Esc"], "escape"], [["?"], "help"]];
  const signs = [["clock", "waiting"], ["check", "accepted"], ["checks", "delivered"], ["checks", "read"], ["verified", "verified"], ["lock", "direct"]];
  render(html`<h3>${t("chat.help.keys")}</h3>
    <dl class="keys">${keys.map(([names, key]) => html`<div><dt>${/** @type {string[]} */ (names).map((name, at) => html`${at ? " + " : ""}<kbd>${name}</kbd>`)}</dt><dd>${t(`chat.help.key.${key}`)}</dd></div>`)}</dl>
    <p class="muted">${t("chat.help.touch")}</p>
    <h3>${t("chat.help.signs")}</h3>
    <dl class="keys">${signs.map(([name, key]) => html`<div><dt><span class=${`sign tick-${key}`}>${icon(name)}</span></dt><dd>${t(`chat.help.sign.${key}`)}</dd></div>`)}</dl>`, sheet.body);
}
