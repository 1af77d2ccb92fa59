// The composer for tasks: asking for an answer or for work, and what a reply does to a task.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { t, tn, formatDuration } from "../lib/i18n.js";
import { icon, labelled } from "./icon.js";
import { fenceOf } from "./task-actions.js";
import { actionsOf } from "./task-view.js";

/** @typedef {import("./tasks.js").Task} Task */
/** @typedef {import("./types.js").Outgoing} Outgoing */
/** @typedef {{model: import("./types.js").ChatModel, changed: () => void, close: () => void}} Hooks of the composer */

/**
 * What the composer has beside its text.
 * @typedef {object} ComposerTask
 * @property {boolean} asks whether it makes the message a task
 * @property {Task | null} task that it replies to
 * @property {(to: string) => unknown} view
 * @property {(to: string) => Partial<Outgoing>} fields of the message
 */

/** The deadlines to choose from, in seconds. */
const DEADLINES = [900, 3600, 86_400, 604_800, 2_592_000];

/** How many members' answers a question to all can collect. */
const ANSWERS = [1, 2, 3, 4, 5, 8, 12, 16];

/**
 * A list of values to choose from.
 * @param {string} label
 * @param {string} now
 * @param {[string, string][]} choices value and text
 * @param {(value: string) => void} choose
 */
function select(label, now, choices, choose) {
  const shown = choices.find(([value]) => value === now)?.[1] ?? "";
  return html`<label class="select" title=${label}><span class="visually-hidden">${label}</span><span class="select-text" aria-hidden="true">${shown}</span>
    <select .value=${live(now)} @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${choices.map(([value, text]) => html`<option value=${value} ?selected=${value === now}>${text}</option>`)}</select>${icon("down")}</label>`;
}

/**
 * Makes the next message a task.
 * @param {Hooks} composer
 * @param {Partial<Outgoing>} [kept] what was chosen before
 * @returns {ComposerTask}
 */
export function asking({ model, changed, close }, kept = {}) {
  let wants = kept.quiet ? "quiet" : kept.wants ?? "answer";
  /** Chosen, or as usual for what is wanted. @type {number | null} */
  let deadline = kept.deadline_seconds ?? null;
  let answers = kept.answers ?? 1;
  const seconds = () => deadline ?? (wants === "answer" ? 3600 : 604_800);
  const kind = (/** @type {string} */ to) => wants === "quiet" && to !== "all" ? "work" : wants;
  // A band has no work.
  const kinds = (/** @type {string} */ to) => model.channel.is_band ? ["answer"] : ["answer", "work", ...to === "all" ? ["quiet"] : []];
  return {
    asks: true,
    task: null,
    view: to => html`<div class="composer-task">${icon("task")}
      ${select(t("chat.task.ask"), kind(to), kinds(to).map(one => [one, t(`chat.task.wants.${one}`)]),
    value => { wants = value; changed(); })}
      ${select(t("chat.task.ask.deadline"), String(seconds()), DEADLINES.map(one => [String(one), t("chat.task.ask.within", { time: formatDuration(one) })]),
    value => { deadline = Number(value); changed(); })}
      ${kind(to) === "answer" && to === "all" ? select(t("chat.task.ask.answers"), String(answers), ANSWERS.map(one => [String(one), tn("chat.task.answers", one)]),
    value => { answers = Number(value); changed(); }) : nothing}
      <button type="button" class="icon-button" @click=${close}>${labelled("close", t("chat.task.ask.not"))}</button></div>`,
    fields: to => ({ wants: kind(to) === "answer" ? "answer" : "work", deadline_seconds: seconds(), ...(kind(to) === "quiet" ? { quiet: true } : {}),
      ...(kind(to) === "answer" && to === "all" && answers > 1 ? { answers } : {}) }),
  };
}

/**
 * What a reply does to a task; null if it can do nothing.
 * @param {Hooks} composer
 * @param {Task} task
 * @param {string} [kept] what was chosen before
 * @returns {ComposerTask | null}
 */
export function answering({ model, changed }, task, kept) {
  const { me } = model.channel;
  const may = actionsOf(task, model);
  const result = may.finish || may.answer || task.wants === "work" && task.to === me && task.from !== me && !task.fence;
  if (!result) return may.reply ? { asks: false, task, view: () => nothing, fields: () => ({}) } : null;
  const waits = task.state === "input";
  const steps = ["done", ...waits ? [] : ["input", ...may.finish ? ["working"] : []], "failed", "rejected", ...task.wants === "work" ? ["message"] : []];
  // What can no longer be chosen must not come back as a result.
  let step = steps.find(one => one === kept) ?? (kept && steps.includes("message") ? "message" : "done");
  /** @type {ComposerTask} */
  const own = {
    asks: false,
    task,
    view: () => html`<div class="composer-task">${icon("task")}<span aria-hidden="true">${t("chat.task.reply_is")}</span>
      ${select(t("chat.task.reply_is"), step, steps.map(one => [one, t(task.wants === "answer" && one === "done" ? "chat.task.reply.answer" : `chat.task.reply.${one}`)]), value => { step = value; changed(); })}</div>`,
    // The task may have changed since it was opened here.
    fields: () => step === "message" ? {} : { state: step, ...fenceOf(own.task ?? task) },
  };
  return own;
}
