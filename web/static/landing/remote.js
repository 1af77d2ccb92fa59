// The form that starts remote control of an agent.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { icon } from "../lib/icon.js";

/**
 * @param {{needs_token: boolean, hub_token: string, busy: boolean, error: {field: string, text: string} | null}} state
 * @param {{token: (value: string) => void, submit: () => void}} actions
 */
export function remoteStart(state, actions) {
  const { needs_token, hub_token, busy, error } = state;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!busy) actions.submit();
  };
  /** @param {Event} event */
  const input = (event) => actions.token(/** @type {HTMLInputElement} */ (event.target).value);
  return html`<form class="card remote" novalidate aria-labelledby="remote-title" @submit=${submit}>
    <span class="medal">${icon("phone")}</span>
    <h2 id="remote-title">${t("landing.remote.title")}</h2>
    <p class="muted">${t("landing.remote.lead")}</p>
    <ul class="facts">
      <li>${icon("qr")}<span>${t("landing.remote.fact.scan")}</span></li>
      <li>${icon("bell")}<span>${t("landing.remote.fact.ask")}</span></li>
      <li>${icon("lock")}<span>${t("landing.remote.fact.link")}</span></li>
    </ul>
    ${needs_token
      ? html`<div class="field"><label class="label" for="remote_token">${t("landing.hub_token")}</label>
          <input type="password" id="remote_token" autocomplete="off" spellcheck="false" .value=${hub_token} @input=${input}
            aria-invalid=${error?.field ? "true" : "false"} aria-describedby="remote-error" /></div>`
      : nothing}
    ${error ? html`<p class="error" role="alert" id="remote-error">${error.text}</p>` : nothing}
    <button class="button wide" aria-disabled=${busy ? "true" : "false"}>${busy ? t("landing.remote.busy") : t("landing.remote.submit")}</button>
  </form>`;
}
