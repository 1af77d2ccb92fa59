// Three ways to end: leave the channel, let this device forget it, or delete it for everybody.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { icon } from "./icon.js";
import { HubError } from "./problem.js";
import { problemText } from "./problem-text.js";
import { openSheet } from "./sheet.js";

/**
 * @param {import("./types.js").ChatModel} model
 */
export function openEnd(model) {
  const sheet = openSheet(t("chat.end"), { className: "end-sheet" });
  let deleting = false;
  let busy = false;
  let failed = "";
  const { id } = model.channel;
  const done = () => location.assign("/remote");
  const run = async (/** @type {() => Promise<void>} */ act) => {
    busy = true;
    failed = "";
    draw();
    try {
      await act();
      done();
    } catch (error) {
      failed = error instanceof HubError ? problemText(error.problem) : t("chat.problem.network");
      busy = false;
      draw();
    }
  };
  const remove = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    if (String(form.get("name")).trim() !== id) {
      failed = t("chat.end.delete.mismatch");
      draw();
      return;
    }
    void run(() => model.deleteChannel(String(form.get("session")).trim()));
  };
  const choice = (/** @type {string} */ key, /** @type {string} */ name, /** @type {() => void} */ act, /** @type {boolean} */ danger = false) => html`
    <button type="button" class=${danger ? "end-choice danger-text" : "end-choice"} ?disabled=${busy} @click=${act}>${icon(name)}<span><b>${t(`chat.end.${key}`)}</b><small>${t(`chat.end.${key}.long`)}</small></span></button>`;
  const draw = () => render(html`
    ${choice("leave", "exit", () => void run(() => model.leave()))}
    ${choice("forget", "lock", () => void run(() => model.forget()))}
    ${model.abilities.delete_channel && !model.channel.is_band ? choice("delete", "trash", () => { deleting = !deleting; draw(); }, true) : nothing}
    ${deleting ? html`<form class="delete-form" @submit=${remove}>
      <label class="field"><span>${t("chat.end.delete.session")}</span><input name="session" type="password" autocomplete="off" required spellcheck="false"></label>
      <label class="field"><span>${t("chat.end.delete.name", { name: id })}</span><input name="name" autocomplete="off" autocapitalize="off" required spellcheck="false"></label>
      <button class="button danger" ?disabled=${busy}>${t("chat.end.delete.yes")}</button></form>` : nothing}
    ${failed ? html`<p class="bad" role="alert">${icon("alert")} ${failed}</p>` : nothing}`, sheet.body);
  draw();
}
