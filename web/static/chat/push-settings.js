// The part of the settings about notifications: turn them on, what for, with or without the text, a test, the last result.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { ApiError } from "../lib/api.js";
import { errorText } from "../lib/errors.js";
import { ago, t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { HubError } from "./problem.js";
import { problemText } from "./problem-text.js";
import { Push } from "./push.js";

/** @typedef {import("./push.js").PushChoice} PushChoice */

const WANTS = /** @type {const} */ (["all", "mine", "high"]);

/**
 * @param {import("./types.js").ChatModel} model
 * @param {HTMLElement} place
 */
export async function showPushSettings(model, place) {
  const push = new Push(model);
  /** @type {import("./push.js").PushState | null} */
  let state = null;
  /** @type {PushChoice} */
  let choice = { wants: "mine", show_text: true };
  let busy = true;
  let said = "";
  let failed = "";

  const run = async (/** @type {() => Promise<string | void>} */ act) => {
    if (busy && state) return;
    busy = true;
    said = failed = "";
    draw();
    try {
      said = await act() ?? "";
      state = await push.state();
      if (state.kind === "on") choice = state.choice;
    } catch (error) {
      failed = error instanceof HubError ? problemText(error.problem) : error instanceof ApiError ? errorText(error) : t("chat.push.failed");
    }
    busy = false;
    draw();
  };
  const toggle = (/** @type {Event} */ event) => {
    const on = /** @type {HTMLInputElement} */ (event.target).checked;
    void run(async () => {
      if (!on) return push.turnOff();
      if (!await push.turnOn(choice)) return t("chat.push.not_allowed");
    });
  };
  const change = (/** @type {Partial<PushChoice>} */ changed) => {
    choice = { ...choice, ...changed };
    void run(() => push.subscribe(choice));
  };
  const test = () => run(async () => {
    const tested = await push.test();
    if (!tested) return t("chat.push.test.gone");
    if (tested.ok) return t("chat.push.test.ok");
    return t(tested.removed ? "chat.push.test.gone" : "chat.push.test.failed", { why: result(tested) });
  });

  const draw = () => render(html`<h3>${t("chat.push")}</h3>${content()}
    <p role="status" class="muted">${said}</p>
    ${failed ? html`<p class="error" role="alert">${failed}</p>` : nothing}`, place);
  const content = () => {
    if (!state) return html`<p class="muted">${failed ? nothing : t("chat.push.looking")}</p>`;
    if (state.kind === "impossible") return html`<p class="muted">${t(`chat.push.no.${state.why}`)}${state.text ? html` <bdi>${visible(state.text)}</bdi>` : nothing}</p>`;
    if (state.kind === "blocked") return html`<p class="muted">${t("chat.push.blocked")}</p>`;
    const on = state.kind === "on";
    return html`
      <label class="check"><input type="checkbox" .checked=${on} ?disabled=${busy} @change=${toggle}><span>${t("chat.push.on")}<small>${t("chat.push.on.long")}</small></span></label>
      ${on ? html`
        <label class="field"><span>${t("chat.push.wants")}</span>
          <select ?disabled=${busy} @change=${(/** @type {Event} */ event) => change({ wants: /** @type {any} */ (event.target).value })}>
            ${WANTS.map(wants => html`<option value=${wants} ?selected=${choice.wants === wants}>${t(`chat.push.wants.${wants}`)}</option>`)}</select></label>
        <label class="check"><input type="checkbox" .checked=${choice.show_text} ?disabled=${busy} @change=${(/** @type {Event} */ event) => change({ show_text: /** @type {any} */ (event.target).checked })}><span>${t("chat.push.text")}<small>${t("chat.push.text.long")}</small></span></label>
        <div class="buttons"><button type="button" class="button" aria-disabled=${busy ? "true" : "false"} @click=${() => void test()}>${t("chat.push.test")}</button></div>
        ${state.kind === "on" && state.last ? html`<p class="muted">${t("chat.push.last", { result: result({ ok: state.last.status === "delivered", ...state.last }), time: ago(state.last.at) })}</p>` : nothing}` : nothing}`;
  };
  draw();
  busy = false;
  await run(async () => undefined);
}

/** @param {{ok: boolean, response_status?: number, failure?: string}} outcome */
function result({ ok, response_status, failure }) {
  if (ok) return t("chat.push.result.ok");
  return response_status ? t("chat.push.result.status", { status: response_status }) : t("chat.push.result.failed", { why: failure ?? "" });
}
