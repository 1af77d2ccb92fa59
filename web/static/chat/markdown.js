// Turns markdown into nodes. It never makes HTML from text and never loads an image. Loaded when a message has marks of markdown.
import { Lexer, Tokenizer } from "../vendor/marked/marked.js";
import { appendLinked, linkNode, safeUrl } from "./links.js";
import { visible } from "../lib/visible.js";
import { codeBlock } from "./code-block.js";

/** @typedef {{type: string, raw: string, text?: string, tokens?: Token[], [more: string]: any}} Token */

const maxDepth = 12;

/** Bare addresses are found by links.js, in linear time. */
class Plain extends Tokenizer {
  url() { return undefined; }
}

/**
 * @param {Node} parent
 * @param {string} text one that `hasMarkdown` lets pass: others may take long
 */
export function appendMarkdown(parent, text) {
  blocks(parent, new Lexer({ gfm: true, breaks: true, tokenizer: new Plain() }).lex(text), 0);
}

/**
 * @param {Node} parent
 * @param {Token[]} tokens
 * @param {number} depth
 */
function blocks(parent, tokens, depth) {
  for (const token of tokens) {
    if (depth > maxDepth) appendLinked(parent, token.raw);
    else block(parent, token, depth + 1);
  }
}

/**
 * @param {Node} parent
 * @param {Token} token
 * @param {number} depth
 */
function block(parent, token, depth) {
  switch (token.type) {
    case "space": return;
    case "hr": return void parent.appendChild(document.createElement("hr"));
    case "code": return void parent.appendChild(codeBlock(visible(token.text ?? ""), visible(token.lang ?? "")));
    case "blockquote": return blocks(add(parent, "blockquote"), token.tokens ?? [], depth);
    case "list": return list(parent, token, depth);
    case "table": return table(parent, token, depth);
    // Headings of a message are not headings of the page.
    case "heading": return inlines(add(parent, "p", `heading h${Math.min(token.depth, 4)}`), token.tokens ?? [], depth);
    case "paragraph": return inlines(add(parent, "p"), token.tokens ?? [], depth);
    case "text": return inlines(parent, token.tokens ?? [token], depth);
    default: return appendLinked(add(parent, "p", "plain"), token.raw.replace(/\n+$/u, ""));
  }
}

/**
 * @param {Node} parent
 * @param {Token} token
 * @param {number} depth
 */
function list(parent, token, depth) {
  const all = add(parent, token.ordered ? "ol" : "ul");
  const start = Number(token.start);
  if (all instanceof HTMLOListElement && Number.isSafeInteger(start) && start >= 0 && start < 1e9) all.start = start;
  for (const item of token.items) {
    const line = add(all, "li");
    if (item.task) {
      line.className = "task";
      line.append(item.checked ? "☑ " : "☐ ");
    }
    blocks(line, item.tokens.filter((/** @type {Token} */ part) => part.type !== "checkbox"), depth);
  }
}

/**
 * @param {Node} parent
 * @param {Token} token
 * @param {number} depth
 */
function table(parent, token, depth) {
  const frame = add(parent, "div", "table-frame");
  frame.tabIndex = 0;
  const all = add(frame, "table");
  const head = add(add(all, "thead"), "tr");
  for (const cell of token.header) inlines(add(head, "th"), cell.tokens, depth);
  const body = add(all, "tbody");
  for (const row of token.rows) {
    const line = add(body, "tr");
    for (const cell of row) inlines(add(line, "td"), cell.tokens, depth);
  }
}

/** @type {Record<string, string>} */
const inlineTags = { strong: "strong", em: "em", del: "del" };

/**
 * @param {Node} parent
 * @param {Token[]} tokens
 * @param {number} depth
 */
function inlines(parent, tokens, depth) {
  for (const token of tokens) {
    if (depth > maxDepth) appendLinked(parent, token.raw);
    else inline(parent, token, depth + 1);
  }
}

/**
 * @param {Node} parent
 * @param {Token} token
 * @param {number} depth
 */
function inline(parent, token, depth) {
  const tag = inlineTags[token.type];
  if (tag) return inlines(add(parent, tag), token.tokens ?? [], depth);
  switch (token.type) {
    case "br": return void parent.appendChild(document.createElement("br"));
    case "codespan": return void (add(parent, "code").textContent = visible(token.text ?? ""));
    case "link": return link(parent, token, depth);
    case "image": return image(parent, token);
    case "text": return token.tokens ? inlines(parent, token.tokens, depth) : appendLinked(parent, token.raw);
    case "escape": return appendLinked(parent, token.text ?? token.raw);
    default: return appendLinked(parent, token.raw);
  }
}

/**
 * @param {Node} parent
 * @param {Token} token
 * @param {number} depth
 */
function link(parent, token, depth) {
  const url = safeUrl(token.href);
  if (!url) return appendLinked(parent, token.raw);
  const content = document.createElement("span");
  for (const part of token.tokens ?? []) {
    // A link inside a link would be two targets: only its text is kept.
    if (part.type === "link" || part.type === "text" || part.type === "image") content.append(visible(part.text ?? part.raw));
    else inline(content, part, depth);
  }
  parent.appendChild(linkNode(url, content));
}

/**
 * A picture by address is not loaded: its host would learn who reads what.
 * @param {Node} parent
 * @param {Token} token
 */
function image(parent, token) {
  const url = safeUrl(token.href);
  if (url) parent.appendChild(linkNode(url, visible(token.text || token.href)));
  else appendLinked(parent, token.raw);
}

/**
 * @param {Node} parent
 * @param {string} tag
 * @param {string} [className]
 * @returns {HTMLElement}
 */
function add(parent, tag, className) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  parent.appendChild(node);
  return node;
}
