// What a reader can choose for this device, and what the channel is set to.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { lasting } from "../lib/storage.js";
import { announceKey, announceOn, shortcutsKey, shortcutsOn } from "./preferences.js";
import { openSheet } from "./sheet.js";

/**
 * @param {import("./types.js").ChatModel} model
 * @param {() => void} changed
 */
export function openSettings(model, changed) {
  const sheet = openSheet(t("chat.settings"));
  const { channel } = model;
  const toggle = (/** @type {string} */ key) => (/** @type {Event} */ event) => {
    if (/** @type {HTMLInputElement} */ (event.target).checked) lasting.remove(key);
    else lasting.set(key, "off");
    changed();
  };
  const check = (/** @type {string} */ key, /** @type {string} */ long, /** @type {boolean} */ on, /** @type {(event: Event) => void} */ change) => html`<label class="check">
    <input type="checkbox" .checked=${on} @change=${change}><span>${t(key)}<small>${t(long)}</small></span></label>`;
  const fact = (/** @type {string} */ key, /** @type {unknown} */ value) => value ? html`<div><dt>${t(key)}</dt><dd>${value}</dd></div>` : nothing;
  const draw = () => render(html`
    ${model.abilities.roster ? check("chat.settings.remember", "chat.settings.remember.long", model.remembered, event => void model.remember(/** @type {HTMLInputElement} */ (event.target).checked)) : nothing}
    <section id="install-settings"></section>
    <section id="push-settings" aria-busy=${model.abilities.push ? "true" : "false"}></section>
    ${check("chat.settings.announce", "chat.settings.announce.long", announceOn(), toggle(announceKey))}
    ${check("chat.settings.shortcuts", "chat.settings.shortcuts.long", shortcutsOn(), toggle(shortcutsKey))}
    <h3>${t("chat.settings.channel")}</h3>
    <dl class="facts">
      ${fact("chat.settings.id", html`<code>${channel.id}</code>`)}
      ${fact("chat.settings.me", html`<bdi>${channel.me}</bdi>`)}
      ${fact("chat.settings.retention", channel.retention ? t(`chat.retention.${channel.retention}`) : "")}
      ${fact("chat.settings.dm", channel.dm_visibility ? t(`chat.dm.${channel.dm_visibility}`) : "")}
      ${fact("chat.settings.trust", channel.trust_posture ? t(`chat.trust.${channel.trust_posture}`) : "")}
    </dl>`, sheet.body);
  draw();
  const end = model.subscribe(({ parts }) => { if (parts.has("channel")) draw(); });
  void sheet.closed.then(end);
  const place = (/** @type {string} */ id) => /** @type {HTMLElement} */ (sheet.body.querySelector(id));
  void load(import("./install.js")).then(({ showInstall }) => showInstall(place("#install-settings")));
  if (!model.abilities.push) return;
  void load(import("./push-settings.js")).then(({ showPushSettings }) => showPushSettings(model, place("#push-settings")))
    .finally(() => place("#push-settings")?.removeAttribute("aria-busy"));
}
