// A message: who, when, to whom, its text and files, and what became of it. The text is made into nodes once.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { later } from "./later.js";
import { visible } from "../lib/visible.js";
import { formatClock, formatFull, hue } from "./format.js";
import { textNodes, hasMarkdown, loadMarkdown, markdownLoaded } from "./message-text.js";
import { tickView } from "./ticks.js";
import { icon, labelled } from "./icon.js";

/** @typedef {import("./types.js").MessageEntry} MessageEntry */
/** @typedef {import("./item.js").ItemContext} ItemContext */

/** Shows a file; null until it is loaded. @type {typeof import("./attachments-out.js").attachmentView | null} */
let showFile = null;

/**
 * What only some messages have is loaded when the first of them is shown.
 * @typedef {(entry: MessageEntry, context: ItemContext) => unknown} View
 */
/** @type {Map<string, View>} */
const views = new Map();

/**
 * @param {string} name
 * @param {() => Promise<View>} load_view
 * @param {MessageEntry} entry
 * @param {ItemContext} context
 */
function lateView(name, load_view, entry, context) {
  const view = views.get(name);
  if (view) return view(entry, context);
  void load_view().then(found => {
    if (views.has(name)) return;
    views.set(name, found);
    context.drawLate();
  }, () => undefined);
  return nothing;
}

/** Suggested replies. */
const approval = () => later(import("./approvals-view.js")).then(({ approvalView }) => approvalView);
/** What a message wants, or did to a task. */
const task = () => later(import("./task-view.js")).then(({ taskOfMessage }) => taskOfMessage);

/** Text and files as nodes.
 * @param {MessageEntry} entry
 * @param {ItemContext} context
 */
export function messageBody(entry, context) {
  const { message } = entry;
  const body = document.createElement("div");
  body.className = "body";
  if (message.text) {
    const text = document.createElement("div");
    text.className = "text";
    text.dir = "auto";
    text.append(textNodes(message.text));
    if (hasMarkdown(message.text) && !markdownLoaded()) {
      void loadMarkdown().then(() => text.replaceChildren(textNodes(message.text)), () => undefined);
    }
    body.append(text);
  }
  if (message.attachments?.length) {
    body.append(filesView(entry, message.attachments, context));
  }
  return body;
}

/**
 * The files of a message; until what shows files is loaded, their places.
 * @param {MessageEntry} entry
 * @param {NonNullable<MessageEntry["message"]["attachments"]>} attachments
 * @param {ItemContext} context
 */
function filesView({ id }, attachments, context) {
  const files = document.createElement("div");
  files.className = "files";
  const fill = (/** @type {typeof import("./attachments-out.js").attachmentView} */ view) => {
    // A message that is still on its way has no id to load its files by: their places are kept.
    files.replaceChildren(...attachments.map(file => view({ ...file, filename: file.filename ?? undefined }, id === null ? null : () => context.model.attachment(id, file.n))));
  };
  if (showFile) fill(showFile);
  else {
    files.append(...attachments.map(file => {
      const place = document.createElement("div");
      place.className = file.mime.startsWith("image/") ? "picture loading" : "file";
      return place;
    }));
    void later(import("./attachments-out.js")).then(({ attachmentView }) => fill(showFile = attachmentView), () => undefined);
  }
  return files;
}

/**
 * @param {MessageEntry} entry
 * @param {HTMLElement} body
 * @param {boolean} continued the author is the one of the message above
 * @param {ItemContext} context
 */
export function messageView(entry, body, continued, context) {
  const { message } = entry;
  const name = visible(message.display ?? message.from);
  return html`<article aria-label=${articleName(entry, name)}>
    ${entry.mine ? nothing : html`<span class="avatar hue-${hue(message.display ?? message.from)}" aria-hidden="true">${continued ? "" : initial(name)}</span>`}
    <div class="bubble">
      <header class=${continued ? "visually-hidden" : "by"}>
        <h2><bdi>${entry.mine ? t("chat.you") : name}</bdi></h2>
        ${message.verified ? html`<span class="verified" title=${t("chat.verified.long")}>${labelled("verified", t("chat.verified"))}</span>` : nothing}
        ${toView(entry, context)}
        <time datetime=${new Date(message.at).toISOString()} title=${formatFull(message.at)}>${formatClock(message.at)}</time>
      </header>
      ${marksView(entry, context)}
      ${quoteView(entry, context)}
      ${body}
      ${(message.wants || message.state) && context.model.abilities.tasks ? lateView("task", task, entry, context) : nothing}
      ${entry.approval ? lateView("approval", approval, entry, context) : nothing}
      ${entry.mine ? tickView(entry, context) : nothing}
    </div>
    ${entry.id === null ? nothing : actionsView(entry, name, context)}
  </article>`;
}

/** @param {string} name */
const initial = name => [...name.replace(/^[^\p{L}\p{N}]+/u, "")][0]?.toUpperCase() ?? "?";

/**
 * @param {MessageEntry} entry
 * @param {string} name
 */
function articleName(entry, name) {
  return t(entry.mine ? "chat.message.mine" : "chat.message.of", { name, time: formatClock(entry.message.at) });
}

/**
 * @param {MessageEntry} entry
 * @param {ItemContext} context
 */
function toView(entry, context) {
  const { to } = entry.message;
  if (to === "all") return nothing;
  const whom = to === context.model.channel.me ? t("chat.to.you") : html`<bdi>${visible(to)}</bdi>`;
  return html`<span class="to">${icon("lock")}<span class="visually-hidden">${t("chat.to.direct")}</span> → ${whom}</span>`;
}

/**
 * Priority and thread.
 * @param {MessageEntry} entry
 * @param {ItemContext} context
 */
function marksView(entry, context) {
  const { priority, thread } = entry.message;
  const shown = priority && priority !== "default";
  if (!shown && !thread) return nothing;
  return html`<div class="marks">
    ${shown ? html`<span class="priority">${icon(priority === "high" || priority === "urgent" ? "alert" : "flag")} ${t(`chat.priority.${priority}`)}</span>` : nothing}
    ${thread ? html`<button type="button" class="thread" @click=${() => context.showThread(thread)} title=${t("chat.thread.show")}>${icon("thread")} <bdi>${visible(thread)}</bdi></button>` : nothing}
  </div>`;
}

/**
 * The beginning of the message that is answered, which leads to it.
 * @param {MessageEntry} entry
 * @param {ItemContext} context
 */
function quoteView(entry, context) {
  const id = entry.message.reply_to;
  if (!id) return nothing;
  const other = context.find(id);
  if (!other) return html`<p class="quote gone">${icon("reply")} ${t("chat.quote.gone")}</p>`;
  return html`<button type="button" class="quote" @click=${() => context.reveal(id)}>
    ${icon("reply")} <span class="visually-hidden">${t("chat.quote.of")}</span>
    <b><bdi>${other.mine ? t("chat.you") : visible(other.message.display ?? other.message.from)}</bdi></b>
    <span class="quote-text">${excerpt(other.message.text) || t("chat.quote.files")}</span>
  </button>`;
}

/** @param {string} text */
export const excerpt = text => visible(text.slice(0, 200).replace(/\*\*|~~|`+|^#+ /gmu, "")).replace(/\s+/gu, " ").trim();

/**
 * @param {MessageEntry} entry
 * @param {string} name
 * @param {ItemContext} context
 */
function actionsView(entry, name, context) {
  const about = t("chat.message.of", { name, time: formatClock(entry.message.at) });
  return html`<div class="actions">
    ${context.model.abilities.replies ? html`<button type="button" class="icon-button" title=${t("chat.reply")} @click=${() => context.replyTo(entry)}>${labelled("reply", `${t("chat.reply")}: ${about}`)}</button>` : nothing}
    <button type="button" class="icon-button" aria-haspopup="menu" title=${t("chat.more")} @click=${(/** @type {Event} */ event) => context.menu(entry, /** @type {HTMLElement} */ (event.currentTarget))}>${labelled("more", `${t("chat.more")}: ${about}`)}</button>
  </div>`;
}
