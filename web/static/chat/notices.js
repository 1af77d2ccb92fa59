// Lasting facts about the channel and the connection that a reader must know, each until it is closed.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { lasting, ofTab } from "../lib/storage.js";
import { icon, labelled } from "./icon.js";

/** Key of the device's storage: the name under which it was on a channel. */
export const nameKey = (/** @type {string} */ channel) => `chat-name ${channel}`;

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
    this.before = lasting.get(nameKey(model.channel.id));
  }

  draw() {
    const { channel } = this.model;
    if (channel.me) lasting.set(nameKey(channel.id), channel.me);
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
