// Whom a message goes to: all, or one member.
import { html } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon } from "./icon.js";

const wide = matchMedia("(min-width: 60rem)");

export class Recipients {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {() => void} changed
   */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.to = "all";
  }

  /** `#2 `, as agents address members, where there is room. @param {import("./types.js").Member | undefined} member */
  #number(member) {
    return member?.idx && wide.matches ? `#${member.idx} ` : "";
  }

  /** A native list: it is a wheel on phones and needs no keyboard handling of ours. */
  view() {
    const others = this.model.roster.filter(member => !member.me).map(member => member.callsign);
    if (this.to !== "all" && !others.includes(this.to)) others.push(this.to);
    const online = new Map(this.model.roster.map(member => [member.callsign, member]));
    return html`<label class=${this.to === "all" ? "select recipient" : "select recipient direct"} title=${t("chat.to")}>
      ${icon(this.to === "all" ? "all" : "lock")}<span class="visually-hidden">${t("chat.to")}</span>
      <span class="select-text" aria-hidden="true">${this.to === "all" ? t("chat.to.all") : visible(this.to)}</span>
      <select .value=${live(this.to)} @change=${(/** @type {Event} */ event) => {
        this.to = /** @type {HTMLSelectElement} */ (event.target).value;
        this.changed();
      }}>
        <option value="all" ?selected=${this.to === "all"}>${t("chat.to.all")}</option>
        ${others.map(name => html`<option value=${name} ?selected=${this.to === name}>${this.#number(online.get(name))}${visible(name)}${online.get(name)?.online ? "" : ` (${t("chat.offline_short")})`}</option>`)}
      </select>${icon("down")}</label>`;
  }
}
