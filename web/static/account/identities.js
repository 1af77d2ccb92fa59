// Identities: callsigns that belong to the account on every channel, and the keys that prove them.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { visible } from "../lib/visible.js";
import { confirmDialog } from "../lib/dialog.js";
import { keyName } from "./account.js";
import { failed, faultOf, outOf, rowButton, section, when } from "./parts.js";
import { keep } from "./keep.js";

/** @typedef {import("./account.js").Account} Account */
/** @typedef {import("./account.js").Identity} Identity */

/**
 * Shows a new key until it is kept.
 * @param {Account} account
 * @param {{callsign: string, identity_key: string}} made
 */
async function keepKey(account, { callsign, identity_key }) {
  account.known.set(keyName(callsign), identity_key);
  await Promise.all([
    account.summary.reload(),
    keep({
      title: t("account.identity.made", { callsign }),
      about: t("account.identity.made.about"),
      file: `rogerrat-identity-${callsign}.txt`,
      items: [
        { label: t("account.identity.callsign"), value: callsign },
        { label: t("account.identity.key"), value: identity_key },
      ],
    }),
  ]);
}

/**
 * @param {Account} account
 * @param {SubmitEvent} event
 */
async function create(account, event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const callsign = String(new FormData(form).get("callsign") ?? "").trim();
  const body = callsign === "" ? {} : { callsign };
  const made = await account.tasks.run("identity", () => account.call("POST", "/api/account/identities", { body }));
  if (made === null) return;
  form.reset();
  await keepKey(account, made.value);
}

/**
 * @param {Account} account
 * @param {string} callsign
 */
async function rotate(account, callsign) {
  const isSure = await confirmDialog({
    title: t("account.identity.rotate.title", { callsign }), text: t("account.identity.rotate.about"),
    action: t("account.identity.rotate"),
  });
  if (!isSure) return;
  const path = `/api/account/identities/${encodeURIComponent(callsign)}/rotate-key`;
  const made = await account.tasks.run(`identity ${callsign}`, () => account.call("POST", path));
  if (made !== null) await keepKey(account, made.value);
}

/**
 * @param {Account} account
 * @param {string} callsign
 */
async function remove(account, callsign) {
  const isSure = await confirmDialog({
    title: t("account.identity.delete.title", { callsign }), text: t("account.identity.delete.about"),
    typed: callsign, action: t("account.delete"), danger: true,
  });
  if (!isSure) return;
  await account.tasks.run(`identity ${callsign}`, async () => {
    await account.call("DELETE", `/api/account/identities/${encodeURIComponent(callsign)}`);
    account.known.delete(keyName(callsign));
    await account.summary.reload();
  });
}

/**
 * @param {Account} account
 * @param {Identity} identity
 */
function row(account, { callsign, created_at }) {
  const task = `identity ${callsign}`, of = visible(callsign);
  return html`<li>
    <div class="who"><p><strong>${of}</strong></p><p class="muted">${t("account.created")} ${when(created_at)}</p></div>
    <div class="deeds">
      ${rowButton(account, { task, label: t("account.identity.open"), of, act: async () => (await load(import("./open-as.js"))).openAs(account, { callsign }) })}
      ${rowButton(account, { task, label: t("account.identity.rotate"), of, act: () => rotate(account, callsign) })}
      ${rowButton(account, { task, label: t("account.delete"), of, kind: "danger", act: () => remove(account, callsign) })}
    </div>
    ${faultOf(account, task)}
  </li>`;
}

/** @param {Account} account */
export function identities(account) {
  const summary = account.summary.value;
  const list = summary?.identities ?? [];
  const head = {
    id: "identities", title: t("account.identities"), about: t("account.identities.about"),
    count: outOf(summary?.identities.length, summary?.limits.identities),
  };
  const isBusy = account.tasks.isBusy("identity");
  return section(head, html`
    ${account.summary.error === null ? nothing : failed(account.summary)}
    ${summary === null ? (account.summary.error === null ? html`<div class="skeleton"></div>` : nothing)
      : list.length === 0 ? html`<p class="nothing">${t("account.identities.none")}</p>`
      : html`<ul class="rows">${repeat(list, identity => identity.callsign, identity => row(account, identity))}</ul>`}
    <form class="inline" @submit=${(/** @type {SubmitEvent} */ event) => create(account, event)}>
      <label class="field"><span>${t("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${t("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${isBusy ? "true" : "false"}>${t("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${t("account.identity.wish.about")}</p>
    ${faultOf(account, "identity")}`);
}
