// What the others report to be doing at the moment: one line for each, under the log.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { excerpt } from "./message.js";

/** Lines that are shown at once; the rest is a number. */
const maxLines = 3;

export class StatusLines {
  /** @param {import("./types.js").ChatModel} model */
  constructor(model) {
    this.model = model;
    this.element = document.createElement("div");
    this.element.className = "statuses";
    this.element.setAttribute("aria-label", t("chat.statuses"));
    this.element.setAttribute("role", "group");
  }

  draw() {
    const all = this.model.statuses;
    this.element.hidden = all.length === 0;
    const shown = all.slice(-maxLines);
    render(html`${shown.map(status => html`<p class="status">
      <span class="dots" aria-hidden="true"><i></i><i></i><i></i></span><b><bdi>${visible(status.from)}</bdi></b> <span dir="auto">${excerpt(status.text)}</span></p>`)}
      ${all.length > maxLines ? html`<p class="status muted">${t("chat.statuses.more", { count: all.length - maxLines })}</p>` : ""}`, this.element);
  }
}
