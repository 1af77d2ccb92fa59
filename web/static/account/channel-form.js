// The form of a new channel, with all its settings.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { channelBody } from "./data.js";
import { faultOf } from "./parts.js";

/** @typedef {import("./account.js").Account} Account */

const RETENTIONS = ["none", "metadata", "prompts", "full"];
/** Retentions whose transcript has texts: such a channel is on disk. */
const WITH_TEXTS = ["prompts", "full"];
/** What the chosen settings of the form make possible; one form is on the page. */
const chosen = { retention: "none", trust: "untrusted", visibility: "channel" };

/**
 * @param {Account} account
 * @param {SubmitEvent} event
 * @param {(made: import("./channels.js").Created) => void} created
 */
async function create(account, event, created) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const body = channelBody(new FormData(form));
  const made = await account.tasks.run("channel", () => account.call("POST", "/api/channels", { body }));
  if (made === null) return;
  form.reset();
  form.closest("details")?.removeAttribute("open");
  Object.assign(chosen, { retention: "none", trust: "untrusted", visibility: "channel" });
  account.changed();
  created(made.value);
}

/**
 * @param {string} name
 * @param {string[]} values
 * @param {string} label
 * @param {(value: string) => void} [choose]
 */
function choice(name, values, label, choose = () => {}) {
  return html`<label class="field"><span>${label}</span>
    <select name=${name} @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${values.map(value => html`<option value=${value}>${t(`account.${name}.${value || "auto"}`)}</option>`)}
    </select></label>`;
}

/**
 * @param {string} name
 * @param {string} label
 * @param {{isForced?: boolean}} [state]
 */
function check(name, label, { isForced = false } = {}) {
  return html`<label class="check"><input type="checkbox" name=${name} ?disabled=${isForced} /><span>${label}
    ${isForced ? html`<span class="muted">${t("account.channel.forced")}</span>` : nothing}</span></label>`;
}

/**
 * @param {Account} account
 * @param {(made: import("./channels.js").Created) => void} created
 */
export function channelForm(account, created) {
  const isBusy = account.tasks.isBusy("channel");
  const choose = (/** @type {Partial<typeof chosen>} */ change) => {
    Object.assign(chosen, change);
    account.changed();
  };
  const places = WITH_TEXTS.includes(chosen.retention) ? ["", "disk"] : ["", "memory", "disk"];
  return html`<details class="new"><summary>${t("account.channel.new")}</summary>
    <form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => create(account, event, created)} autocomplete="off">
      ${choice("retention", RETENTIONS, t("account.channel.retention"), retention => choose({ retention }))}
      <p class="hint">${t(`account.retention.${chosen.retention}.about`)}</p>
      ${check("require_identity", t("account.channel.require"))}
      <details class="more"><summary>${t("account.channel.more")}</summary><div class="stack">
        ${choice("trust_mode", ["untrusted", "trusted"], t("account.channel.trust"), trust => choose({ trust }))}
        <p class="hint">${t(`account.trust.${chosen.trust}.about`)}</p>
        <label class="field"><span>${t("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${t("account.channel.password.about")}</p>
        ${choice("dm_visibility", ["channel", "private"], t("account.channel.dm"), visibility => choose({ visibility }))}
        ${check("claim_callsigns", t("account.channel.claim"), { isForced: chosen.visibility === "private" })}
        ${choice("durability", places, t("account.channel.durability"))}
        <label class="field"><span>${t("account.channel.session")}</span>
          <input name="session_minutes" type="number" inputmode="decimal" min="0.1" max="1440" step="any" placeholder="30" /></label>
        <label class="field"><span>${t("account.channel.member")}</span>
          <input name="member_days" type="number" inputmode="decimal" min="0.01" max="365" step="any" placeholder="7" /></label>
        <label class="field"><span>${t("account.channel.webhook")}</span>
          <input name="webhook" type="url" maxlength="2048" placeholder=${t("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        <p class="hint">${t("account.channel.webhook.about")}</p>
      </div></details>
      ${faultOf(account, "channel")}
      <div class="row"><button type="submit" class="button primary" aria-disabled=${isBusy ? "true" : "false"}>
        ${isBusy ? t("account.channel.creating") : t("account.channel.create")}</button></div>
    </form>
  </details>`;
}
