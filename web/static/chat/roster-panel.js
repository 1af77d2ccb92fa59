// Who is on the channel, who can be reached and how, and who has not read for long.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn, ago, has, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { formatFull, hue } from "./format.js";
import { icon, labelled } from "./icon.js";

/** @typedef {import("./types.js").Member} Member */

/** Unread for this long means that nobody reads. */
const deaf_ms = 10 * 60_000;

export class RosterPanel {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {{writeTo: (callsign: string) => void, invite: () => unknown}} context
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    this.element = document.createElement("div");
    this.element.className = "panel-content roster";
  }

  draw() {
    const { roster, channel } = this.model;
    const online = roster.filter(member => member.online);
    const away = roster.filter(member => !member.online);
    render(html`
      ${this.#trust()}
      <h3>${tn("chat.roster.online", online.length)}</h3>
      <ul>${repeat(online, member => member.callsign, member => this.#member(member))}</ul>
      ${away.length ? html`<h3>${tn("chat.roster.away", away.length)}</h3><ul>${repeat(away, member => member.callsign, member => this.#member(member))}</ul>` : nothing}
      <div class="panel-foot">${channel.is_band ? nothing : html`<button type="button" @click=${() => this.context.invite()}>${icon("qr")} ${t("chat.invite")}</button>`}</div>`, this.element);
  }

  /** What the channel's trust setting means for what one writes. */
  #trust() {
    const { channel } = this.model;
    if (!channel.trust_posture) return nothing;
    const good = channel.trust_posture === "trusted-authorized";
    return html`<p class=${good ? "trust good" : "trust"}>${icon(good ? "verified" : "alert")} <span><b>${t(`chat.trust.${channel.trust_posture}`)}</b> ${t(`chat.trust.${channel.trust_posture}.long`)}</span></p>`;
  }

  /** @param {Member} member */
  #member(member) {
    const name = visible(member.callsign);
    const waits = member.oldest_unread_at !== null && Date.now() - member.oldest_unread_at > deaf_ms && (member.unread ?? 0) > 0;
    return html`<li class=${member.online ? "member" : "member off"}>
      <span class="avatar hue-${hue(member.callsign)}" aria-hidden="true">${name.charAt(0).toUpperCase()}</span>
      <div class="member-text">
        <p class="member-name"><bdi>${name}</bdi>${member.me ? html` <small>${t("chat.you_small")}</small>` : nothing}
          ${member.verified ? html`<span class="verified" title=${t("chat.verified.long")}>${labelled("verified", t("chat.verified"))}</span>` : nothing}</p>
        <p class="member-facts"><span class="reach reach-${member.online ? member.reach ?? "unknown" : "off"}"></span>${this.#facts(member, waits)}</p>
        ${this.#says(member)}
        ${waits ? html`<p class="member-waits">${icon("clock")} ${t("chat.roster.deaf", { count: member.unread ?? 0, ago: ago(/** @type {number} */ (member.oldest_unread_at)) })}</p>` : nothing}
      </div>
      ${member.me || !this.model.abilities.direct ? nothing : html`<button type="button" class="icon-button" title=${t("chat.roster.write")} @click=${() => this.context.writeTo(member.callsign)}>${labelled("edit", t("chat.roster.write_to", { name }))}</button>`}
    </li>`;
  }

  /** The state that it reports, and the tasks that it has. @param {Member} member */
  #says({ callsign, online, state, note, until }) {
    const held = this.model.tasks.filter(task => task.state === "held" && task.holder === callsign).length;
    const overdue = until !== null && until < Date.now();
    const says = [];
    if (online && state) {
      const word = has(`chat.member.${state}`) ? t(`chat.member.${state}`) : visible(state);
      says.push(html`<b>${word}</b>${note ? html` <bdi>${visible(note)}</bdi>` : nothing}${until === null ? nothing
        : html` <span class=${overdue ? "bad" : ""}>${t(overdue ? "chat.member.overdue" : "chat.member.until", { time: formatTime(until) })}</span>`}`);
    }
    if (held) says.push(html`${says.length ? " · " : nothing}${tn("chat.member.holds", held)}`);
    return says.length ? html`<p class="member-facts member-says">${says}</p>` : nothing;
  }

  /**
   * @param {Member} member
   * @param {boolean} waits
   */
  #facts(member, waits) {
    const facts = [member.online ? t(`chat.reach.${member.reach ?? "unknown"}`) : t("chat.reach.off")];
    if (member.seen_at !== null && !(member.online && member.reach === "stream")) facts.push(t("chat.roster.seen", { ago: ago(member.seen_at) }));
    if (member.unread && !member.me && !waits) facts.push(tn("chat.roster.unread", member.unread));
    return html`<span title=${member.seen_at === null ? "" : formatFull(member.seen_at)}>${facts.join(" · ")}</span>`;
  }
}
