// The state of the connection: one word and an icon, always; a line with a button where the reader can do something.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon } from "./icon.js";
import { hasText, problemText } from "./problem-text.js";

/** @typedef {import("./types.js").ConnectionState} State */

/** @type {Record<State, [string, string]>} icon and colour */
const looks = {
  "joining": ["clock", "busy"], "live-stream": ["live", "good"], "live-poll": ["poll", "good"], "reconnecting": ["retry", "busy"], "offline": ["offline", "busy"],
  "elsewhere": ["tab", "act"], "ended": ["power", "act"], "refused": ["lock", "act"], "going-down": ["power", "busy"],
};

export class StatusBar {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {{rejoin: () => void}} context `rejoin` opens the form for what was refused
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    this.pill = document.createElement("span");
    this.pill.className = "state";
    this.pill.setAttribute("role", "status");
    this.line = document.createElement("div");
    this.line.className = "state-line";
    this.line.hidden = true;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    /** @type {State | ""} */
    this.shown = "";
  }

  draw() {
    const { connection } = this.model;
    const [name, look] = looks[connection.state];
    if (this.shown !== connection.state) {
      this.shown = connection.state;
      this.pill.className = `state state-${look}`;
      this.pill.title = t(`chat.state.${connection.state}.long`);
      render(html`${icon(name)}<span>${t(`chat.state.${connection.state}`)}</span>`, this.pill);
    }
    this.#drawLine();
    const counting = connection.retry_at !== null && ["reconnecting", "going-down", "offline"].includes(connection.state);
    if (counting && this.timer === undefined) this.timer = setInterval(() => this.#drawLine(), 1000);
    if (!counting && this.timer !== undefined) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  #drawLine() {
    const { connection } = this.model;
    const content = this.#content();
    // A short break needs no line: it would make the log jump for nothing.
    const hidden = content === nothing || (connection.state === "reconnecting" && Date.now() - connection.since < 1500);
    if (hidden && content !== nothing) setTimeout(() => this.#drawLine(), 1600);
    this.line.hidden = hidden;
    this.line.className = `state-line state-line-${looks[connection.state][1]}`;
    render(hidden ? nothing : content, this.line);
  }

  #content() {
    const { connection: { state, retry_at, problem } } = this.model;
    const again = html`<button type="button" class="button small" @click=${() => this.model.reconnectNow()}>${t("chat.state.try_now")}</button>`;
    const seconds = retry_at === null ? 0 : Math.max(0, Math.ceil((retry_at - Date.now()) / 1000));
    switch (state) {
      case "reconnecting": return html`<p>${seconds > 0 ? tn("chat.state.retry_in", seconds) : t("chat.state.retrying")}</p>${again}`;
      case "going-down": return html`<p>${t("chat.state.going-down.long")} ${seconds > 0 ? tn("chat.state.retry_in", seconds) : nothing}</p>${again}`;
      case "offline": return html`<p>${t("chat.state.offline.long")}</p>${again}`;
      case "elsewhere": return html`<p>${t("chat.state.elsewhere.long")}</p><button type="button" class="button small primary" @click=${() => this.model.useHere()}>${t("chat.state.use_here")}</button>`;
      case "ended": return html`<p>${problem ? problemText(problem) : t("chat.state.ended.long")}</p>
        ${problem?.final ? html`<a class="button small primary" href="/remote">${t("chat.state.other_channel")}</a>` : html`<button type="button" class="button small primary" @click=${() => this.model.reconnectNow()}>${t("chat.state.join_again")}</button>`}`;
      case "refused": return html`<p>${problem ? problemText(problem) : t("chat.state.refused.long")} ${problem?.hint && !hasText(problem) ? html`<small>${visible(problem.hint)}</small>` : nothing}</p>
        <button type="button" class="button small primary" @click=${() => this.context.rejoin()}>${t("chat.state.fix")}</button>`;
      default: return nothing;
    }
  }
}
