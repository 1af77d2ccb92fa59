// Push devices: the browsers that are notified of direct messages to identities, recoveries and replaced keys.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { request } from "../lib/api.js";
import { browserSubscription, hasSubscription, pushObstacle } from "../lib/app.js";
import { currentLanguage, t } from "../lib/i18n.js";
import { lasting } from "../lib/storage.js";
import { visible } from "../lib/visible.js";
import { faultOf, loaded, rowButton, section, when } from "./parts.js";

/** @typedef {import("./account.js").Account} Account */
/**
 * @typedef {object} Device A push subscription, without its address and keys.
 * @property {string} id
 * @property {string} service the host of the push service
 * @property {number} created_at
 * @property {number} confirmed_at
 * @property {{status: string, at: number, response_status?: number, failure?: string}} [last]
 */

const TASK = "push";
/** How often a subscription is confirmed, in milliseconds. */
const CONFIRM_MS = 24 * 3600 * 1000;

/** The name under which this browser keeps the id of its subscription. No secret. @param {Account} account */
const key = account => `account-push ${account.summary.value?.account_id ?? ""}`;

/** The outcome of the last test. @type {WeakMap<Account, string>} */
const outcomes = new WeakMap();

/** @param {Account} account */
async function subscribe(account) {
  const { public_key } = await request("GET", "/api/push");
  const body = { ...await browserSubscription(String(public_key)), language: currentLanguage() === "es" ? "es" : "en" };
  const { id } = await account.call("POST", "/api/account/push", { body });
  const before = lasting.get(key(account));
  lasting.set(key(account), id);
  // The browser has another address now; nobody reads what is sent to the old one.
  if (before !== null && before !== id) await account.call("DELETE", `/api/account/push/${before}`).catch(() => undefined);
}

/** @param {Account} account @param {() => Promise<string>} act returns what to say */
async function run(account, act) {
  outcomes.delete(account);
  await account.tasks.run(TASK, async () => {
    try {
      outcomes.set(account, await act());
    } finally {
      await account.devices.reload();
    }
  });
}

/** @param {Account} account */
const turnOn = account => run(account, async () => {
  if (await Notification.requestPermission() !== "granted") return t("account.push.not_allowed");
  await subscribe(account);
  return t("account.push.done");
});

/** @param {Account} account @param {Device} device */
const test = (account, { id }) => run(account, async () => {
  const { ok, removed, response_status, failure } = await account.call("POST", `/api/account/push/${id}/test`);
  if (ok) return t("account.push.tested");
  if (removed && lasting.get(key(account)) === id) lasting.remove(key(account));
  return t(removed ? "account.push.gone" : "account.push.failed", { why: response_status ? String(response_status) : visible(failure ?? "") });
});

/** @param {Account} account @param {Device} device */
const remove = (account, { id }) => run(account, async () => {
  await account.call("DELETE", `/api/account/push/${id}`);
  if (lasting.get(key(account)) === id) lasting.remove(key(account));
  return "";
});

/**
 * Confirms the subscription of this browser once a day: services drop those that they lose sight of, and so does the hub.
 * @param {Account} account
 */
export async function confirmDevice(account) {
  const id = lasting.get(key(account));
  if (id === null || pushObstacle() !== null || Notification.permission !== "granted") return;
  const own = account.devices.value?.find(device => device.id === id);
  // Removed in another browser, on purpose.
  if (account.devices.value !== null && own === undefined) return lasting.remove(key(account));
  if (own === undefined || (Date.now() - own.confirmed_at < CONFIRM_MS && await hasSubscription())) return;
  await subscribe(account).catch(() => undefined);
}

/**
 * @param {Account} account
 * @param {Device} device
 */
function row(account, device) {
  const of = visible(device.service), { last } = device;
  const isOwn = lasting.get(key(account)) === device.id;
  return html`<li>
    <div class="who">
      <p><strong>${of}</strong> ${isOwn ? html`<span class="badge ok">${t("account.push.this")}</span>` : nothing}</p>
      <p class="muted">${t("account.created")} ${when(device.created_at)}
        ${last === undefined ? nothing : html` · ${t(last.status === "delivered" ? "account.push.last" : "account.push.last.failed")} ${when(last.at)}`}</p>
    </div>
    <div class="deeds">
      ${rowButton(account, { task: TASK, label: t("account.push.test"), of, act: () => test(account, device) })}
      ${rowButton(account, { task: TASK, label: t("account.push.remove"), of, act: () => remove(account, device) })}
    </div>
  </li>`;
}

/** @param {Account} account */
export function push(account) {
  const devices = account.devices.value ?? [], own = lasting.get(key(account)), why = pushObstacle();
  const isOn = devices.some(device => device.id === own);
  const isBusy = account.tasks.isBusy(TASK);
  const offer = why !== null || Notification.permission === "denied"
    ? html`<p class="muted">${t(why === null ? "account.push.blocked" : `account.push.no.${why}`)}</p>`
    : html`<div class="row"><button type="button" class="button small" aria-disabled=${isBusy ? "true" : "false"}
        @click=${() => { if (!isBusy) void turnOn(account); }}>${t("account.push.on")}</button></div>`;
  return section({ id: "push", title: t("account.push"), about: t("account.push.about") }, html`
    ${loaded(account.devices, t("account.push.none"), list => html`<ul class="rows">${repeat(list, device => device.id, device => row(account, device))}</ul>`)}
    ${faultOf(account, TASK)}
    <p role="status" class="muted">${outcomes.get(account) ?? ""}</p>
    ${isOn ? nothing : offer}`);
}
