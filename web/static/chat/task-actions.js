// What the buttons of a task do: take it, renew the lease, give it back, withdraw it.
import { t, formatTime } from "../lib/i18n.js";
import { Tasks } from "../lib/tasks.js";
import { HubError } from "./problem.js";
import { problemText } from "./problem-text.js";

/** @typedef {import("./tasks.js").Task} Task */
/** @typedef {import("./item.js").ItemContext} ItemContext */

/** A person needs longer than an agent: the longest lease, in seconds. */
const LEASE_S = 3600;

/** Draws the tasks of the page that acted last. */
let draw = () => {};
/** What runs, and why the last action failed, by the task's id. */
const actions = new Tasks(() => draw());

/** @param {number} id */
export const busy = id => actions.isBusy(String(id));

/** Why the last action on a task failed. @param {number} id */
export function problemOf(id) {
  const error = actions.error(String(id));
  return error === null ? "" : whyNot(error);
}

/**
 * @param {"take" | "renew" | "give_back" | "cancel"} what
 * @param {Task} task
 * @param {ItemContext} context
 */
export async function act(what, task, context) {
  draw = context.drawLate;
  await actions.run(String(task.id), () => request(what, task, context).catch(async error => {
    // What was shown is not how it is.
    if (error instanceof HubError && error.problem.status === 409) await context.model.refreshTasks().catch(() => undefined);
    throw error;
  }));
}

/**
 * @param {"take" | "renew" | "give_back" | "cancel"} what
 * @param {Task} task
 * @param {ItemContext} context
 */
async function request(what, task, { model, say }) {
  if (what === "take" || what === "renew") {
    const fence = what === "renew" ? { fence: task.fence } : {};
    const reply = await model.request("POST", `/tasks/${task.id}/take`, { lease_seconds: LEASE_S, ...fence });
    model.applyTasks({ tasks: [reply?.task] });
    say(t("chat.task.said.taken", { time: formatTime(reply?.lease_until ?? Date.now()) }));
  } else {
    const state = what === "cancel" ? "cancelled" : "open";
    model.send({ to: otherEnd(task, model.channel.me), text: t(`chat.task.text.${what}`), reply_to: task.id, thread: task.thread ?? null, state, ...fenceOf(task) });
  }
}

/** The fence of a taking, for replies with a state. @param {Task} task */
export const fenceOf = task => task.fence ? { fence: task.fence } : {};

/**
 * Whom a reply goes to: the poster, or whoever has the task or is to do it.
 * @param {Task} task
 * @param {string} me
 */
export function otherEnd({ from, to, holder }, me) {
  return from === me ? holder ?? to : from;
}

/** @param {unknown} error */
function whyNot(error) {
  if (!(error instanceof HubError)) return t("chat.problem.internal");
  return error.problem.code === "not_found" ? t("chat.task.state.gone") : problemText(error.problem);
}
