// Decides which addresses in a message may become links, and shows where each leads.
import { visible } from "../lib/visible.js";

const allowed = new Set(["http:", "https:", "mailto:"]);
const bare = /\b(?:https?:\/\/|mailto:)[^\s<>"'`\u0000-\u001f]+/giu;

/**
 * The address as a URL if it may be followed: http, https or mailto, absolute.
 * @param {string} href
 * @returns {URL | null}
 */
export function safeUrl(href) {
  if (href.length > 2048) return null;
  try {
    const url = new URL(href);
    if (!allowed.has(url.protocol)) return null;
    return url.protocol === "mailto:" || url.host ? url : null;
  } catch {
    return null;
  }
}

/**
 * Where the link leads, unless its text already begins with it. The host is in ASCII (punycode), as the browser resolves it.
 * @param {URL} url
 * @param {string} text
 */
function destination(url, text) {
  if (url.protocol === "mailto:") {
    const address = decodeURIComponent(url.pathname);
    return text.includes(address) ? "" : address;
  }
  const start = `${url.protocol}//${url.host}`;
  const shown = text.trim();
  const next = shown.charAt(start.length);
  return shown.startsWith(start) && (next === "" || "/?#".includes(next)) ? "" : url.host;
}

/**
 * A link that opens in a new tab and sends no referrer; its host follows where the text does not show it.
 * @param {URL} url
 * @param {Node | string} content
 * @returns {HTMLElement}
 */
export function linkNode(url, content) {
  const link = document.createElement("a");
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.append(content);
  let where = "";
  try {
    where = destination(url, link.textContent ?? "");
  } catch {
    where = url.protocol === "mailto:" ? url.pathname : url.host;
  }
  if (!where) return link;
  const both = document.createElement("span");
  const host = document.createElement("span");
  host.className = "link-host";
  host.textContent = visible(` (${where})`);
  both.append(link, host);
  return both;
}

/**
 * Appends a text to a node, with bare addresses as links and invisible characters shown.
 * @param {Node} parent
 * @param {string} text
 */
export function appendLinked(parent, text) {
  let done = 0;
  for (const found of text.matchAll(bare)) {
    // Punctuation at the end belongs to the sentence, a closing bracket only if it was not opened in the address.
    let address = found[0].replace(/[.,;:!?…*_~]+$/u, "");
    while (address.endsWith(")") && address.split(")").length > address.split("(").length) address = address.slice(0, -1);
    const url = safeUrl(address);
    if (!url) continue;
    parent.appendChild(document.createTextNode(visible(text.slice(done, found.index))));
    parent.appendChild(linkNode(url, visible(address)));
    done = found.index + address.length;
  }
  if (done < text.length) parent.appendChild(document.createTextNode(visible(text.slice(done))));
}
