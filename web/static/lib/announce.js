// Announcements for screen readers: a polite live region that is not visible.

/** @type {HTMLElement | undefined} */
let region;

/**
 * Has a screen reader say a text once, without moving the focus.
 *
 * @param {string} text
 */
export function announce(text) {
  if (!region?.isConnected) {
    region = document.createElement("div");
    region.className = "visually-hidden";
    region.setAttribute("aria-live", "polite");
    region.setAttribute("role", "status");
  }
  // While a modal dialog is open, screen readers ignore everything outside it.
  const place = document.querySelector("dialog[open]:modal") ?? document.body;
  if (region.parentElement !== place) place.append(region);
  const line = document.createElement("p");
  line.textContent = text;
  region.replaceChildren(line);
}
