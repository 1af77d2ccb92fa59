// The bar of the chat: which channel, the state of the connection, and the ways to the panels.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon, labelled } from "./icon.js";
import { later } from "./later.js";
import { isOpen } from "./tasks.js";

/** @typedef {{page: import("./chat-page.js").ChatPage, rejoin: () => void}} BarContext */

export class Bar {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {BarContext & {title: string, status: HTMLElement}} context
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    this.element = document.createElement("header");
    this.element.className = "bar";
  }

  draw() {
    const { channel, roster, tasks, abilities } = this.model;
    const { page, title, status } = this.context;
    const online = roster.filter(member => member.online).length;
    const open = page.panels?.open?.name;
    const open_tasks = tasks.filter(isOpen).length;
    render(html`
      <div class="bar-title"><h1><bdi>${visible(title)}</bdi></h1>
        <p>${status}${channel.me ? html`<span class="bar-me">${t("chat.bar.me")} <b><bdi>${visible(channel.me)}</bdi></b></span>` : nothing}</p></div>
      <div class="bar-buttons">
        <button type="button" class="icon-button" aria-pressed=${open === "search"} title=${t("chat.search")} @click=${() => page.search()}>${labelled("search", t("chat.search"))}</button>
        ${open_tasks || open === "board" ? html`<button type="button" class="icon-button with-count" aria-pressed=${open === "board"} title=${t("chat.tasks")} @click=${() => page.showBoard()}>
          ${icon("task")}<span aria-hidden="true">${open_tasks || ""}</span><span class="visually-hidden">${t("chat.tasks")}: ${tn("chat.tasks.open", open_tasks)}</span></button>` : nothing}
        ${abilities.roster ? html`<button type="button" class="icon-button with-count" aria-pressed=${open === "roster"} title=${t("chat.roster")} @click=${() => page.showRoster()}>
          ${icon("people")}<span aria-hidden="true">${online || ""}</span><span class="visually-hidden">${t("chat.roster")}: ${tn("chat.roster.online", online)}</span></button>` : nothing}
        <button type="button" class="icon-button" aria-haspopup="menu" aria-expanded="false" title=${t("chat.menu")} @click=${(/** @type {Event} */ event) => this.#menu(/** @type {HTMLElement} */ (event.currentTarget))}>${labelled("more", t("chat.menu"))}</button>
      </div>`, this.element);
  }

  /** @param {HTMLElement} anchor */
  async #menu(anchor) {
    const { openBarMenu } = await later(import("./bar-menu.js"));
    openBarMenu(anchor, this.model, this.context);
  }
}
