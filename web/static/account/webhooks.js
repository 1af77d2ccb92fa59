// Webhooks of the account: subscribe, test with its result, deliveries, rotate the secret, delete.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { word } from "../lib/word.js";
import { confirmDialog } from "../lib/dialog.js";
import { faultOf, loaded, outOf, rowButton, section, when } from "./parts.js";
import { webhookFormat } from "./data.js";
import { keep } from "./keep.js";
import { formatFields, formatShown } from "./webhook-format.js";
import { deliveries, reloadDeliveries, testResult, testWebhook, toggleDeliveries } from "./deliveries.js";

/** @typedef {import("./account.js").Account} Account */
/** @typedef {import("./account.js").Webhook} Webhook */
/** @typedef {{id: string, url: string, secret: string}} Subscribed */

/** The events that webhooks of an account can be subscribed to. */
const EVENTS = ["message.received"];

/**
 * Shows a webhook's new secret until it is kept.
 * @param {Account} account
 * @param {Subscribed} made
 * @param {{title: string, about: string}} words
 */
async function keepSecret(account, { id, url, secret }, { title, about }) {
  await Promise.all([
    account.webhooks.reload(), account.summary.reload(),
    keep({
      title, about, file: `rogerrat-webhook-${id}.txt`,
      items: [{ label: t("account.webhook.url"), value: visible(url) }, { label: t("account.webhook.secret"), value: secret }],
    }),
  ]);
}

/**
 * @param {Account} account
 * @param {SubmitEvent} event
 */
async function subscribe(account, event) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const data = new FormData(form);
  const body = {
    url: String(data.get("url") ?? "").trim(),
    events: EVENTS.length === 1 ? EVENTS : data.getAll("events"),
    retry: String(data.get("retry") ?? "immediate"),
    ...webhookFormat(data),
  };
  const made = await account.tasks.run("webhook", () => account.call("POST", "/api/account/webhooks", { body }));
  if (made === null) return;
  form.reset();
  form.closest("details")?.removeAttribute("open");
  await keepSecret(account, made.value, { title: t("account.webhook.made"), about: t("account.webhook.made.about") });
}

/**
 * @param {Account} account
 * @param {Webhook} hook
 */
async function rotate(account, { id, url }) {
  const isSure = await confirmDialog({
    title: t("account.webhook.rotate.title"), text: t("account.webhook.rotate.about", { url: visible(url) }),
    action: t("account.webhook.rotate"),
  });
  if (!isSure) return;
  const made = await account.tasks.run(`webhook ${id}`, () => account.call("POST", `/api/account/webhooks/${id}/rotate-secret`));
  if (made !== null) await keepSecret(account, made.value, { title: t("account.webhook.rotated"), about: t("account.webhook.rotated.about") });
}

/**
 * @param {Account} account
 * @param {Webhook} hook
 */
async function remove(account, { id, url }) {
  const isSure = await confirmDialog({
    title: t("account.webhook.delete.title"), text: t("account.webhook.delete.about", { url: visible(url) }),
    action: t("account.delete"), danger: true,
  });
  if (!isSure) return;
  await account.tasks.run(`webhook ${id}`, async () => {
    await account.call("DELETE", `/api/account/webhooks/${id}`);
    await Promise.all([account.webhooks.reload(), account.summary.reload()]);
  });
}

/** @param {Webhook} hook */
function state(hook) {
  if (!hook.active) {
    return html`<span class="badge danger">${t("account.webhook.off")}</span>
      <span class="muted">${t("account.webhook.off.about", { time: formatTime(new Date(hook.switched_off_at ?? hook.created_at)) })}</span>`;
  }
  if (hook.failures_in_a_row > 0) return html`<span class="badge warn">${tn("account.webhook.failing", hook.failures_in_a_row)}</span>`;
  return html`<span class="badge ok">${t("account.webhook.on")}</span>`;
}

/**
 * @param {Account} account
 * @param {Webhook} hook
 */
function row(account, hook) {
  const { id } = hook, task = `webhook ${id}`, of = visible(hook.url);
  const opened = deliveries(account, hook);
  return html`<li>
    <div class="who">
      <p class="url"><strong>${of}</strong></p>
      <p>${state(hook)} ${hook.due === 0 ? nothing : html`<span class="badge">${tn("account.webhook.due", hook.due)}</span>`}</p>
      <p class="muted">${hook.events.map(event => word(`account.event.${event.replace(".", "_")}`, event)).join(", ")} ·
        ${word(`account.retry.${hook.retry}`, hook.retry)} · ${t("account.created")} ${when(hook.created_at)}
        ${hook.previous_secret_until === undefined ? nothing : html` · ${t("account.webhook.previous", { time: formatTime(new Date(hook.previous_secret_until)) })}`}</p>
      ${formatShown(hook)}
      ${testResult(account, id)}
    </div>
    <div class="deeds">
      ${rowButton(account, { task: `test ${id}`, label: t("account.webhook.test"), of, act: () => testWebhook(account, id) })}
      <button type="button" class="button small" aria-expanded=${opened === nothing ? "false" : "true"} aria-label=${`${t("account.deliveries")}: ${of}`}
        @click=${() => toggleDeliveries(account, id)}>${t("account.deliveries")}</button>
      ${rowButton(account, { task, label: t("account.webhook.rotate"), of, act: () => rotate(account, hook) })}
      ${rowButton(account, { task, label: t("account.delete"), of, kind: "danger", act: () => remove(account, hook) })}
    </div>
    ${faultOf(account, task)} ${faultOf(account, `test ${id}`)}
    ${opened}
  </li>`;
}

/** Loads what the opened webhooks show again. @param {Account} account */
export const reloadWebhookDetails = account => reloadDeliveries(account);

/** @param {Account} account */
export function webhooks(account) {
  const head = {
    id: "webhooks", title: t("account.webhooks"), about: t("account.webhooks.about"),
    count: outOf(account.webhooks.value?.length, account.summary.value?.limits.webhooks),
  };
  const isBusy = account.tasks.isBusy("webhook");
  return section(head, html`
    ${loaded(account.webhooks, t("account.webhooks.none"), list =>
      html`<ul class="rows">${repeat(list, hook => hook.id, hook => row(account, hook))}</ul>`)}
    <details class="new"><summary>${t("account.webhook.new")}</summary>
      <form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => subscribe(account, event)} autocomplete="off">
        <label class="field"><span>${t("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${t("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${EVENTS.length === 1 ? nothing : html`<fieldset><legend>${t("account.webhook.events")}</legend>
          ${EVENTS.map(event => html`<label class="check"><input type="checkbox" name="events" value=${event} checked />
            <span>${word(`account.event.${event.replace(".", "_")}`, event)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${t("account.webhook.retry")}</span>
          <select name="retry">${["immediate", "persistent"].map(retry => html`<option value=${retry}>${t(`account.retry.${retry}.about`)}</option>`)}</select></label>
        ${formatFields()}
        <p class="hint">${t("account.webhook.about")}</p>
        ${faultOf(account, "webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${isBusy ? "true" : "false"}>
          ${isBusy ? t("account.webhook.subscribing") : t("account.webhook.subscribe")}</button></div>
      </form>
    </details>`);
}
