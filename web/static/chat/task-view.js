// A task under its message and on the board: its state, who has it until when, its answers, and what the reader can do with it.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t, tn, has, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { formatFull } from "./format.js";
import { icon } from "./icon.js";
import { isOpen } from "./tasks.js";
import { act, busy, otherEnd, problemOf } from "./task-actions.js";

/** @typedef {import("./tasks.js").Task} Task */
/** @typedef {import("./types.js").MessageEntry} MessageEntry */
/** @typedef {import("./item.js").ItemContext} ItemContext */

/** Icons of the states and of the steps that replies make. @type {Record<string, string>} */
const icons = {
  open: "task", held: "poll", working: "poll", input: "help", done: "check", failed: "alert", rejected: "close", cancelled: "close", expired: "clock", gone: "clock",
};

/** The steps with which a member has given its answer. */
const CLOSING = ["done", "failed", "rejected"];

/** The text of a value of the hub, or the value. @param {string} key @param {string} value */
const word = (key, value) => has(key) ? t(key) : visible(value);

/**
 * What is under a message that wants something, or that changed a task.
 * @param {MessageEntry} entry
 * @param {ItemContext} context
 */
export function taskOfMessage(entry, context) {
  const { message, task } = entry;
  return html`${message.state && !message.wants ? stepView(message.state) : nothing}
    ${message.wants ? taskView(task ?? rowOf(entry), context) : nothing}`;
}

/** The task of a message of which nothing else is known yet. @param {MessageEntry} entry @returns {Task} */
export function rowOf({ id, message: { from, to, wants = "", deadline = 0, text } }) {
  const state = id === null ? "open" : deadline && deadline < Date.now() ? "expired" : "gone";
  return { id: id ?? 0, from, to, wants, deadline, text, state, attempts: 0, answered: 0, updated_at: 0 };
}

/** What a reply did to its task. @param {string} state */
function stepView(state) {
  return html`<p class=${`task-step task-${/^[a-z]+$/u.test(state) ? state : "other"}`}>${icon(icons[state] ?? "task")} ${word(`chat.task.step.${state}`, state)}</p>`;
}

/**
 * @param {Task} task
 * @param {ItemContext} context
 * @param {boolean} [onBoard] with its text, and the way to its message
 */
export function taskView(task, context, onBoard = false) {
  const { me } = context.model.channel;
  const name = (/** @type {string} */ callsign) => callsign === me ? t("chat.task.you") : visible(callsign);
  const open = isOpen(task), problem = problemOf(task.id);
  const shown = task.state === "done" && task.wants === "answer" ? "answered" : task.state;
  const state = word(`chat.task.state.${shown}`, shown), wants = word(`chat.task.wants.${task.wants}`, task.wants);
  return html`<div role="group" class=${`task-box task-${task.state}`} aria-label=${`${wants}: ${state}`}>
    ${onBoard ? textView(task, context, name) : nothing}
    <p class="task-head"><span class="task-state">${icon(icons[task.state] ?? "task")} ${state}</span>
      <span class="task-wants">${wants}${task.quiet ? ` · ${t("chat.task.quiet")}` : nothing}</span></p>
    ${factsView(task, me, name)}
    ${answersView(task, context)}
    ${open ? buttonsView(task, context) : nothing}
    ${problem ? html`<p class="bad" role="alert">${icon("alert")} ${problem}</p>` : nothing}
  </div>`;
}

/**
 * @param {Task} task
 * @param {ItemContext} context
 * @param {(callsign: string) => string} name
 */
function textView(task, context, name) {
  const loaded = context.find(task.id) !== null;
  const text = html`<bdi>${visible(task.text)}</bdi>`;
  return html`<p class="task-ends"><b><bdi>${name(task.from)}</bdi></b> → <bdi>${task.to === "all" ? t("chat.to.all") : name(task.to)}</bdi></p>
    ${loaded ? html`<button type="button" class="task-text" @click=${() => context.reveal(task.id)}>${text}</button>` : html`<p class="task-text">${text}</p>`}`;
}

/**
 * Who has it, when it ends, how often it was lost.
 * @param {Task} task
 * @param {string} me
 * @param {(callsign: string) => string} name
 */
function factsView({ state, holder, lease_until, deadline, attempts, why }, me, name) {
  const time = (/** @type {string} */ key, /** @type {number} */ at, values = {}) => html`<span title=${formatFull(at)}>${t(key, { ...values, time: formatTime(at) })}</span>`;
  const facts = [];
  if (holder && state === "held" && lease_until) facts.push(time(holder === me ? "chat.task.mine" : "chat.task.holder", lease_until, { name: name(holder) }));
  else if (holder) facts.push(t(isOpen({ state }) ? "chat.task.has" : "chat.task.had", { name: name(holder) }));
  if (isOpen({ state }) && deadline) facts.push(time("chat.task.deadline", deadline));
  if (attempts > 0) facts.push(tn("chat.task.attempts", attempts));
  if (why && has(`chat.task.why.${why}`)) facts.push(t(`chat.task.why.${why}`));
  return facts.length ? html`<p class="task-facts">${facts.map((fact, at) => html`${at ? " · " : nothing}${fact}`)}</p>` : nothing;
}

/**
 * The answers and results that are loaded lead to their messages.
 * @param {Task} task
 * @param {ItemContext} context
 */
function answersView(task, context) {
  /** @type {MessageEntry[]} */
  const answers = [];
  for (const entry of context.model.entries) {
    if (entry.type !== "message" || entry.id === null || entry.message.reply_to !== task.id) continue;
    if (entry.message.state || task.wants === "answer" && entry.message.from !== task.from) answers.push(entry);
  }
  if (!answers.length) return task.answered ? html`<p class="task-facts">${tn("chat.task.answers", task.answered)}</p>` : nothing;
  return html`<p class="task-answers">${t("chat.task.replies")} ${answers.map(({ id, mine, message }) => html`<button type="button" class="task-answer" @click=${() => context.reveal(id ?? 0)}>
    ${message.state ? icon(icons[message.state] ?? "task") : icon("reply")} <bdi>${mine ? t("chat.you") : visible(message.from)}</bdi> <small>${formatTime(message.at)}</small></button>`)}</p>`;
}

/**
 * Whether the reader has sent what ends its part in a task: such replies that are loaded, or on their way.
 * @param {number} id
 * @param {import("./types.js").ChatModel} model
 * @param {(entry: MessageEntry, state: string) => boolean} isSuch
 */
const hasReplied = (id, { entries }, isSuch) => entries.some(entry => entry.type === "message" && entry.mine && entry.message.reply_to === id
  && entry.message.state && isSuch(entry, entry.message.state));

/**
 * What the reader may do with an open task, as the hub will decide it.
 * @param {Task} task
 * @param {import("./types.js").ChatModel} model
 */
export function actionsOf({ id, state, wants, from, to, holder }, model) {
  const { me } = model.channel;
  const isMine = from === me, isForMe = !isMine && (to === "all" || to === me), isHeldByMe = holder === me && !isMine;
  return {
    // A question to all stays open for others, but each member answers once.
    answer: wants === "answer" && isForMe && !hasReplied(id, model, (entry, step) => entry.id !== null && CLOSING.includes(step)),
    take: wants === "work" && state === "open" && isForMe,
    finish: isHeldByMe,
    renew: isHeldByMe && state === "held",
    giveBack: isHeldByMe,
    reply: isMine && state === "input",
    cancel: isMine,
  };
}

/**
 * @param {Task} task
 * @param {ItemContext} context
 */
function buttonsView(task, context) {
  const { model } = context;
  if (hasReplied(task.id, model, ({ id, tick }) => id === null && tick !== "failed")) return nothing;
  const may = actionsOf(task, model);
  const reply = () => context.answerTask(task, task.to === "all" && !task.quiet ? "all" : otherEnd(task, model.channel.me));
  const button = (/** @type {string} */ what, /** @type {() => unknown} */ run, first = false) => html`<button type="button" class=${first ? "button primary small" : "button small"}
    aria-disabled=${busy(task.id)} @click=${() => { if (!busy(task.id)) void run(); }}>${t(`chat.task.do.${what}`)}</button>`;
  const buttons = [
    may.answer ? button("answer", reply, true) : nothing,
    may.reply ? button("reply", reply, true) : nothing,
    may.take ? button("take", () => act("take", task, context), true) : nothing,
    may.finish ? button("finish", reply, true) : nothing,
    may.renew ? button("renew", () => act("renew", task, context)) : nothing,
    may.giveBack ? button("give_back", () => act("give_back", task, context)) : nothing,
    may.cancel ? button("cancel", () => act("cancel", task, context)) : nothing,
  ].filter(one => one !== nothing);
  return buttons.length ? html`<div class="buttons">${buttons}</div>` : nothing;
}
