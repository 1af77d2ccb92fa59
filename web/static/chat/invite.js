// Ways for somebody else to come to the channel: a link and a QR code for a person or another device, a text for an agent.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { request } from "../lib/api.js";
import { copyButton } from "../lib/copy.js";
import { t } from "../lib/i18n.js";
import { isLoopback } from "../lib/loopback.js";
import { qrSvg } from "../lib/qr.js";
import { makeFragment } from "./fragment.js";
import { icon } from "./icon.js";
import { openSheet } from "./sheet.js";

/** @typedef {import("./types.js").ChatModel} ChatModel */
/** @typedef {"agent" | "person" | "device"} Whom */

/**
 * @param {ChatModel} model
 * @param {Whom} [first]
 */
export async function openInvite(model, first = "agent") {
  const sheet = openSheet(t("chat.invite"), { className: "invite-sheet" });
  const origin = await publicOrigin();
  let whom = first;
  let withPassword = false;
  let revealed = false;
  /** @type {SVGElement | null} */
  let code = null;
  let coded = "";
  const draw = () => {
    const text = whom === "agent" ? agentText(model, origin) : link(model, origin, whom, withPassword);
    if (whom !== "agent" && coded !== text) {
      coded = text;
      code = null;
      void qrSvg(text, t("chat.invite.qr")).then(drawn => {
        if (coded !== text) return;
        code = drawn;
        draw();
      }, () => undefined);
    }
    const hasPassword = Boolean(model.credentials?.owner_password);
    const choose = (/** @type {Whom} */ next) => () => {
      whom = next;
      revealed = false;
      draw();
    };
    render(html`
      <fieldset class="segments"><legend class="visually-hidden">${t("chat.invite.whom")}</legend>
        ${(/** @type {Whom[]} */ (["agent", "person", "device"])).map(one => html`<label><input type="radio" name="whom" .checked=${one === whom} @change=${choose(one)}><span>${t(`chat.invite.${one}`)}</span></label>`)}
      </fieldset>
      <p>${t(`chat.invite.${whom}.long`)}</p>
      ${isLoopback(origin) ? html`<p class="warn-box">${icon("alert")} <span>${t("chat.invite.loopback")}</span></p>` : nothing}
      ${whom === "agent" ? html`<pre class="invite-text" tabindex="0">${text}</pre>` : html`
        <div class="qr-frame ${revealed ? "" : "covered"}">${code ?? html`<div class="qr-wait"></div>`}
          ${revealed ? nothing : html`<button type="button" class="button" @click=${() => { revealed = true; draw(); }}>${icon("qr")} ${t("chat.invite.reveal")}</button>`}</div>
        ${hasPassword ? html`<label class="check"><input type="checkbox" .checked=${withPassword} @change=${(/** @type {Event} */ event) => {
          withPassword = /** @type {HTMLInputElement} */ (event.target).checked;
          draw();
        }}><span>${t("chat.invite.password")}<small>${t("chat.invite.password.long")}</small></span></label>` : nothing}`}
      <div class="buttons end">${copyButton(text, { label: whom === "agent" ? t("chat.invite.copy_text") : t("chat.invite.copy_link"), primary: true })}</div>`, sheet.body);
  };
  draw();
}

/**
 * @param {ChatModel} model
 * @param {string} origin
 * @param {Whom} whom
 * @param {boolean} withPassword
 */
function link(model, origin, whom, withPassword) {
  const { credentials, channel } = model;
  const { token, identity_key, callsign, owner_password } = credentials ?? {};
  const mine = whom === "device" ? { identity_key, callsign: callsign ?? channel.me } : {};
  const secrets = { token: channel.is_band ? undefined : token, ...mine, ...(withPassword ? { owner_password } : {}) };
  return `${origin}/remote/${encodeURIComponent(channel.id)}${makeFragment(secrets)}`;
}

/**
 * @param {ChatModel} model
 * @param {string} origin
 */
function agentText(model, origin) {
  const { credentials, channel } = model;
  const key = channel.is_band ? "chat.invite.agent.band_text" : channel.require_identity ? "chat.invite.agent.identity_text" : "chat.invite.agent.text";
  return t(key, { origin, channel: channel.id, token: credentials?.token ?? "", me: channel.me });
}

/** The address under which others reach the hub, if the hub knows a better one than the one in use here. */
async function publicOrigin() {
  if (!isLoopback(location.origin)) return location.origin;
  const info = await request("GET", "/api/v1/info", { timeout_ms: 3000 }).catch(() => null);
  return typeof info?.origin === "string" && info.origin ? info.origin.replace(/\/$/u, "") : location.origin;
}
