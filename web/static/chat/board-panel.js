// The board: the tasks of the channel, first those for the reader, then what the reader has asked for, then others', then closed ones.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn } from "../lib/i18n.js";
import { icon } from "./icon.js";
import { actionsOf, taskView } from "./task-view.js";
import { isOpen } from "./tasks.js";

/** @typedef {import("./tasks.js").Task} Task */

/** Closed tasks that are shown. */
const CLOSED = 50;

export class BoardPanel {
  /** @param {import("./item.js").ItemContext} context */
  constructor(context) {
    this.context = context;
    this.failed = false;
    this.element = document.createElement("div");
    this.element.className = "panel-content board";
  }

  /** Requests what no event has reported. */
  async load() {
    this.failed = !await this.context.model.refreshTasks().then(() => true, () => false);
    this.draw();
  }

  draw() {
    const { model } = this.context;
    const { me } = model.channel;
    const open = model.tasks.filter(isOpen), closed = model.tasks.filter(task => !isOpen(task)).slice(0, CLOSED);
    const isFor = (/** @type {Task} */ task) => {
      const may = actionsOf(task, model);
      return may.answer || may.take || may.finish;
    };
    const own = open.filter(({ from }) => from === me), forMe = open.filter(isFor), others = open.filter(task => !own.includes(task) && !forMe.includes(task));
    const group = (/** @type {string} */ title, /** @type {readonly Task[]} */ tasks) => tasks.length ? html`<h3>${title}</h3>${this.#list(tasks)}` : nothing;
    render(html`
      ${this.failed ? html`<p class="bad" role="alert">${icon("alert")} ${t("chat.task.board.failed")} <button type="button" class="link-button" @click=${() => this.load()}>${t("chat.retry")}</button></p>` : nothing}
      ${open.length ? nothing : html`<p class="muted board-empty">${t("chat.task.board.none")}</p>`}
      ${group(tn("chat.task.board.for_you", forMe.length), forMe)}
      ${group(tn("chat.task.board.own", own.length), own)}
      ${group(tn("chat.task.board.others", others.length), others)}
      ${closed.length ? html`<details class="board-closed"><summary>${tn("chat.task.board.closed", closed.length)}</summary>${this.#list(closed)}</details>` : nothing}`, this.element);
  }

  /** @param {readonly Task[]} tasks */
  #list(tasks) {
    return html`<ul>${repeat(tasks, task => task.id, task => html`<li>${taskView(task, this.context, true)}</li>`)}</ul>`;
  }
}
