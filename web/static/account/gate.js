// The gate: open an account, or come back with the recovery token.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { request, ApiError } from "../lib/api.js";
import { fault } from "../lib/fault.js";
import { t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { Tasks } from "../lib/tasks.js";
import { emailField } from "./email-field.js";

/** @typedef {{features?: Record<string, boolean>, token_needed_for?: string[]}} Info Of `GET /api/v1/info`. */
/** @typedef {"" | "ended" | "out" | "deleted" | "incomplete"} Notice */

/** What session tokens begin with. */
const SESSION_PREFIX = "rr_sess_";

/** The state of the gate. */
export class Gate {
  /** @type {Notice} */
  notice = "";
  /** @type {Info} */
  info = {};

  #tasks;
  #opened;
  #changed;
  /** Whether the hub asked for its token. */
  #asked = false;
  /** Whether links were requested by mail. */
  #isMailed = false;

  /**
   * @param {() => void} changed
   * @param {(token: string) => void} opened called with a session token
   */
  constructor(changed, opened) {
    this.#changed = changed;
    this.#tasks = new Tasks(changed);
    this.#opened = opened;
  }

  /** @param {SubmitEvent} event */
  #create = async event => {
    event.preventDefault();
    const token = field(event, "hub_token");
    // Loaded before there is a secret to show.
    const { keep } = await load(import("./keep.js"));
    const made = await this.#tasks.run("create", async () => {
      try {
        return await request("POST", "/api/account", token === "" ? {} : { token });
      } catch (error) {
        this.#asked ||= error instanceof ApiError && error.status === 401;
        throw error;
      }
    });
    if (made === null) return;
    const { account_id, recovery_token, session_token } = made.value;
    this.#opened(session_token);
    await keep({
      title: t("account.made"), about: t("account.made.about"), file: `rogerrat-${account_id}.txt`,
      items: [
        { label: t("account.recovery.token"), value: recovery_token, note: t("account.made.recovery") },
        { label: t("account.session.token"), value: session_token, note: t("account.made.session") },
        { label: t("account.id"), value: account_id },
      ],
    });
  };

  /** @param {SubmitEvent} event */
  #recover = async event => {
    event.preventDefault();
    const given = field(event, "recovery_token");
    const session = await this.#tasks.run("recover", async () => {
      if (!given.startsWith(SESSION_PREFIX)) return (await request("POST", "/api/account/recover", { body: { recovery_token: given } })).session_token;
      await request("GET", "/api/account", { token: given });
      return given;
    });
    if (session !== null) this.#opened(session.value);
  };

  /** @param {SubmitEvent} event */
  #mail = async event => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const email = field(event, "email");
    this.#isMailed = false;
    if ((await this.#tasks.run("mail", () => request("POST", "/api/account/recover/email", { body: { email } }))) === null) return;
    this.#isMailed = true;
    form.reset();
    this.#changed();
  };

  /** Recovery by mail, for accounts with a verified address. */
  #mailForm() {
    return html`<details class="new"><summary>${t("account.gate.mail")}</summary>
      <form class="stack" @submit=${this.#mail}>
        ${emailField()}
        ${fault(this.#tasks.error("mail"))}
        ${this.#isMailed ? html`<p class="notice" role="status">${t("account.gate.mail.sent")}</p>` : nothing}
        <div class="row"><button type="submit" class="button" aria-disabled=${this.#tasks.isBusy("mail") ? "true" : "false"}>${t("account.gate.mail.do")}</button></div>
      </form></details>`;
  }

  view() {
    const needsToken = this.#asked || this.info.token_needed_for?.includes("accounts") === true;
    const isBusy = (/** @type {string} */ task) => (this.#tasks.isBusy(task) ? "true" : "false");
    return html`
      <h1>${t("account.title")}</h1>
      <p class="lead">${t("account.lead")}</p>
      ${this.notice === "" ? nothing : html`<p class="notice" role="status">${t(`account.notice.${this.notice}`)}</p>`}
      <div class="gate">
        <section class="card" aria-labelledby="create-title">
          <h2 id="create-title">${t("account.gate.create")}</h2>
          <p class="muted">${t("account.gate.create.about")}</p>
          <form class="stack" @submit=${this.#create} autocomplete="off">
            ${needsToken ? html`<label class="field"><span>${t("account.gate.hub_token")}</span>
              <input name="hub_token" type="password" required maxlength="256" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
              <p class="hint">${t("account.gate.hub_token.about")}</p>` : nothing}
            ${fault(this.#tasks.error("create"))}
            <div class="row"><button type="submit" class="button primary" aria-disabled=${isBusy("create")}>
              ${this.#tasks.isBusy("create") ? t("account.gate.creating") : t("account.gate.create.do")}</button></div>
          </form>
        </section>
        <section class="card" aria-labelledby="recover-title">
          <h2 id="recover-title">${t("account.gate.recover")}</h2>
          <p class="muted">${t("account.gate.recover.about")}</p>
          <form class="stack" @submit=${this.#recover} autocomplete="off">
            <label class="field"><span>${t("account.recovery.token")}</span>
              <input name="recovery_token" type="password" required maxlength="128" autocomplete="current-password" spellcheck="false" autocapitalize="off" /></label>
            ${recoverFault(this.#tasks.error("recover"))}
            <div class="row"><button type="submit" class="button" aria-disabled=${isBusy("recover")}>
              ${this.#tasks.isBusy("recover") ? t("account.gate.recovering") : t("account.gate.recover.do")}</button></div>
          </form>
          ${this.info.features?.email === true ? this.#mailForm() : nothing}
        </section>
      </div>`;
  }
}

/** @param {unknown} error */
const recoverFault = error => error instanceof ApiError && error.status === 401
  ? html`<p class="error" role="alert">${t("account.gate.recover.wrong")}</p>` : fault(error);

/**
 * @param {SubmitEvent} event
 * @param {string} name
 */
const field = (event, name) => String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get(name) ?? "").trim();
