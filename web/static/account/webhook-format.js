// Headers and body of a webhook's own: the optional fields of the form, and what a row shows of them.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";

/** @typedef {import("./account.js").Webhook} Webhook */

/** The optional fields of the form. */
export const formatFields = () => html`<details class="more"><summary>${t("account.webhook.format")}</summary><div class="stack">
  <label class="field"><span>${t("account.webhook.headers")}</span>
    <textarea class="code" name="headers" rows="2" placeholder="Authorization: Bearer …" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${t("account.webhook.headers.about")}</p>
  <label class="field"><span>${t("account.webhook.body")}</span>
    <textarea class="code" name="body" rows="3" maxlength="16384" placeholder='{"text": "{{from}}: {{text}}"}' autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${t("account.webhook.body.about")}</p>
</div></details>`;

/** What a row shows of it. @param {Webhook} hook */
export function formatShown({ header_names: names = [], custom_body: hasBody = false }) {
  if (names.length === 0 && !hasBody) return nothing;
  return html`<p class="muted">${names.length === 0 ? nothing : t("account.webhook.headers.shown", { names: visible(names.join(", ")) })}
    ${hasBody ? t("account.webhook.body.shown") : nothing}</p>`;
}
