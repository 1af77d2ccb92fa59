// Bans: the form (what, how long, why) and the list with lift.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { ApiError } from "../lib/api.js";
import { t, tn, ago, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { showDialog } from "../lib/dialog.js";
import { fault } from "../lib/fault.js";
import { banBody } from "./data.js";

/** @typedef {import("./monitor.js").Ban} Ban */
/** @typedef {import("./monitor.js").Monitor} Monitor */
/** @typedef {import("./data.js").Kind} Kind */
/** @typedef {{kind: Kind, name: string, channel: string}} Wish What the form begins with. */

/** @type {Kind[]} */
const KINDS = ["here", "callsign", "identity", "address"];
/** The durations offered, in seconds; 0 does not expire. */
const DURATIONS = [3600, 86_400, 604_800, 2_592_000, 0];
const REASON_CHARS = 200;

/** The refusal of the hub, in the user's language and before the request. */
const ownAddress = () => new ApiError({ code: "own_address", message: t("admin.ban.own.refused") });

/**
 * Asks for a ban and sends it.
 * @param {Monitor} monitor
 * @param {Wish} wish
 * @returns {Promise<string>} what was done, empty if nothing
 */
export async function askForBan(monitor, wish) {
  let kind = wish.kind, error = /** @type {unknown} */ (null), isBusy = false, done = "";
  const dialog = showDialog({ title: t("admin.ban.title"), body: "" });
  const draw = () => dialog.update(form());
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (isBusy) return;
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
    isBusy = true;
    error = null;
    draw();
    try {
      const body = banBody({ kind, target: text("target"), channel: text("channel"), seconds: Number(text("seconds")), reason: text("reason") });
      if (body.address !== undefined && body.address === monitor.address) throw ownAddress();
      const ban = await monitor.call("POST", "/api/admin/bans", { body });
      done = tn("admin.banned", ban.sessions_ended);
      dialog.close();
    } catch (failure) {
      error = failure;
    } finally {
      isBusy = false;
      draw();
    }
  };
  const choose = (/** @type {Event} */ event) => {
    kind = /** @type {Kind} */ (/** @type {HTMLInputElement} */ (event.target).value);
    draw();
  };
  const form = () => html`<form class="stack" @submit=${submit}>
    <fieldset><legend>${t("admin.ban.what")}</legend>
      ${KINDS.map(each => html`<label class="check"><input type="radio" name="kind" value=${each} ?checked=${each === wish.kind} @change=${choose} />
        <span>${t(`admin.ban.${each}`)}</span></label>`)}
    </fieldset>
    <label class="field"><span>${t(`admin.ban.target.${kind}`)}</span>
      <input name="target" required maxlength="64" value=${wish.name} autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
    ${kind === "here" ? html`<label class="field"><span>${t("admin.ban.channel")}</span>
      <input name="channel" required maxlength="64" value=${wish.channel} autocomplete="off" spellcheck="false" autocapitalize="off" /></label>` : nothing}
    ${kind === "address" ? html`<p class="hint">${t("admin.ban.address.about")}
      ${monitor.address === "" ? nothing : t("admin.ban.own", { address: monitor.address })}</p>` : nothing}
    <label class="field"><span>${t("admin.ban.long")}</span>
      <select name="seconds">${DURATIONS.map(seconds => html`<option value=${seconds} ?selected=${seconds === 86_400}>${t(`admin.ban.for.${seconds}`)}</option>`)}</select></label>
    <label class="field"><span>${t("admin.ban.why")}</span>
      <textarea name="reason" rows="2" maxlength=${REASON_CHARS}></textarea></label>
    <p class="hint">${t("admin.ban.why.about")}</p>
    ${fault(error)}
    <div class="dialog-actions">
      <button type="button" class="button" @click=${() => dialog.close()}>${t("common.cancel")}</button>
      <button type="submit" class="button danger" aria-disabled=${isBusy ? "true" : "false"}>${t("admin.ban.do")}</button>
    </div>
  </form>`;
  draw();
  dialog.element.querySelector("input")?.focus();
  await dialog.closed;
  return done;
}

/**
 * The name of what is banned.
 * @param {Ban} ban
 */
export const nameOf = ban => visible(ban.callsign ?? ban.identity ?? ban.address ?? "");

/**
 * What a ban forbids.
 * @param {Ban} ban
 */
function target(ban) {
  if (ban.address !== undefined) return html`${t("admin.ban.is.address")} <strong>${visible(ban.address)}</strong>`;
  if (ban.identity !== undefined) return html`${t("admin.ban.is.identity")} <strong>${visible(ban.identity)}</strong>`;
  const name = html`<strong>${visible(ban.callsign ?? "")}</strong>`;
  if (ban.channel_id === undefined) return html`${t("admin.ban.is.callsign")} ${name}`;
  return html`${t("admin.ban.is.callsign")} ${name} ${t("admin.ban.is.on", { channel: visible(ban.channel_id) })}`;
}

/**
 * The active bans.
 * @param {Monitor} monitor
 * @param {{ban: (wish: Wish) => void, lift: (ban: Ban) => void}} deeds
 */
export function bans(monitor, deeds) {
  const list = monitor.bans ?? [];
  const now = Date.now();
  return html`<section class="card" aria-labelledby="bans-title">
    <div class="head"><h2 id="bans-title">${t("admin.bans")}</h2>
      <button type="button" class="button small" @click=${() => deeds.ban({ kind: "callsign", name: "", channel: "" })}>${t("admin.bans.new")}</button></div>
    ${monitor.bans !== null && list.length === 0 ? html`<p class="muted">${t("admin.bans.none")}</p>` : nothing}
    ${list.length === 0 ? nothing : html`<ul class="rows">${repeat(list, ban => ban.id, ban => html`<li>
      <div class="who">
        <p>${target(ban)}</p>
        ${ban.reason === undefined ? nothing : html`<p class="reason" dir="auto">${visible(ban.reason)}</p>`}
        <p class="muted">${t("admin.bans.since", { time: ago(new Date(ban.created_at)) })} ·
          ${ban.expires_at === undefined ? t("admin.bans.forever")
            : ban.expires_at <= now ? t("admin.bans.over") : t("admin.bans.until", { time: formatTime(new Date(ban.expires_at)) })}</p>
      </div>
      <div class="deeds"><button type="button" class="button small" aria-label=${`${t("admin.lift")}: ${nameOf(ban)}`} @click=${() => deeds.lift(ban)}>${t("admin.lift")}</button></div>
    </li>`)}</ul>`}
  </section>`;
}
