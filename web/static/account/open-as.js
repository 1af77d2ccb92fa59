// "Open as": opens the chat in a new tab as one of the account's identities. Its secrets go into the fragment only,
// which browsers do not send to servers.
import { html } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { BANDS } from "../lib/bands.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { showDialog } from "../lib/dialog.js";
import { keyName, tokenName } from "./account.js";
import { openChat } from "./data.js";

/** @typedef {import("./account.js").Account} Account */

/**
 * Asks for the channel and for what this page does not know.
 * @param {Account} account
 * @param {{callsign?: string, channel?: string}} wish
 */
export function openAs(account, wish) {
  const identities = account.summary.value?.identities ?? [];
  const channels = account.channels.value ?? [];
  let callsign = wish.callsign ?? identities[0]?.callsign ?? "";
  let channel = wish.channel ?? channels[0]?.id ?? BANDS[0];
  const known = (/** @type {string} */ name) => account.known.get(name) ?? "";
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
    account.known.set(keyName(callsign), text("key"));
    if (!isBand()) account.known.set(tokenName(channel), text("token"));
    openChat(channel, { token: isBand() ? "" : text("token"), identity_key: text("key"), callsign });
    dialog.close();
  };
  const isBand = () => BANDS.includes(channel);
  // A typed secret belongs to the chosen name: another choice begins with an empty field.
  const secretField = (/** @type {string} */ of, /** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ value, /** @type {string} */ about) =>
    keyed(of, html`<label class="field"><span>${label}</span>
      <input name=${name} type="password" required .value=${value} maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
    <p class="hint">${value === "" ? about : t("account.open.known")}</p>`);
  const dialog = showDialog({ title: t("account.open.title"), body: "" });
  const draw = () => dialog.update(html`<form class="stack" @submit=${submit} autocomplete="off">
      <label class="field"><span>${t("account.open.as")}</span>
        <select @change=${(/** @type {Event} */ event) => { callsign = selected(event); draw(); }}>
          ${identities.map(each => html`<option value=${each.callsign} ?selected=${each.callsign === callsign}>${each.callsign}</option>`)}
        </select></label>
      ${secretField(callsign, "key", t("account.identity.key"), known(keyName(callsign)), t("account.open.key.about"))}
      <label class="field"><span>${t("account.open.channel")}</span>
        <select @change=${(/** @type {Event} */ event) => { channel = selected(event); draw(); }}>
          ${[...channels.map(each => each.id), ...BANDS].map(id => html`<option value=${id} ?selected=${id === channel}>
            ${BANDS.includes(id) ? t("account.open.band", { name: id }) : visible(id)}</option>`)}
        </select></label>
      ${isBand() ? html`<p class="hint">${t("account.open.band.about")}</p>`
        : secretField(channel, "token", t("account.channel.token"), known(tokenName(channel)), t("account.open.token.about"))}
      <div class="dialog-actions">
        <button type="button" class="button" @click=${() => dialog.close()}>${t("common.cancel")}</button>
        <button type="submit" class="button primary">${t("account.open.do")}</button>
      </div>
  </form>`);
  draw();
  dialog.element.querySelector("select")?.focus();
}

/** @param {Event} event */
const selected = event => /** @type {HTMLSelectElement} */ (event.target).value;
