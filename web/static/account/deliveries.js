// Deliveries of a webhook: the log, replays, and a test whose result is waited for.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { word } from "../lib/word.js";
import { Resource } from "../lib/resource.js";
import { faultOf, loaded, when } from "./parts.js";

/** @typedef {import("./account.js").Account} Account */
/** @typedef {import("./account.js").Webhook} Webhook */
/**
 * @typedef {object} Delivery
 * @property {string} id
 * @property {string} event
 * @property {"due" | "delivered" | "failed" | "dropped"} status
 * @property {number} attempts
 * @property {number} [latency_ms]
 * @property {number} [response_status]
 * @property {string} [failure]
 * @property {string} [channel_id]
 * @property {number} [message_id]
 * @property {number} due_at
 * @property {number} [next_attempt_at]
 * @property {number} [ended_at]
 */

/** How long a test is waited for, in milliseconds; later its result is in the log. */
const TEST_MS = 30_000;
const LOOK_MS = 700;

/** The opened logs of each account. @type {WeakMap<Account, Map<string, Resource<Delivery[]>>>} */
const opened = new WeakMap();
/** The last test of each webhook: `null` while it is under way. @type {WeakMap<Account, Map<string, Delivery | null>>} */
const tests = new WeakMap();

/**
 * @template T
 * @param {WeakMap<Account, Map<string, T>>} all
 * @param {Account} account
 * @returns {Map<string, T>}
 */
function of(all, account) {
  const map = all.get(account) ?? new Map();
  all.set(account, map);
  return map;
}

/**
 * @param {Account} account
 * @param {string} hook
 * @returns {Promise<Delivery[]>}
 */
const load = async (account, hook) => (await account.call("GET", `/api/account/webhooks/${hook}/deliveries`)).deliveries;

/**
 * Opens or closes the log of a webhook.
 * @param {Account} account
 * @param {string} hook
 */
export function toggleDeliveries(account, hook) {
  const logs = of(opened, account);
  if (logs.delete(hook)) return account.changed();
  const log = new Resource(() => load(account, hook), account.changed);
  logs.set(hook, log);
  log.reload();
}

/** Loads the opened logs again. @param {Account} account */
export function reloadDeliveries(account) {
  for (const log of of(opened, account).values()) log.reload();
}

/**
 * Sends a test event and waits for its result.
 * @param {Account} account
 * @param {string} hook
 */
export async function testWebhook(account, hook) {
  const results = of(tests, account);
  await account.tasks.run(`test ${hook}`, async () => {
    results.set(hook, null);
    account.changed();
    try {
      const { delivery_id } = await account.call("POST", `/api/account/webhooks/${hook}/test`);
      const result = await ended(account, hook, delivery_id);
      if (result === undefined) results.delete(hook);
      else results.set(hook, result);
    } catch (error) {
      results.delete(hook);
      throw error;
    }
    of(opened, account).get(hook)?.reload();
    account.webhooks.reload();
  });
}

/**
 * The delivery once its first attempts have ended, or as far as it is when the time is over.
 * @param {Account} account
 * @param {string} hook
 * @param {string} delivery
 */
async function ended(account, hook, delivery) {
  const until = Date.now() + TEST_MS;
  for (;;) {
    await new Promise(done => setTimeout(done, LOOK_MS));
    const found = (await load(account, hook)).find(each => each.id === delivery);
    if (found === undefined || found.status !== "due" || Date.now() > until) return found;
  }
}

/**
 * @param {Account} account
 * @param {string} hook
 * @param {string} [delivery] one delivery; without it all failed and dropped ones
 */
function replay(account, hook, delivery) {
  return account.tasks.run(`replay ${hook}`, async () => {
    const body = delivery === undefined ? {} : { delivery_id: delivery };
    const { replayed, gone } = await account.call("POST", `/api/account/webhooks/${hook}/replay`, { body });
    of(notes, account).set(hook, gone.length > 0 ? tn("account.replay.gone", gone.length) : tn("account.replay.done", replayed.length));
    await Promise.all([of(opened, account).get(hook)?.reload(), account.webhooks.reload()]);
  });
}

/** What the last replay of each webhook did. @type {WeakMap<Account, Map<string, string>>} */
const notes = new WeakMap();

/**
 * The outcome of a delivery, in one line.
 * @param {Delivery} delivery
 */
function outcome({ status, response_status, latency_ms, failure, attempts }) {
  const parts = [
    response_status === undefined ? "" : t("account.delivery.answer", { status: response_status }),
    failure === undefined || (failure === "status" && response_status !== undefined) ? "" : word(`account.failure.${failure}`, failure),
    latency_ms === undefined ? "" : t("account.delivery.time", { ms: latency_ms }),
    attempts > 1 ? tn("account.delivery.attempts", attempts) : "",
  ].filter(part => part !== "");
  const kind = status === "delivered" ? "ok" : status === "due" ? "" : "danger";
  return html`<span class="badge ${kind}">${word(`account.delivery.${status}`, status)}</span> <span class="muted">${parts.join(" · ")}</span>`;
}

/**
 * The result of the last test.
 * @param {Account} account
 * @param {string} hook
 */
export function testResult(account, hook) {
  const result = of(tests, account).get(hook);
  return html`<p class="test" role="status">${result === undefined ? nothing
    : result === null ? t("account.webhook.testing") : html`${t("account.webhook.tested")} ${outcome(result)}`}</p>`;
}

/**
 * The opened log of a webhook, nothing if it is closed.
 * @param {Account} account
 * @param {Webhook} hook
 */
export function deliveries(account, { id }) {
  const log = of(opened, account).get(id);
  if (log === undefined) return nothing;
  const failed = (log.value ?? []).filter(({ status }) => status === "failed" || status === "dropped").length;
  const isBusy = account.tasks.isBusy(`replay ${id}`) ? "true" : "false";
  const row = (/** @type {Delivery} */ delivery) => html`<li>
    <div class="who">
      <p>${outcome(delivery)}</p>
      <p class="muted">${word(`account.event.${delivery.event.replace(".", "_")}`, delivery.event)}
        ${delivery.channel_id === undefined ? nothing : html` · ${visible(delivery.channel_id)}`} · ${when(delivery.due_at)}</p>
    </div>
    ${delivery.status === "due" ? nothing : html`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${isBusy} @click=${() => replay(account, id, delivery.id)}>${t("account.replay")}</button></div>`}
  </li>`;
  return html`<div class="inside">
    <p role="status" class="muted">${of(notes, account).get(id) ?? nothing}</p>
    ${failed === 0 ? nothing : html`<div class="row"><button type="button" class="button small" aria-disabled=${isBusy} @click=${() => replay(account, id)}>
      ${tn("account.replay.failed", failed)}</button></div>`}
    ${faultOf(account, `replay ${id}`)}
    ${loaded(log, t("account.deliveries.none"), list => html`<ul class="rows">${repeat(list, each => each.id, row)}</ul>`)}
  </div>`;
}
