// Asks for the name and the password of a room.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon } from "../chat/icon.js";
import { problemText } from "../chat/problem-text.js";

/** Longest name, in characters. */
const MAX_NAME = 30;

export class RoomForm {
  /**
   * @param {HTMLElement} root
   * @param {{title: string, name: string, password: string, problem: import("../chat/types.js").Problem | null}} known
   * @param {(name: string, password: string) => void} submit
   */
  constructor(root, { title, name, password, problem }, submit) {
    this.place = document.createElement("div");
    this.place.className = "gate-place";
    root.replaceChildren(this.place);
    const why = problem ? (problem.status === 401 ? t("room.wrong") : problemText(problem)) : "";
    const send = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
      const chosen = [...String(data.get("name") ?? "").trim()].slice(0, MAX_NAME).join("");
      if (chosen) submit(chosen, String(data.get("password") ?? ""));
    };
    render(html`<div class="gate"><form id="gate" class="card gate-card" @submit=${send}>
      <p class="gate-kind">${icon("people")} ${t("room.title")}</p>
      <h1><bdi>${visible(title)}</bdi></h1>
      <div class="field"><label class="label" for="name">${t("room.name")}</label>
        <input id="name" name="name" maxlength=${MAX_NAME * 2} autocomplete="nickname" required .defaultValue=${name}>
        <span class="hint">${t("room.name.hint")}</span></div>
      <div class="field"><label class="label" for="password">${t("room.password")}</label>
        <input id="password" name="password" type="password" autocomplete="off" required .defaultValue=${password} aria-invalid=${why ? "true" : "false"} aria-describedby="why">
        <span class="error" id="why" role=${why ? "alert" : nothing}>${why || nothing}</span></div>
      <div class="buttons"><button class="button primary">${t("chat.join")}</button></div></form></div>`, this.place);
    if (problem || !matchMedia("(pointer: coarse)").matches) /** @type {HTMLElement | null} */ (this.place.querySelector(name ? "#password" : "#name"))?.focus();
  }

  remove() {
    this.place.remove();
  }
}
