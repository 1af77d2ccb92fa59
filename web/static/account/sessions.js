// Devices and sessions of the account, its recovery token, and the places of what comes later.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { confirmDialog } from "../lib/dialog.js";
import { faultOf, loaded, rowButton, section, when } from "./parts.js";
import { keep } from "./keep.js";

/** @typedef {import("./account.js").Account} Account */
/**
 * @typedef {object} AccountSession A session of the account, without its token.
 * @property {string} sid
 * @property {string | null} label
 * @property {number | null} created_at
 * @property {number} last_used_at
 * @property {boolean} current
 */

/** @param {AccountSession} session */
const nameOf = ({ label }) => label === null ? t("account.session.unnamed") : visible(label);

/**
 * @param {Account} account
 * @param {AccountSession[]} sessions
 */
async function end(account, sessions) {
  const text = sessions.length === 1 ? t("account.session.end.about", { name: nameOf(sessions[0]) }) : tn("account.session.others.about", sessions.length);
  const isSure = await confirmDialog({ title: t("account.session.end.title"), text, action: t("account.session.end"), danger: true });
  if (!isSure) return;
  await account.tasks.run("sessions", async () => {
    try {
      for (const { sid } of sessions) await account.call("DELETE", `/api/account/sessions/${encodeURIComponent(sid)}`);
    } finally {
      await account.sessions.reload();
    }
  });
}

/**
 * @param {Account} account
 * @param {AccountSession} session
 */
function row(account, session) {
  const of = nameOf(session);
  return html`<li>
    <div class="who">
      <p><strong>${of}</strong> ${session.current ? html`<span class="badge ok">${t("account.session.current")}</span>` : nothing}</p>
      <p class="muted">${t("account.session.used")} ${when(session.last_used_at)}
        ${session.created_at === null ? nothing : html` · ${t("account.created")} ${when(session.created_at)}`}</p>
    </div>
    ${session.current ? nothing : html`<div class="deeds">
      ${rowButton(account, { task: "sessions", label: t("account.session.end"), of, act: () => end(account, [session]) })}</div>`}
  </li>`;
}

/** @param {Account} account */
export function sessions(account) {
  const others = (account.sessions.value ?? []).filter(session => !session.current);
  const head = { id: "sessions", title: t("account.sessions"), about: t("account.sessions.about") };
  return section(head, html`
    ${loaded(account.sessions, t("account.sessions.none"), list =>
      html`<ul class="rows">${repeat(list, session => session.sid, session => row(account, session))}</ul>`)}
    ${faultOf(account, "sessions")}
    ${others.length < 2 ? nothing : html`<div class="row">
      <button type="button" class="button small" @click=${() => end(account, others)}>${t("account.session.others")}</button></div>`}`);
}

/** @param {Account} account */
async function rotateRecovery(account) {
  const isSure = await confirmDialog({
    title: t("account.recovery.title"), text: t("account.recovery.rotate.about"), action: t("account.recovery.rotate"),
  });
  if (!isSure) return;
  const made = await account.tasks.run("recovery", () => account.call("POST", "/api/account/rotate-recovery"));
  if (made === null) return;
  const { account_id, recovery_token } = made.value;
  await keep({
    title: t("account.recovery.made"), about: t("account.recovery.made.about"), file: `rogerrat-${account_id}.txt`,
    items: [{ label: t("account.id"), value: account_id }, { label: t("account.recovery.token"), value: recovery_token }],
  });
}

/** @param {Account} account */
export function recovery(account) {
  const isBusy = account.tasks.isBusy("recovery") ? "true" : "false";
  return section({ id: "recovery", title: t("account.recovery"), about: t("account.recovery.about") }, html`
    ${faultOf(account, "recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${isBusy} @click=${() => rotateRecovery(account)}>${t("account.recovery.rotate")}</button></div>`);
}
