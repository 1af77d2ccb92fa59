// An opened row: settings and sessions of a channel, and what an operator can do with them. No messages, no link into it.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn, ago, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { word } from "../lib/word.js";

/** @typedef {import("./monitor.js").Channel} Channel */
/** @typedef {import("./monitor.js").Session} Session */
/**
 * @typedef {object} Deeds What an operator can do.
 * @property {(channel: Channel, session: Session) => void} endSession
 * @property {(wish: import("./ban.js").Wish) => void} ban
 * @property {(channel: Channel) => void} remove
 * @property {(id: string) => Promise<Channel | null | undefined>} lookUp null if there is none, undefined if it failed
 */

/**
 * @param {Channel} channel
 * @param {Deeds} deeds
 */
export function detail(channel, deeds) {
  return html`<div class="inside">
    <dl class="facts">
      ${fact("retention", word(`admin.retention.${channel.retention}`, channel.retention))}
      ${fact("durability", word(`admin.durability.${channel.durability}`, channel.durability))}
      ${fact("trust_mode", word(`admin.trust.${channel.trust_mode}`, channel.trust_mode))}
      ${fact("dm_visibility", word(`admin.dm.${channel.dm_visibility}`, channel.dm_visibility))}
      ${fact("created_at", formatTime(new Date(channel.created_at)))}
      ${fact("first_joined_at", channel.first_joined_at === null ? t("admin.never") : formatTime(new Date(channel.first_joined_at)))}
    </dl>
    <h3>${t("admin.sessions")}</h3>
    ${channel.is_unloaded ? html`<p class="muted">${t("admin.loading")}</p>` : channel.sessions.length === 0
      ? html`<p class="muted">${t("admin.sessions.none")}</p>`
      : html`<ul class="rows">${repeat(channel.sessions, session => session.idx, session => row(channel, session, deeds))}</ul>`}
    ${channel.is_band ? html`<p class="muted">${t("admin.band.kept")}</p>` : html`
      <p class="foot"><button type="button" class="button danger" @click=${() => deeds.remove(channel)}>${t("admin.delete")}</button></p>`}
  </div>`;
}

/**
 * @param {string} name
 * @param {string} value
 */
const fact = (name, value) => html`<div><dt>${t(`admin.fact.${name}`)}</dt><dd>${value}</dd></div>`;

/**
 * @param {Channel} channel
 * @param {Session} session
 * @param {Deeds} deeds
 */
function row(channel, session, deeds) {
  const callsign = session.callsign;
  const banHere = { kind: /** @type {const} */ ("here"), name: callsign, channel: channel.id };
  return html`<li>
    <div class="who">
      <p><strong>${visible(callsign)}</strong> <span class="muted">#${session.idx}</span>
        <span class="badge ${session.is_waiting ? "ok" : ""}">${session.is_waiting ? t("admin.waiting") : t("admin.away")}</span></p>
      <p class="muted">
        ${t("admin.seen", { time: ago(Date.now() - session.seen_seconds_ago * 1000) })} ·
        ${t("admin.joined", { time: ago(new Date(session.joined_at)) })} ·
        ${tn("admin.consumers", session.consumer_count)}
        ${session.held_count === 0 ? nothing : html` · ${tn("admin.held", session.held_count)}`}
      </p>
    </div>
    <div class="deeds">
      <button type="button" class="button small" aria-label=${`${t("admin.end")}: ${visible(callsign)}`} @click=${() => deeds.endSession(channel, session)}>${t("admin.end")}</button>
      <button type="button" class="button small" aria-label=${`${t("admin.ban")}: ${visible(callsign)}`} @click=${() => deeds.ban(banHere)}>${t("admin.ban")}</button>
    </div>
  </li>`;
}
