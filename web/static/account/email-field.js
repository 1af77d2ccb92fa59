// The field for an e-mail address, at the gate and in the account.
import { html } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";

export const emailField = () => html`<label class="field"><span>${t("account.email.address")}</span>
  <input name="email" type="email" required maxlength="254" autocomplete="email" spellcheck="false" autocapitalize="off" /></label>`;
