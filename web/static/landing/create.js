// The form that creates a channel.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { formatDuration, t } from "../lib/i18n.js";
import { LIFETIMES, PRESETS, RETENTIONS, randomPassword, withPreset } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */

/**
 * @typedef {object} FormState
 * @property {Settings} settings
 * @property {string} hub_token
 * @property {boolean} needs_token whether the hub demands a token
 * @property {boolean} busy
 * @property {{field: string, text: string} | null} error
 */

/**
 * @param {FormState} state
 * @param {{change: (settings: Partial<Settings>) => void, token: (value: string) => void, submit: () => void}} actions
 */
export function createForm(state, actions) {
  const { settings, error, busy } = state;
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    if (!busy) actions.submit();
  };
  const general = error && !error.field ? error.text : "";
  // A refused field inside the folded part must be seen.
  const isRefusedInside = Boolean(error?.field && error.field !== "hub_token" && error.field !== "owner_password");
  return html`<form class="card create" novalidate aria-labelledby="create-title" @submit=${submit}>
    <h2 id="create-title">${t("landing.create.title")}</h2>
    <p class="muted">${t("landing.create.lead")}</p>
    ${presetChoice(settings, actions)}
    ${settings.trust_mode === "trusted" ? passwordField(settings, error, actions) : nothing}
    <details class="more" ?open=${isRefusedInside || nothing}>
      <summary>${t("landing.create.more")}</summary>
      <div class="grid">${moreFields(settings, error, actions)}</div>
    </details>
    ${state.needs_token ? tokenField(state, actions) : nothing}
    ${general ? html`<p class="error" role="alert">${general}</p>` : nothing}
    <button class="button primary wide" aria-disabled=${busy ? "true" : "false"}>${busy ? t("landing.create.busy") : t("landing.create.submit")}</button>
  </form>`;
}

/** @param {Settings} settings @param {{change: (settings: Partial<Settings>) => void}} actions */
function presetChoice(settings, { change }) {
  return html`<fieldset class="presets">
    <legend>${t("landing.preset")}</legend>
    ${Object.keys(PRESETS).map(
      (name) => html`<label class="preset">
        <input type="radio" name="preset" value=${name} .checked=${settings.preset === name} @change=${() => change(withPreset(name, settings))} />
        <span><b>${t(`landing.preset.${name}`)}</b><span class="hint">${t(`landing.preset.${name}.about`)}</span></span>
      </label>`,
    )}
  </fieldset>`;
}

/** @param {FormState} state @param {{token: (value: string) => void}} actions */
function tokenField(state, { token }) {
  return field("hub_token", t("landing.hub_token"), t("landing.hub_token.hint"), state.error, (attributes) =>
    html`<input type="password" autocomplete="off" spellcheck="false" id="hub_token" .value=${state.hub_token}
      aria-invalid=${attributes.invalid} aria-describedby=${attributes.described} @input=${onInput(token)} />`);
}

/** @param {Settings} settings @param {FormState["error"]} error @param {{change: (settings: Partial<Settings>) => void}} actions */
function passwordField(settings, error, { change }) {
  const input = field("owner_password", t("landing.owner_password"), t("landing.owner_password.hint"), error, (attributes) =>
    html`<span class="joined"><input type="text" autocomplete="off" autocapitalize="off" spellcheck="false" id="owner_password" maxlength="128" .value=${settings.owner_password}
      aria-invalid=${attributes.invalid} aria-describedby=${attributes.described} @input=${onInput((owner_password) => change({ owner_password }))} />
      <button type="button" class="button" @click=${() => change({ owner_password: randomPassword() })}>${t("landing.owner_password.generate")}</button></span>`);
  return input;
}

/** @param {Settings} settings @param {FormState["error"]} error @param {{change: (settings: Partial<Settings>) => void}} actions */
function moreFields(settings, error, { change }) {
  /** @param {keyof Settings} key @param {string[]} options @param {(option: string) => string} name */
  const select = (key, options, name) =>
    field(key, t(`landing.${key}`), t(`landing.${key}.hint`), error, (attributes) =>
      html`<select id=${key} aria-invalid=${attributes.invalid} aria-describedby=${attributes.described}
        @change=${onInput((value) => change({ [key]: value }))}>
        ${options.map((option) => html`<option value=${option} .selected=${settings[key] === option}>${name(option)}</option>`)}
      </select>`);
  /** @param {"claim_callsigns" | "require_identity"} key */
  const check = (key) => html`<label class="check"><input type="checkbox" .checked=${settings[key]}
      @change=${/** @param {Event} event */ (event) => change({ [key]: /** @type {HTMLInputElement} */ (event.target).checked })} />
    <span>${t(`landing.${key}`)}<br /><span class="hint">${t(`landing.${key}.hint`)}</span></span></label>`;
  const named = /** @param {string} key */ (key) => /** @param {string} option */ (option) => t(`landing.${key}.${option || "auto"}`);
  return [
    select("trust_mode", ["untrusted", "trusted"], named("trust_mode")),
    select("session_ttl_seconds", LIFETIMES, (seconds) => formatDuration(Number(seconds))),
    select("retention", RETENTIONS, named("retention")),
    select("durability", ["", "memory", "disk"], named("durability")),
    select("dm_visibility", ["channel", "private"], named("dm_visibility")),
    field("webhook", t("landing.webhook"), t("landing.webhook.hint"), error, (attributes) =>
      html`<input type="url" inputmode="url" autocomplete="off" spellcheck="false" id="webhook" .value=${settings.webhook}
        aria-invalid=${attributes.invalid} aria-describedby=${attributes.described} @input=${onInput((webhook) => change({ webhook }))} />`),
    check("claim_callsigns"),
    check("require_identity"),
  ];
}

/**
 * @param {string} key
 * @param {string} label
 * @param {string} hint
 * @param {FormState["error"]} error
 * @param {(attributes: {invalid: "true" | "false", described: string}) => unknown} input
 */
function field(key, label, hint, error, input) {
  const text = error?.field === key ? error.text : "";
  return html`<div class="field">
    <label class="label" for=${key}>${label}</label>
    ${input({ invalid: text ? "true" : "false", described: `${key}-hint${text ? ` ${key}-error` : ""}` })}
    <span class="hint" id="${key}-hint">${hint}</span>
    ${text ? html`<span class="error" id="${key}-error" role="alert">${text}</span>` : nothing}
  </div>`;
}

/** @param {(value: string) => void} use @returns {(event: Event) => void} */
const onInput = (use) => (event) => use(/** @type {HTMLInputElement} */ (event.target).value);
