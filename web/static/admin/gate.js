// The gate: asks for the admin token, and says how long to wait after wrong ones.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { request, ApiError } from "../lib/api.js";
import { t } from "../lib/i18n.js";

/** @typedef {"" | "wrong" | "disabled" | "locked" | "ended" | "network" | "failed"} Notice */

/** The state of the gate. */
export class Gate {
  /** @type {Notice} */
  notice = "";
  busy = false;
  /** When the next attempt is allowed, in milliseconds since the epoch. */
  waitUntil = 0;

  #changed;
  #opened;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /**
   * @param {() => void} changed
   * @param {(token: string) => void} opened called with a token that the hub accepted
   */
  constructor(changed, opened) {
    this.#changed = changed;
    this.#opened = opened;
  }

  /** Whole seconds until the next attempt. */
  get waitSeconds() {
    return Math.max(0, Math.ceil((this.waitUntil - Date.now()) / 1000));
  }

  /**
   * Asks the hub whether it accepts a token.
   * @param {string} token
   */
  async open(token) {
    if (this.busy || this.waitSeconds > 0) return;
    this.busy = true;
    this.notice = "";
    this.#changed();
    try {
      await request("GET", "/api/admin/counters", { token, timeout_ms: 10_000 });
      this.#opened(token);
    } catch (error) {
      this.refused(error);
    } finally {
      this.busy = false;
      this.#changed();
    }
  }

  /**
   * Shows why the hub refused.
   * @param {unknown} error
   */
  refused(error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 429) this.#wait(error.retry_after_ms || 60_000);
    else if (error.status === 401) this.notice = "wrong";
    else if (error.status === 403) this.notice = "disabled";
    else this.notice = error.network ? "network" : "failed";
    this.#changed();
  }

  /** @param {number} wait_ms */
  #wait(wait_ms) {
    this.notice = "";
    this.waitUntil = Date.now() + wait_ms;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      if (this.waitSeconds === 0) clearInterval(this.#timer);
      this.#changed();
    }, 1000);
  }

  /** @param {SubmitEvent} event */
  #submit = event => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const token = String(new FormData(form).get("token") ?? "").trim();
    if (token !== "") this.open(token);
  };

  view() {
    const wait = this.waitSeconds;
    return html`
      <section class="gate card" aria-labelledby="gate-title">
        <h1 id="gate-title">${t("admin.gate.title")}</h1>
        <p class="muted">${t("admin.gate.about")}</p>
        <form @submit=${this.#submit} autocomplete="off">
          <label class="field" for="token"><span>${t("admin.gate.token")}</span></label>
          <input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false"
            autocapitalize="off" aria-describedby="gate-notice" />
          <button class="button primary" type="submit" aria-disabled=${this.busy || wait > 0 ? "true" : "false"}>
            ${this.busy ? t("admin.gate.checking") : t("admin.gate.open")}
          </button>
        </form>
        <p id="gate-notice" class="gate-notice ${this.notice === "" || this.notice === "locked" ? "" : "error"}" role="status">${this.#noticeText(wait)}</p>
      </section>`;
  }

  /** @param {number} wait */
  #noticeText(wait) {
    // The countdown is silent for screen readers: a sentence each second would drown everything else.
    if (wait > 0) {
      return html`<span>${t("admin.gate.wait")}</span> <span class="countdown" aria-hidden="true">${wait} s</span>`;
    }
    if (this.waitUntil > 0 && this.notice === "") return t("admin.gate.again");
    return this.notice === "" ? nothing : t(`admin.gate.${this.notice}`);
  }
}
