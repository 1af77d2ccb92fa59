// The e-mail address that recovers the account: attach, enter the code, remove.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { ApiError } from "../lib/api.js";
import { confirmDialog } from "../lib/dialog.js";
import { fault } from "../lib/fault.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { emailField } from "./email-field.js";
import { section, when } from "./parts.js";

/** @typedef {import("./account.js").Account} Account */

const ATTACH = "email attach", VERIFY = "email verify", REMOVE = "email remove";

/**
 * @param {Account} account
 * @param {SubmitEvent} event
 */
async function attach(account, event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const email = String(new FormData(form).get("email") ?? "").trim();
  account.tasks.clear(VERIFY);
  const attached = await account.tasks.run(ATTACH, () => account.call("POST", "/api/account/email", { body: { email } }));
  if (attached === null) return;
  form.reset();
  form.closest("details")?.removeAttribute("open");
  await account.summary.reload();
  /** @type {HTMLInputElement | null} */ (document.querySelector("#email [name=code]"))?.focus();
}

/**
 * @param {Account} account
 * @param {SubmitEvent} event
 */
async function verify(account, event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const code = String(new FormData(form).get("code") ?? "").trim();
  const verified = await account.tasks.run(VERIFY, () => account.call("POST", "/api/account/email/verify", { body: { code } }));
  if (verified !== null) form.reset();
  // After too many wrong codes the address no longer waits.
  await account.summary.reload();
}

/** @param {Account} account */
async function remove(account) {
  const text = t("account.email.remove.about");
  if (!(await confirmDialog({ title: t("account.email.remove.title"), text, action: t("account.email.remove"), danger: true }))) return;
  await account.tasks.run(REMOVE, () => account.call("DELETE", "/api/account/email"));
  await account.summary.reload();
}

/** @param {unknown} error of a code that was entered */
function codeFault(error) {
  const status = error instanceof ApiError ? error.status : 0;
  const text = { 400: "account.email.wrong", 404: "account.email.void", 409: "account.email.full" }[status];
  return text === undefined ? fault(error) : html`<p class="error" role="alert">${t(text)}</p>`;
}

/** @param {Account} account @param {string} label */
function attachForm(account, label) {
  const isBusy = account.tasks.isBusy(ATTACH);
  return html`<form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => attach(account, event)}>
    ${emailField()}
    ${fault(account.tasks.error(ATTACH))}
    <div class="row"><button type="submit" class="button" aria-disabled=${isBusy ? "true" : "false"}>
      ${isBusy ? t("account.email.sending") : label}</button></div>
  </form>`;
}

/** @param {Account} account @param {{address: string, expires_at: number | null}} waiting */
function codeForm(account, waiting) {
  const isBusy = account.tasks.isBusy(VERIFY);
  return html`<p role="status">${t("account.email.sent", { address: visible(waiting.address) })}
      ${waiting.expires_at === null ? nothing : html`<span class="muted">${t("account.email.expires")} ${when(waiting.expires_at)}</span>`}</p>
    <form class="inline" @submit=${(/** @type {SubmitEvent} */ event) => verify(account, event)}>
      <label class="field"><span>${t("account.email.code")}</span>
        <input name="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="64" spellcheck="false" autocapitalize="off" /></label>
      <button type="submit" class="button primary" aria-disabled=${isBusy ? "true" : "false"}>${t("account.email.verify")}</button>
    </form>`;
}

/** @param {Account} account */
export function email(account) {
  const summary = account.summary.value, known = summary?.email ?? null;
  const head = { id: "email", title: t("account.email"), about: t("account.email.about") };
  if (summary === null) return section(head, nothing);
  const waiting = known === null ? null : known.verified ? known.next : known;
  return section(head, html`<div class="stack">
    ${known === null ? html`<p class="nothing">${t("account.email.none")}</p>` : nothing}
    ${known?.verified ? html`<p><strong>${visible(known.address)}</strong> <span class="badge ok">${t("account.email.verified")}</span></p>` : nothing}
    ${waiting ? codeForm(account, waiting) : nothing}
    ${codeFault(account.tasks.error(VERIFY))}
    ${known === null ? attachForm(account, t("account.email.attach")) : html`
      <details class="new"><summary>${t(waiting ? "account.email.again" : "account.email.change")}</summary>
        ${attachForm(account, t("account.email.attach"))}</details>
      ${fault(account.tasks.error(REMOVE))}
      <div class="row"><button type="button" class="button small" aria-disabled=${account.tasks.isBusy(REMOVE) ? "true" : "false"}
        @click=${() => remove(account)}>${t("account.email.remove")}</button></div>`}
  </div>`);
}
