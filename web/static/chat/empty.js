// What a channel without messages shows: what to do next.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { icon } from "./icon.js";
import { later } from "./later.js";

/**
 * @param {HTMLElement} place
 * @param {import("./types.js").ChatModel} model
 */
export function drawEmpty(place, model) {
  const { channel, connection, roster, abilities } = model;
  if (connection.state === "joining") {
    render(html`<div class="skeleton" aria-hidden="true"><i></i><i></i><i></i><i></i></div>`, place);
    return;
  }
  // What cannot be done now is not proposed.
  if (!channel.me || connection.state === "ended" || connection.state === "refused") return void render(nothing, place);
  const alone = !roster.some(member => !member.me && member.online);
  const open = async (/** @type {"agent" | "device"} */ whom) => (await later(import("./invite.js"))).openInvite(model, whom);
  const invite = abilities.roster && !channel.is_band;
  render(html`<div class="empty-box">${icon("all")}
    <h2>${t(alone && invite ? "chat.empty.alone" : "chat.empty")}</h2>
    <p>${t(channel.is_band ? "chat.empty.band" : alone && invite ? "chat.empty.alone.long" : "chat.empty.long")}</p>
    ${invite ? html`<div class="buttons"><button type="button" class="button primary" @click=${() => open("agent")}>${icon("copy")} ${t("chat.empty.invite_agent")}</button>
      <button type="button" class="button" @click=${() => open("device")}>${icon("qr")} ${t("chat.empty.invite_device")}</button></div>` : nothing}</div>`, place);
}
