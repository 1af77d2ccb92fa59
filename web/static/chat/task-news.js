// Announces to screen readers what became of the tasks that the reader posted or has.
import { t, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";

/** @typedef {import("./tasks.js").Task} Task */

export class TaskNews {
  /**
   * @param {import("./types.js").ChatModel} model
   * @param {(text: string) => void} say
   */
  constructor(model, say) {
    this.model = model;
    this.say = say;
    /** What was announced last, by task. @type {Map<number, string>} */
    this.known = new Map();
    this.isFirst = true;
  }

  draw() {
    const { tasks, channel: { me } } = this.model;
    const known = new Map();
    for (const task of tasks) {
      if (task.from !== me && task.holder !== me) continue;
      const state = `${task.state} ${task.holder ?? ""}`;
      const before = this.known.get(task.id);
      known.set(task.id, state);
      // What the reader did itself needs no words.
      if (this.isFirst || before === undefined || before === state || task.state === "cancelled" || task.holder === me && task.state === "held") continue;
      this.say(sentence(task));
    }
    this.known = known;
    this.isFirst = false;
  }
}

/** @param {Task} task */
function sentence({ state, holder, lease_until, text }) {
  const about = visible(text).slice(0, 80);
  if (state === "held" && holder) return t("chat.task.news.held", { name: visible(holder), time: formatTime(lease_until ?? Date.now()), text: about });
  return t("chat.task.news", { state: t(`chat.task.state.${state}`), text: about });
}
