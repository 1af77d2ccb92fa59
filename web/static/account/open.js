// The account that is open in this tab: its sections, and logging out. Loaded once somebody has signed in.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../lib/copy.js";
import { confirmDialog } from "../lib/dialog.js";
import { t } from "../lib/i18n.js";
import { Account } from "./account.js";
import { identities } from "./identities.js";
import { channels } from "./channels.js";
import { reloadMembers } from "./members.js";
import { webhooks, reloadWebhookDetails } from "./webhooks.js";
import { recovery, sessions } from "./sessions.js";
import { confirmDevice, push } from "./push.js";
import { close } from "./close.js";
import { email } from "./email.js";
import { faultOf, when } from "./parts.js";

const SECTIONS = ["identities", "channels", "webhooks", "sessions", "push", "recovery", "email", "close"];

/** An open account and its view. */
export class OpenAccount {
  #account;
  #leave;

  /**
   * @param {string} token a session token
   * @param {() => void} changed redraws the page
   * @param {(notice: import("./gate.js").Notice) => void} leave called when the session has ended, with the reason
   */
  constructor(token, changed, leave) {
    this.#leave = leave;
    this.#account = new Account(token, changed, () => leave("ended"), () => {
      reloadMembers(this.#account);
      reloadWebhookDetails(this.#account);
    });
    void this.#account.start().then(() => confirmDevice(this.#account));
  }

  /** Ends the refreshes and open requests. */
  stop() {
    this.#account.stop();
  }

  /** Ends the session at the hub, then in this tab. An account that owns nothing would be deleted with its last session. */
  #logOut = async () => {
    const account = this.#account, summary = account.summary.value;
    const isLast = account.sessions.value?.length === 1 && summary?.identities.length === 0 && summary.channels === 0;
    const text = isLast ? t("account.logout.last") : t("account.logout.about");
    if (!(await confirmDialog({ title: t("account.logout"), text, action: t("account.logout"), danger: isLast }))) return;
    const done = await account.tasks.run("logout", () => account.call("POST", "/api/account/logout"));
    if (done !== null) this.#leave("out");
  };

  /** @param {Record<string, boolean>} features what the hub has */
  view(features) {
    const account = this.#account, summary = account.summary.value;
    const hasMail = features.email === true;
    // A hub that sends no pushes any more may have devices all the same.
    const hasPush = features.push === true || (account.devices.value ?? []).length > 0;
    const isShown = (/** @type {string} */ id) => (id !== "email" || hasMail) && (id !== "push" || hasPush);
    return html`
      <div class="account-head">
        <div>
          <h1>${t("account.title")}</h1>
          ${summary === null ? nothing : html`<p class="muted id"><code>${summary.account_id}</code> ${copyButton(summary.account_id, { name: t("account.id") })}
            <span>${t("account.since")} ${when(summary.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#logOut}>${t("account.logout")}</button>
      </div>
      ${faultOf(account, "logout")}
      <div class="columns">
        <nav class="sections" aria-label=${t("account.sections")}>
          ${SECTIONS.filter(isShown).map(id => html`<a href=${`#${id}`}>${t(`account.${id}`)}</a>`)}
        </nav>
        <div class="cards">
          ${identities(account)} ${channels(account)} ${webhooks(account)} ${sessions(account)} ${hasPush ? push(account) : nothing} ${recovery(account)}
          ${hasMail ? email(account) : nothing}
          ${close(account, () => this.#leave("deleted"))}
        </div>
      </div>`;
  }
}
