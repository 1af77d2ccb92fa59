// A link from an e-mail: what it does happens at the press of a button, because programs open links, too.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { request, ApiError } from "../lib/api.js";
import { fault } from "../lib/fault.js";
import { t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { visible } from "../lib/visible.js";
import { Tasks } from "../lib/tasks.js";

/** @typedef {import("./link.js").Link} Link */

/** The view of a link that has not been used yet. */
export class MailLink {
  #link;
  #tasks;
  #done;
  #opened;
  /** The address that was verified. @type {string | null} */
  #verified = null;

  /**
   * @param {Link} link
   * @param {() => void} changed redraws the page
   * @param {() => void} done called when the page goes on without the link
   * @param {(token: string) => void} opened called with the session token of the recovered account
   */
  constructor(link, changed, done, opened) {
    this.#link = link;
    this.#tasks = new Tasks(changed);
    this.#done = done;
    this.#opened = opened;
  }

  #verify = async () => {
    const body = { code: this.#link.secret };
    const verified = await this.#tasks.run("link", async () => {
      const { email } = await request("POST", "/api/account/email/verify", { body });
      this.#verified = email;
    });
    if (verified === null) return;
    /** @type {HTMLElement | null} */ (document.querySelector("#app .primary"))?.focus();
  };

  #recover = async () => {
    // Loaded before there is a secret to show.
    const { keep } = await load(import("./keep.js"));
    const body = { token: this.#link.secret };
    const made = await this.#tasks.run("link", () => request("POST", "/api/account/recover/email/confirm", { body }));
    if (made === null) return;
    const { account_id, session_token, recovery_token } = made.value;
    this.#opened(session_token);
    await keep({
      title: t("account.link.recovered"), about: t("account.link.recovered.about"), file: `rogerrat-${account_id}.txt`,
      items: [
        { label: t("account.recovery.token"), value: recovery_token, note: t("account.made.recovery") },
        { label: t("account.id"), value: account_id },
      ],
    });
  };

  /** @param {unknown} error */
  #fault(error) {
    const isSpent = error instanceof ApiError && (error.status === 401 || error.status === 404);
    return isSpent ? html`<p class="error" role="alert">${t("account.link.spent")}</p>` : fault(error);
  }

  view() {
    const { kind } = this.#link;
    if (this.#verified !== null) {
      return html`<h1>${t("account.title")}</h1>
        <section class="card" aria-labelledby="link-title">
          <h2 id="link-title">${t("account.link.verified")}</h2>
          <p role="status">${t("account.link.verified.about", { address: visible(this.#verified) })}</p>
          <div class="row"><button type="button" class="button primary" @click=${this.#done}>${t("account.link.on")}</button></div>
        </section>`;
    }
    const isBusy = this.#tasks.isBusy("link"), error = this.#tasks.error("link");
    return html`<h1>${t("account.title")}</h1>
      <section class="card" aria-labelledby="link-title">
        <h2 id="link-title">${t(`account.link.${kind}`)}</h2>
        <div class="stack"><p>${t(`account.link.${kind}.about`)}</p>
        ${error === null ? nothing : this.#fault(error)}
        <div class="row">
          <button type="button" class="button primary" aria-disabled=${isBusy ? "true" : "false"}
            @click=${() => { if (!isBusy) (kind === "verify" ? this.#verify : this.#recover)(); }}>${t(`account.link.${kind}.do`)}</button>
          <button type="button" class="button" @click=${this.#done}>${t("account.link.on")}</button>
        </div></div>
      </section>`;
  }
}
