// The text of a message as nodes: plain with links, or with markdown once its parser is loaded. What would take too long stays plain.
import { load } from "../lib/load.js";
import { addStyles } from "./later.js";
import { appendLinked } from "./links.js";

/** @type {typeof import("./markdown.js").appendMarkdown | null} */
let append = null;
/** @type {Promise<void> | null} */
let loading = null;

const marks = /[*_`~]|\]\(|^ {0,3}(?:#{1,6} |>|[-+] |\d{1,9}[.)] |-{3,}\s*$)|^\|?[^\n|]*\|[^\n]*\n\|?[ :|-]+$/mu;
const maxMarks = 600;
const maxBrackets = 300;
const maxDepth = 12;

/**
 * Whether the text has marks of markdown and can be parsed in bounded time.
 * @param {string} text
 */
export function hasMarkdown(text) {
  return marks.test(text) && !expensive(text);
}

/**
 * Nesting overflows the parser's stack, and very many delimiters take it quadratic time.
 * @param {string} text
 */
function expensive(text) {
  if ((text.match(/[*_~]/gu)?.length ?? 0) > maxMarks || (text.match(/[[\]]/gu)?.length ?? 0) > maxBrackets) return true;
  if ((text.match(/[<`]/gu)?.length ?? 0) > maxMarks) return true;
  return text.split("\n").some(line => (line.match(/^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*)+/u)?.[0].match(/>|[-+*]|\d+[.)]/gu)?.length ?? 0) > maxDepth);
}

/** Loads the parser once. It is not needed for plain text. */
export function loadMarkdown() {
  loading ??= load(Promise.all([import("./markdown.js"), addStyles("chat-markdown")])).then(([{ appendMarkdown }]) => { append = appendMarkdown; }).catch(error => {
    loading = null;
    throw error;
  });
  return loading;
}

export const markdownLoaded = () => append !== null;

/**
 * The text as nodes: with markdown if the parser is loaded, else as plain text with links.
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function textNodes(text) {
  const all = document.createDocumentFragment();
  if (append && hasMarkdown(text)) {
    try {
      append(all, text);
      return all;
    } catch {
      all.replaceChildren();
    }
  }
  const paragraph = document.createElement("p");
  paragraph.className = "plain";
  appendLinked(paragraph, text);
  all.append(paragraph);
  return all;
}
