// Lasting facts about the channel and the connection that a reader must know, each until it is closed.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { lasting, ofTab } from "../lib/storage.js";
import { icon, labelled } from "./icon.js";
import { DEVICE_KEYS } from "./keys.js";

export class Notices {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {{rejoin: () => void}} context
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    this.element = document.createElement("div");
    this.element.className = "notices";
    // A device that was this member before is met by its own session, not by somebody else's.
    this.before = lasting.get(DEVICE_KEYS.name(model.channel.id));
    /** The name that was written to the device: only once, because the device may forget it later. */
    this.kept = "";
  }

  draw() {
    const { channel } = this.model;
    if (channel.me && channel.me !== this.kept) {
      this.kept = channel.me;
      lasting.set(DEVICE_KEYS.name(channel.id), channel.me);
    }
    const strange = channel.collision_warning && !this.model.credentials?.identity_key && this.before !== channel.me;
    render(html`
      ${isSecureContext ? nothing : this.#notice("http", "lock", nothing)}
      ${channel.is_band ? this.#notice("band", "all", nothing) : nothing}
      ${strange ? this.#notice("collision", "people", html`<button type="button" class="button small" @click=${() => this.context.rejoin()}>${t("chat.notice.collision.other")}</button>`) : nothing}`, this.element);
  }

  /**
   * @param {string} name
   * @param {string} picture
   * @param {unknown} action
   */
  #notice(name, picture, action) {
    const key = `chat-notice ${name} ${this.model.channel.id}`;
    if (ofTab.get(key)) return nothing;
    return html`<div class="chat-notice">${icon(picture)}<p>${t(`chat.notice.${name}`)}</p>
      <button type="button" class="icon-button" @click=${() => {
        ofTab.set(key, "closed");
        this.draw();
      }}>${labelled("close", t("chat.notice.close"))}</button>${action}</div>`;
  }
}
