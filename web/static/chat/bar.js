// The bar of the chat: which channel, the state of the connection, and the ways to the panels.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { saveText } from "../lib/save.js";
import { visible } from "../lib/visible.js";
import { icon, labelled } from "./icon.js";
import { openMenu } from "./menu.js";

export class Bar {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {{page: import("./chat-page.js").ChatPage, title: string, status: HTMLElement, rejoin: () => void}} context
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    this.element = document.createElement("header");
    this.element.className = "bar";
  }

  draw() {
    const { channel, roster, abilities } = this.model;
    const { page, title, status } = this.context;
    const online = roster.filter(member => member.online).length;
    const open = page.panels?.open?.name;
    render(html`
      <div class="bar-title"><h1><bdi>${visible(title)}</bdi></h1>
        <p>${status}${channel.me ? html`<span class="bar-me">${t("chat.bar.me")} <b><bdi>${visible(channel.me)}</bdi></b></span>` : nothing}</p></div>
      <div class="bar-buttons">
        <button type="button" class="icon-button" aria-pressed=${open === "search"} title=${t("chat.search")} @click=${() => page.search()}>${labelled("search", t("chat.search"))}</button>
        ${abilities.roster ? html`<button type="button" class="icon-button with-count" aria-pressed=${open === "roster"} title=${t("chat.roster")} @click=${() => page.showRoster()}>
          ${icon("people")}<span aria-hidden="true">${online || ""}</span><span class="visually-hidden">${t("chat.roster")}: ${tn("chat.roster.online", online)}</span></button>` : nothing}
        <button type="button" class="icon-button" aria-haspopup="menu" aria-expanded="false" title=${t("chat.menu")} @click=${(/** @type {Event} */ event) => this.#menu(/** @type {HTMLElement} */ (event.currentTarget))}>${labelled("more", t("chat.menu"))}</button>
      </div>`, this.element);
  }

  /** @param {HTMLElement} anchor */
  #menu(anchor) {
    const { model, context: { page } } = this;
    const narrow = matchMedia("(max-width: 40rem)").matches;
    const name = `${model.channel.id || "chat"}-${new Date().toISOString().slice(0, 10)}`;
    const saveLog = (/** @type {"text" | "json"} */ format) => saveText(`${name}.${format === "text" ? "txt" : "json"}`, model.exportLog(format), format === "text" ? "text/plain;charset=utf-8" : "application/json");
    openMenu(anchor, t("chat.menu"), [
      ...model.channel.is_band || !model.abilities.roster ? [] : [{ icon: "qr", text: t("chat.invite"), act: async () => void (await import("./invite.js")).openInvite(model) }],
      { icon: "download", text: t("chat.export.text"), act: () => saveLog("text") },
      { icon: "download", text: t("chat.export.json"), act: () => saveLog("json") },
      ...model.abilities.roster ? [] : [{ icon: "edit", text: t("room.rename"), act: () => this.context.rejoin() }],
      { icon: "settings", text: t("chat.settings"), act: async () => (await import("./settings.js")).openSettings(model, () => page.applySettings()) },
      { icon: "help", text: t("chat.help"), act: async () => (await import("./help.js")).openHelp() },
      ...narrow && document.getElementById("settings") ? [{ icon: "edit", text: t("header.settings"), act: () => document.getElementById("settings")?.showPopover() }] : [],
      ...narrow ? [{ icon: "tab", text: t("header.start"), href: "/start" }, { icon: "lock", text: t("header.account"), href: "/account" }] : [],
      { icon: "tab", text: t("chat.channels"), href: "/remote" },
      null,
      { icon: "exit", text: t("chat.end"), danger: true, act: async () => (await import("./end.js")).openEnd(model) },
    ]);
  }
}
