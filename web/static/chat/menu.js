// A menu beside a button, or at the lower edge of a narrow screen. Arrow keys move, Escape and a tap beside it close it.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { icon } from "./icon.js";

/**
 * @typedef {object} Choice
 * @property {string} icon
 * @property {string} text
 * @property {string} [detail]
 * @property {boolean} [danger]
 * @property {string} [href] a link instead of an action
 * @property {() => unknown} [act]
 */

/**
 * @param {HTMLElement} anchor
 * @param {string} label
 * @param {(Choice | null)[]} choices null draws a line
 */
export function openMenu(anchor, label, choices) {
  const menu = document.createElement("div");
  menu.className = "menu";
  menu.popover = "auto";
  menu.setAttribute("role", "menu");
  menu.setAttribute("aria-label", label);
  const act = (/** @type {Choice} */ choice) => {
    menu.hidePopover();
    choice.act?.();
  };
  render(html`${choices.map(choice => {
    if (!choice) return html`<hr role="separator">`;
    const content = html`${icon(choice.icon)}<span>${choice.text}${choice.detail ? html`<small>${choice.detail}</small>` : nothing}</span>`;
    return choice.href
      ? html`<a role="menuitem" tabindex="-1" href=${choice.href}>${content}</a>`
      : html`<button type="button" role="menuitem" tabindex="-1" class=${choice.danger ? "danger-text" : ""} @click=${() => act(choice)}>${content}</button>`;
  })}`, menu);
  menu.addEventListener("keydown", event => move(menu, event));
  menu.addEventListener("toggle", event => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    anchor.setAttribute("aria-expanded", "false");
    const inside = menu.contains(document.activeElement) || document.activeElement === document.body;
    menu.remove();
    if (inside && anchor.isConnected && !document.querySelector("dialog[open]")) anchor.focus({ preventScroll: true });
  });
  document.body.append(menu);
  menu.showPopover();
  anchor.setAttribute("aria-expanded", "true");
  place(menu, anchor);
  items(menu)[0]?.focus();
}

/** @param {HTMLElement} menu */
const items = menu => /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("[role=menuitem]")]);

/**
 * @param {HTMLElement} menu
 * @param {KeyboardEvent} event
 */
function move(menu, event) {
  const all = items(menu);
  const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: (now + 1) % all.length, ArrowUp: (now - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
  if (event.key === "Tab") return menu.hidePopover();
  if (to === undefined) return;
  event.preventDefault();
  all[to].focus();
}

/**
 * Beside the anchor, inside the window. On narrow screens the style sheet places it.
 * @param {HTMLElement} menu
 * @param {HTMLElement} anchor
 */
function place(menu, anchor) {
  if (matchMedia("(max-width: 40rem)").matches) return;
  const at = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - size.width, innerWidth - size.width - 8));
  const below = at.bottom + 4 + size.height <= innerHeight - 8;
  const top = below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4);
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty("top", `${top}px`);
}
