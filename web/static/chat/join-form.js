// Asks for what is needed to join and not known: token, name, key, password. Each refusal is shown at its field.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon } from "./icon.js";
import { fieldsOf, isField } from "./join-fields.js";
import { hasText, problemText } from "./problem-text.js";

/** @typedef {import("./types.js").Credentials} Credentials */
/** @typedef {import("./types.js").ProblemField} ProblemField */
/** @typedef {import("./join-fields.js").Field} Field */
/** @typedef {import("./join-fields.js").JoinQuestion} JoinQuestion */

export class JoinForm {
  /**
   * @param {HTMLElement} root
   * @param {JoinQuestion} question
   * @param {(credentials: Credentials, remember: boolean) => void} submit
   */
  constructor(root, question, submit) {
    // A place of its own: what is drawn into the page later must not meet what is drawn here.
    this.root = document.createElement("div");
    this.root.className = "gate-place";
    root.replaceChildren(this.root);
    this.question = question;
    this.submit = submit;
    this.fields = fieldsOf(question);
    /** Wrong or missing now, by field. @type {Partial<Record<Field, string>>} */
    this.errors = {};
    const about = question.problem?.about;
    if (question.problem && question.problem.code !== "rate_limited" && about && isField(about)) this.errors[about] = problemText(question.problem);
    this.remember = question.remembered ?? false;
    this.withKey = Boolean(question.known.identity_key) || Boolean(question.facts?.require_identity);
    this.draw();
    const first = /** @type {HTMLElement | null} */ (this.root.querySelector("[aria-invalid=true]") ?? this.root.querySelector("form input:not([type=checkbox])"));
    if (!matchMedia("(pointer: coarse)").matches || question.problem) first?.focus();
    this.timer = setInterval(() => { if (this.#waits() !== this.waited) this.draw(); }, 500);
    this.waited = this.#waits();
  }

  /** Seconds until another try is allowed. */
  #waits() {
    const at = this.question.problem?.retry_at;
    return at ? Math.max(0, Math.ceil((at - Date.now()) / 1000)) : 0;
  }

  remove() {
    clearInterval(this.timer);
    this.root.remove();
  }

  draw() {
    const { question } = this;
    this.waited = this.#waits();
    if (question.problem?.code === "collision" && !this.renaming) return this.#drawCollision();
    const { problem, facts } = question;
    const isGone = problem?.code === "not_found" && !this.fields.length;
    const elsewhere = problem && problem.code !== "rate_limited" && !(problem.about && isField(problem.about) && this.fields.includes(problem.about));
    render(html`<div class="gate"><form class="card gate-card" @submit=${(/** @type {SubmitEvent} */ event) => this.#send(event)} novalidate>
      <p class="gate-kind">${icon(facts?.is_band ? "all" : "lock")} ${t(facts?.is_band ? "chat.join.band" : "chat.join.channel")}</p>
      <h1><bdi>${visible(question.title)}</bdi></h1>
      ${question.notice ? html`<p class="notice warn" role="alert">${icon("alert")}<span>${question.notice}</span></p>` : nothing}
      ${elsewhere ? html`<p class="notice danger" role="alert">${icon("alert")}<span>${problemText(problem)}${problem.hint && !hasText(problem) ? html` <small>${visible(problem.hint)}</small>` : nothing}</span></p>` : nothing}
      ${facts === null ? html`<p class="notice warn" role="alert">${icon("offline")}<span>${t("chat.problem.network")}</span></p>` : nothing}
      ${this.fields.map(field => this.#field(field))}
      ${facts && !facts.is_band && !facts.require_identity && this.fields.includes("callsign") ? html`<details class="more-ways" ?open=${this.withKey} @toggle=${(/** @type {Event} */ event) => { this.withKey = /** @type {HTMLDetailsElement} */ (event.target).open; }}>
        <summary>${t("chat.join.with_key")}</summary>${this.#field("identity_key")}</details>` : nothing}
      ${facts?.is_band || isGone ? nothing : html`<label class="check"><input type="checkbox" name="remember" .checked=${this.remember}><span>${t("chat.settings.remember")}<small>${t("chat.settings.remember.long")}</small></span></label>`}
      ${this.waited > 0 ? html`<p class="notice warn" role="status">${icon("clock")}<span>${tn("chat.join.wait", this.waited)}</span></p>` : nothing}
      <div class="buttons"><button class="button primary" ?disabled=${this.waited > 0}>${t(isGone ? "chat.state.try_now" : "chat.join")}</button>
        ${this.fields.includes("owner_password") && !this.errors.callsign ? html`<button type="submit" name="without" value="1" class="button quiet">${t("chat.join.without_password")}</button>` : nothing}</div>
      <p class="fine"><a href="/remote">${t("chat.channels")}</a></p>
    </form></div>`, this.root);
  }

  /** @param {Field} field */
  #field(field) {
    const { known } = this.question;
    const error = this.errors[field];
    const id = `join-${field}`;
    const secret = field !== "callsign";
    const value = field === "callsign" ? this.question.problem?.free_callsign ?? known.callsign ?? "" : "";
    return html`<div class="field"><label class="label" for=${id}>${t(`chat.join.${field}`)}</label>
      <input id=${id} name=${field} type=${secret ? "password" : "text"} .defaultValue=${value} autocomplete=${secret ? "off" : "nickname"} autocapitalize="off" autocorrect="off" spellcheck="false"
        maxlength=${field === "callsign" ? 32 : 512} aria-invalid=${error ? "true" : "false"} aria-describedby="${id}-hint ${id}-error">
      <span class="hint" id="${id}-hint">${t(`chat.join.${field}.hint`)}</span>
      <span class="error" id="${id}-error" role=${error ? "alert" : nothing}>${error ?? nothing}</span></div>`;
  }

  #drawCollision() {
    const { known, problem } = this.question;
    const name = visible(known.callsign ?? "");
    render(html`<div class="gate"><div class="card gate-card">
      <p class="gate-kind">${icon("people")} ${visible(this.question.title)}</p>
      <h1>${t("chat.join.collision", { name })}</h1>
      <p>${t("chat.join.collision.long", { name })}</p>
      <div class="buttons"><button type="button" class="button primary" @click=${() => this.submit({ ...known, same_member: true }, this.remember)}>${t("chat.join.collision.me")}</button>
        <button type="button" class="button" @click=${() => {
          this.renaming = true;
          this.fields = [.../** @type {Field[]} */ (["callsign"])];
          this.errors = { callsign: t("chat.join.collision.taken", { name }) };
          if (problem) this.question = { ...this.question, problem: { ...problem, code: "callsign_taken", about: /** @type {ProblemField} */ ("callsign") }, known: { ...known, same_member: false } };
          this.draw();
          /** @type {HTMLElement | null} */ (this.root.querySelector("#join-callsign"))?.focus();
        }}>${t("chat.join.collision.other")}</button></div></div></div>`, this.root);
  }

  /** @param {SubmitEvent} event */
  #send(event) {
    event.preventDefault();
    if (this.waited > 0) return;
    const form = /** @type {HTMLFormElement} */ (event.target);
    const data = new FormData(form);
    const without = event.submitter?.getAttribute("name") === "without";
    const given = (/** @type {string} */ name) => String(data.get(name) ?? "").trim();
    /** @type {Credentials} */
    const credentials = { ...this.question.known };
    this.errors = {};
    for (const field of /** @type {Field[]} */ (["token", "identity_key", "callsign", "owner_password"])) {
      if (!data.has(field)) continue;
      const value = given(field);
      if (value) credentials[field] = value;
      else delete credentials[field];
    }
    if (credentials.identity_key && data.has("identity_key") && given("identity_key")) delete credentials.callsign;
    if (without) delete credentials.owner_password;
    else if (this.fields.includes("owner_password") && !credentials.owner_password) this.errors.owner_password = t("chat.join.empty");
    if (this.fields.includes("token") && !credentials.token) this.errors.token = t("chat.join.empty");
    if (this.fields.includes("identity_key") && !credentials.identity_key) this.errors.identity_key = t("chat.join.empty");
    if (this.fields.includes("callsign") && !credentials.identity_key) {
      const name = (credentials.callsign ?? "").toLowerCase();
      if (!name) this.errors.callsign = t("chat.join.empty");
      else if (!/^[a-z0-9][a-z0-9_-]{0,31}$/u.test(name) || name === "all") this.errors.callsign = t("chat.join.callsign.rule");
      credentials.callsign = name;
      if (name !== this.question.known.callsign) credentials.same_member = false;
    }
    if (Object.keys(this.errors).length) {
      this.draw();
      /** @type {HTMLElement | null} */ (this.root.querySelector("[aria-invalid=true]"))?.focus();
      return;
    }
    this.submit(credentials, data.get("remember") !== null);
  }
}
