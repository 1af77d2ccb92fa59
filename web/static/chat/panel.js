// Where the panels are: at the side on wide screens, as a sheet on narrow ones. One is open at a time.
import { t } from "../lib/i18n.js";
import { html, render } from "../vendor/lit-html/lit-html.js";
import { labelled } from "./icon.js";
import { later } from "./later.js";

/** @typedef {{name: string, title: string, element: HTMLElement, draw: () => void}} Panel */

const wide = matchMedia("(min-width: 60rem)");

export class Panels {
  /** @param {() => void} changed after a panel was opened or closed */
  constructor(changed) {
    this.changed = changed;
    this.side = document.createElement("aside");
    this.side.className = "side";
    this.side.hidden = true;
    /** @type {Panel | null} */
    this.open = null;
    /** @type {import("./sheet.js").Sheet | null} */
    this.sheet = null;
    /** @type {HTMLElement | null} */
    this.before = null;
    /** What was at the side before the window became narrow. @type {Panel | null} */
    this.hidden = null;
    wide.addEventListener("change", () => {
      const panel = wide.matches ? this.hidden : this.open;
      const sheet = this.sheet !== null;
      this.close();
      this.hidden = null;
      // A sheet over the log is opened by a tap only, never because the window changed.
      if (!wide.matches) this.hidden = panel;
      else if (panel && !sheet) void this.show(panel);
    });
  }

  static get wide() {
    return wide.matches;
  }

  /** @param {Panel} panel */
  toggle(panel) {
    if (this.open?.name === panel.name) this.close();
    else void this.show(panel);
  }

  /** Shows a panel; a sheet once it is loaded. @param {Panel} panel */
  async show(panel) {
    if (this.open === panel) return panel.draw();
    const before = document.activeElement;
    this.close();
    this.before = before instanceof HTMLElement ? before : null;
    this.open = panel;
    panel.draw();
    if (wide.matches) {
      this.side.hidden = false;
      this.side.setAttribute("aria-label", panel.title);
      const head = document.createElement("header");
      head.className = "sheet-head";
      render(html`<h2>${panel.title}</h2><button type="button" class="icon-button" @click=${() => this.close()}>${labelled("close", t("common.close"))}</button>`, head);
      this.side.replaceChildren(head, panel.element);
    } else await this.#showSheet(panel);
    this.changed();
  }

  /** @param {Panel} panel */
  async #showSheet(panel) {
    const module = await later(import("./sheet.js")).catch(() => null);
    if (this.open !== panel) return;
    if (!module) return this.close();
    this.sheet = module.openSheet(panel.title, { className: "panel-sheet", onClose: () => this.#closed() });
    this.sheet.body.append(panel.element);
  }

  close() {
    if (this.sheet) return this.sheet.close();
    if (!this.open) return;
    const inside = this.side.contains(document.activeElement);
    this.side.hidden = true;
    this.side.replaceChildren();
    this.#closed();
    if (inside && this.before?.isConnected) this.before.focus();
  }

  #closed() {
    this.open = null;
    this.sheet = null;
    this.changed();
  }
}
