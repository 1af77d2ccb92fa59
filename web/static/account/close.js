// Deleting the account: what happens to its channels must be chosen, and its id typed.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { faultOf, section } from "./parts.js";

/** @typedef {import("./account.js").Account} Account */

/**
 * @param {Account} account
 * @param {SubmitEvent} event
 * @param {() => void} deleted
 */
async function remove(account, event, deleted) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const data = new FormData(form);
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("typed"));
  const isSame = String(data.get("typed") ?? "").trim() === account.summary.value?.account_id;
  field.setCustomValidity(isSame ? "" : t("account.close.differs"));
  if (!form.reportValidity()) return;
  /** @type {Record<string, string>} */
  const query = data.get("channels") === "delete" ? { channels: "delete" } : {};
  const done = await account.tasks.run("close", () => account.call("DELETE", "/api/account", { query }));
  if (done !== null) deleted();
}

/**
 * @param {Account} account
 * @param {() => void} deleted called when the account is gone
 */
export function close(account, deleted) {
  const summary = account.summary.value;
  const isBusy = account.tasks.isBusy("close");
  const typed = (/** @type {InputEvent} */ event) => /** @type {HTMLInputElement} */ (event.target).setCustomValidity("");
  return section({ id: "close", title: t("account.close"), about: t("account.close.about") }, html`
    <details class="new"><summary>${t("account.close.open")}</summary>
      <form class="stack" @submit=${(/** @type {SubmitEvent} */ event) => remove(account, event, deleted)} autocomplete="off">
        ${summary === null || summary.channels === 0 ? nothing : html`<fieldset>
          <legend>${tn("account.close.channels", summary.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${t("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${t("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${t("account.close.typed", { id: summary?.account_id ?? "" })}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${typed} /></label>
        ${faultOf(account, "close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${isBusy || summary === null ? "true" : "false"}>${t("account.close.do")}</button></div>
      </form>
    </details>`);
}
