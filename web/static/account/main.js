// The entry of the page `/account`: the gate, or the account that is open in this tab.
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { request, ApiError } from "../lib/api.js";
import { copyButton } from "../lib/copy.js";
import { confirmDialog } from "../lib/dialog.js";
import { mountHeader } from "../lib/header.js";
import { start, t } from "../lib/i18n.js";
import { Account, forgetToken, storedToken, storeToken } from "./account.js";
import { Gate } from "./gate.js";
import { identities } from "./identities.js";
import { channels } from "./channels.js";
import { reloadMembers } from "./members.js";
import { webhooks, reloadWebhookDetails } from "./webhooks.js";
import { laterSections, recovery, sessions } from "./sessions.js";
import { close } from "./close.js";
import { faultOf, when } from "./parts.js";

const SECTIONS = ["identities", "channels", "webhooks", "sessions", "recovery", "close"];

/** @type {Account | null} */
let account = null;
let isPlanned = false;

/** Draws the page soon; several changes at once are drawn together. */
function changed() {
  if (isPlanned) return;
  isPlanned = true;
  queueMicrotask(() => {
    isPlanned = false;
    draw();
  });
}

const gate = new Gate(changed, open);

/** @param {string} token a session token that the hub accepted, or one of this tab */
function open(token) {
  storeToken(token);
  gate.notice = "";
  account = new Account(token, changed, () => leave("ended"), () => {
    reloadMembers(/** @type {Account} */ (account));
    reloadWebhookDetails(/** @type {Account} */ (account));
  });
  account.start();
  changed();
}

/** @param {import("./gate.js").Notice} notice why */
function leave(notice) {
  account?.stop();
  account = null;
  forgetToken();
  document.querySelectorAll("dialog").forEach(dialog => dialog.close());
  gate.notice = notice;
  changed();
}

/** Ends the session at the hub, then in this tab. An account that owns nothing would be deleted with its last session. */
async function logOut() {
  const open = account;
  if (open === null) return;
  const summary = open.summary.value;
  const isLast = open.sessions.value?.length === 1 && summary?.identities.length === 0 && summary.channels === 0;
  const text = isLast ? t("account.logout.last") : t("account.logout.about");
  if (!(await confirmDialog({ title: t("account.logout"), text, action: t("account.logout"), danger: isLast }))) return;
  const done = await open.tasks.run("logout", () => open.call("POST", "/api/account/logout"));
  if (done !== null) leave("out");
}

/** @param {Account} account */
function view(account) {
  const summary = account.summary.value;
  return html`
    <div class="account-head">
      <div>
        <h1>${t("account.title")}</h1>
        ${summary === null ? nothing : html`<p class="muted id"><code>${summary.account_id}</code> ${copyButton(summary.account_id, { name: t("account.id") })}
          <span>${t("account.since")} ${when(summary.created_at)}</span></p>`}
      </div>
      <button type="button" class="button" @click=${logOut}>${t("account.logout")}</button>
    </div>
    ${faultOf(account, "logout")}
    <div class="columns">
      <nav class="sections" aria-label=${t("account.sections")}>
        ${SECTIONS.map(id => html`<a href=${`#${id}`}>${t(`account.${id}`)}</a>`)}
      </nav>
      <div class="cards">
        ${identities(account)} ${channels(account)} ${webhooks(account)} ${sessions(account)} ${recovery(account)}
        ${laterSections(account, gate.info.features ?? {})}
        ${close(account, () => leave("deleted"))}
      </div>
    </div>`;
}

function draw() {
  const main = document.getElementById("app");
  if (main !== null) render(account === null ? gate.view() : view(account), main);
}

async function readInfo() {
  try {
    gate.info = await request("GET", "/api/v1/info");
    changed();
  } catch (error) {
    // Without it the gate asks for the hub's token once the hub has refused.
    if (!(error instanceof ApiError)) throw error;
  }
}

await start("account");
document.title = `${t("account.title")} · rogerrat`;
mountHeader();
if (storedToken() === "") draw();
else open(storedToken());
readInfo();
