// The field for a message, with its recipient, answer, priority and files. The draft lives in the field: a key press redraws nothing.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { icon, labelled } from "./icon.js";
import { later } from "./later.js";
import { excerpt } from "./message.js";
import { Recipients } from "./recipients.js";
import { Files } from "./composer-files.js";
import { askUrgent, priorityMenu } from "./priority.js";
import { isOpen } from "./tasks.js";

/** @typedef {import("./types.js").ChatModel} ChatModel */
/** @typedef {import("./types.js").Draft} Draft */
/** @typedef {import("./types.js").MessageEntry} MessageEntry */

const countFrom = 7500;
const touch = matchMedia("(pointer: coarse)");

export class Composer {
  /**
   * @param {ChatModel} model
   * @param {{find: (id: number) => MessageEntry | null, say: (text: string) => void, sent: () => void, signal: AbortSignal}} context `signal` ends the composer
   */
  constructor(model, context) {
    this.model = model;
    this.context = context;
    /** @type {number | null} */
    this.replyId = null;
    /** @type {string | null} */
    this.thread = null;
    /** @type {import("./types.js").Priority} */
    this.priority = "default";
    this.error = "";
    this.sending = false;
    this.composing = false;
    /** What makes the message a task, or what it does to one. @type {import("./composer-task.js").ComposerTask | null} */
    this.task = null;
    this.hooks = { model, changed: () => this.#changed(), close: () => this.#setTask(null) };

    this.element = document.createElement("form");
    this.element.className = "composer";
    this.element.setAttribute("aria-label", t("chat.composer"));
    this.field = document.createElement("textarea");
    this.field.id = "composer-text";
    this.field.rows = 1;
    this.field.dir = "auto";
    this.field.autocomplete = "off";
    this.field.spellcheck = true;
    this.field.enterKeyHint = touch.matches ? "enter" : "send";
    this.field.setAttribute("aria-label", t("chat.composer.text"));
    this.field.setAttribute("aria-describedby", "composer-note");
    this.above = document.createElement("div");
    this.above.className = "composer-above";
    this.tools = document.createElement("div");
    this.tools.className = "composer-tools";
    this.note = document.createElement("div");
    this.note.id = "composer-note";
    this.note.className = "composer-note";
    this.recipients = new Recipients(model, () => this.#changed());
    this.files = new Files(model.channel.id, () => this.#changed(), text => this.#fail(text));
    const frame = document.createElement("div");
    frame.className = "composer-frame";
    frame.append(this.above, this.files.list, this.field, this.tools);
    this.element.append(frame, this.note);
    this.#listen();
    this.#restore();
  }

  #listen() {
    this.element.addEventListener("submit", event => {
      event.preventDefault();
      void this.send();
    });
    this.field.addEventListener("input", () => this.#typed());
    this.field.addEventListener("compositionstart", () => { this.composing = true; });
    // Safari reports the Enter that ends a composition after its end.
    this.field.addEventListener("compositionend", () => setTimeout(() => { this.composing = false; }, 0));
    this.field.addEventListener("keydown", event => this.#key(event));
    this.field.addEventListener("paste", event => {
      const files = [...event.clipboardData?.files ?? []];
      if (!files.length || !this.model.abilities.attachments) return;
      event.preventDefault();
      void this.files.add(files);
    });
    addEventListener("pagehide", () => this.#save(true), { signal: this.context.signal });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229 || this.composing) return;
    if (event.key === "Escape" && (this.replyId !== null || this.thread)) {
      event.preventDefault();
      event.stopPropagation();
      this.cancelReply();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    // On a touch keyboard Enter is a new line: sending is a button.
    if (touch.matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    void this.send();
  }

  /** What a key press costs: a length, and the height where the browser does not do it by itself. */
  #typed() {
    if (!CSS.supports("field-sizing", "content")) {
      this.field.style.height = "auto";
      this.field.style.height = `${this.field.scrollHeight}px`;
    }
    if (this.error) this.#fail("");
    this.#count();
    this.#save(false);
  }

  #count() {
    const length = this.field.value.length < countFrom / 2 ? 0 : [...this.field.value].length;
    const left = this.model.abilities.text_max - length;
    const text = length < countFrom ? "" : left < 0 ? tn("chat.count.over", -left) : tn("chat.count.left", left);
    if (this.counter && this.counter.textContent !== text) {
      this.counter.textContent = text;
      this.counter.classList.toggle("over", left < 0);
    }
    this.sendButton?.toggleAttribute("data-empty", !this.field.value && !this.files.files.length);
  }

  /** @param {boolean} now */
  #save(now) {
    this.model.saveDraft({ text: this.field.value, to: this.recipients.to, reply_to: this.replyId, thread: this.thread, priority: this.priority });
    if (now) this.model.flushDraft();
  }

  #restore() {
    const draft = this.model.loadDraft();
    this.field.value = draft.text;
    this.recipients.to = draft.to || "all";
    this.replyId = draft.reply_to;
    this.thread = draft.thread;
    this.priority = draft.priority;
    this.draw();
    if (draft.text) this.#typed();
  }

  #changed() {
    this.draw();
    this.#save(false);
  }

  /** @param {import("./types.js").ChangeDetail} detail */
  changed(detail) {
    if (detail.parts.has("tasks")) void this.#follow();
    if (detail.parts.has("roster") || detail.parts.has("channel")) this.draw();
  }

  /** Draws what surrounds the field, never the field itself. */
  draw() {
    const { abilities } = this.model;
    const other = this.replyId === null ? null : this.context.find(this.replyId);
    const replied = this.task?.task;
    render(html`
      ${this.replyId === null ? nothing : html`<div class="reply-to">${icon("reply")}
        <span>${t("chat.replying", { name: other ? (other.mine ? t("chat.you") : visible(other.message.display ?? other.message.from)) : visible(replied?.from ?? "…") })}
        ${other || replied ? html`<small>${excerpt(other?.message.text ?? replied?.text ?? "")}</small>` : nothing}</span>
        <button type="button" class="icon-button" @click=${() => this.cancelReply()}>${labelled("close", t("chat.replying.cancel"))}</button></div>`}
      ${this.thread ? html`<div class="in-thread">${icon("thread")}<span>${t("chat.in_thread", { name: visible(this.thread) })}</span>
        <button type="button" class="icon-button" @click=${() => { this.thread = null; this.#changed(); }}>${labelled("close", t("chat.in_thread.leave"))}</button></div>` : nothing}
      ${this.task ? this.task.view(this.recipients.to) : nothing}`, this.above);
    render(html`
      ${abilities.attachments ? html`<button type="button" class="icon-button" title=${t("chat.attach")} @click=${() => this.files.choose()}>${labelled("attach", t("chat.attach"))}</button>` : nothing}
      ${abilities.direct ? this.recipients.view() : nothing}
      ${abilities.replies ? priorityMenu(this.priority, priority => this.#setPriority(priority)) : nothing}
      ${abilities.tasks ? html`<button type="button" class="icon-button" aria-pressed=${this.task?.asks ?? false} title=${t("chat.ask")} @click=${() => this.#toggleAsk()}>${labelled("task", t("chat.ask"))}</button>` : nothing}
      <span class="counter" role="status"></span>
      <button type="submit" class="send" title=${t("chat.send")}>${labelled("send", t("chat.send"))}</button>`, this.tools);
    this.counter = /** @type {HTMLElement} */ (this.tools.querySelector(".counter"));
    this.sendButton = /** @type {HTMLElement} */ (this.tools.querySelector(".send"));
    this.field.placeholder = this.recipients.to === "all" ? t("chat.composer.placeholder") : t("chat.composer.placeholder_to", { name: visible(this.recipients.to) });
    this.#count();
    this.#note();
  }

  #note() {
    const away = this.recipients.to === "all" ? null : this.model.unheard(this.recipients.to);
    render(html`${this.error ? html`<p class="bad" role="alert">${icon("alert")} ${this.error}</p>`
      : away === null ? nothing : html`<p class="warn">${icon("clock")} ${tn("chat.unheard", away, { name: visible(this.recipients.to) })}</p>`}`, this.note);
  }

  /** @param {string} text */
  #fail(text) {
    this.error = text;
    this.#note();
  }

  /** @param {import("./types.js").Priority} priority */
  async #setPriority(priority) {
    if (priority === "urgent" && this.priority !== "urgent" && !await askUrgent()) return this.draw();
    this.priority = priority;
    this.#changed();
  }

  /** @param {MessageEntry} entry the message to answer */
  replyTo(entry) {
    this.replyId = entry.id;
    this.thread = entry.message.thread ?? null;
    // An answer to a message for oneself goes to its sender; an answer to a message for all goes to all.
    if (entry.message.to !== "all" && this.model.abilities.direct) this.recipients.to = entry.mine ? entry.message.to : entry.message.from;
    this.task = null;
    this.#changed();
    this.field.focus();
    void this.#follow();
  }

  /**
   * @param {import("./tasks.js").Task} task that is answered, or finished
   * @param {string} to
   */
  async answerTask(task, to) {
    this.replyId = task.id;
    this.thread = task.thread ?? null;
    this.recipients.to = to;
    this.task = null;
    await this.#follow();
    this.#changed();
    this.field.focus();
  }

  /** A reply to a task may answer or finish it, as long as it is open. @param {string} [kept] what was chosen before */
  async #follow(kept) {
    const task = this.model.tasks.find(one => one.id === this.replyId && isOpen(one));
    if (this.task?.task && task) this.task.task = task;
    else if (this.task?.task) this.#setTask(null);
    else if (task && !this.task) {
      const { answering } = await later(import("./composer-task.js"));
      if (!this.task && task.id === this.replyId) this.#setTask(answering(this.hooks, task, kept));
    }
  }

  async #toggleAsk() {
    if (this.task?.asks) return this.#setTask(null);
    const { asking } = await later(import("./composer-task.js"));
    this.#setTask(asking(this.hooks));
    this.field.focus();
  }

  /** @param {import("./composer-task.js").ComposerTask | null} task */
  #setTask(task) {
    this.task = task;
    this.#changed();
  }

  cancelReply() {
    this.replyId = null;
    this.thread = null;
    this.task = null;
    this.#changed();
    this.field.focus();
  }

  /**
   * @param {string} to
   */
  writeTo(to) {
    this.recipients.to = to;
    this.#changed();
    this.field.focus();
  }

  /** @param {import("./types.js").Outgoing} outgoing a message that was not sent, to be changed */
  async edit(outgoing) {
    this.field.value = this.field.value ? `${outgoing.text}\n\n${this.field.value}` : outgoing.text;
    this.recipients.to = outgoing.to ?? "all";
    this.replyId = outgoing.reply_to ?? null;
    this.thread = outgoing.thread ?? null;
    this.priority = outgoing.priority ?? "default";
    if (outgoing.attachments?.length) await this.files.restore(outgoing.attachments);
    this.task = outgoing.wants ? (await later(import("./composer-task.js"))).asking(this.hooks, outgoing) : null;
    await this.#follow(outgoing.state ?? "message");
    this.#changed();
    this.#typed();
    this.field.focus();
  }

  async send() {
    if (this.sending) return;
    const text = this.field.value;
    if (this.files.busy) return this.#fail(t("chat.files.busy"));
    if (!text.trim() && !this.files.files.length) return this.field.focus();
    this.sending = true;
    try {
      const attachments = await this.files.outgoing();
      const { to } = this.recipients;
      this.model.send({ to, text: text.trim() ? text : "", reply_to: this.replyId, thread: this.thread, priority: this.priority, ...(attachments.length ? { attachments } : {}), ...this.task?.fields(to) });
      this.context.sent();
      this.field.value = "";
      this.files.clear();
      this.replyId = null;
      this.task = null;
      this.priority = "default";
      this.error = "";
      this.draw();
      this.#typed();
      this.#save(true);
    } catch (error) {
      this.#fail(refusal(error, this.model.abilities.text_max));
    } finally {
      this.sending = false;
    }
  }
}

/**
 * @param {unknown} error
 * @param {number} max
 */
function refusal(error, max) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return ["empty", "too_long", "too_many_attachments", "outbox_full"].includes(code) ? t(`chat.refused.${code}`, { max }) : t("chat.refused.other");
}
