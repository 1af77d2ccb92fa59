// The entry of the page `/admin`: the gate, or what an operator sees of the hub. Never messages.
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { ApiError } from "../lib/api.js";
import { announce } from "../lib/announce.js";
import { confirmDialog } from "../lib/dialog.js";
import { fault } from "../lib/fault.js";
import { mountHeader } from "../lib/header.js";
import { ago, formatTime, start, t } from "../lib/i18n.js";
import { ofTab } from "../lib/storage.js";
import { Tasks } from "../lib/tasks.js";
import { visible } from "../lib/visible.js";
import { askForBan, bans, nameOf } from "./ban.js";
import { Gate } from "./gate.js";
import { whenIdle } from "./idle.js";
import { Monitor } from "./monitor.js";
import { refusals, tiles } from "./overview.js";
import { ChannelTable } from "./table.js";

/** @typedef {import("./monitor.js").Channel} Channel */
/** @typedef {import("./monitor.js").Session} Session */
/** @typedef {import("./monitor.js").Ban} Ban */

const KEY = "rogerrat-admin-token";
/** The page locks itself after this time without input, in milliseconds. */
const IDLE_MS = 1_800_000;

/** @type {{monitor: Monitor, table: ChannelTable, tasks: Tasks, done: string, stopWatching: () => void} | null} */
let open = null;
let isPlanned = false;

/** Draws the page soon; several changes at once are drawn together. */
function changed() {
  if (isPlanned) return;
  isPlanned = true;
  queueMicrotask(() => {
    isPlanned = false;
    draw();
  });
}

const gate = new Gate(changed, unlock);

/** @param {string} token */
function unlock(token) {
  ofTab.set(KEY, token);
  gate.notice = "";
  const monitor = new Monitor(token, changed, error => {
    lock("");
    gate.refused(error);
    if (gate.notice === "wrong") gate.notice = "ended";
  });
  open = { monitor, table: new ChannelTable(changed), tasks: new Tasks(changed), done: "", stopWatching: whenIdle(IDLE_MS, () => lock("locked")) };
  monitor.start();
  monitor.refresh();
  changed();
}

/**
 * Forgets the token and everything that was shown.
 * @param {import("./gate.js").Notice} notice
 */
function lock(notice) {
  open?.stopWatching();
  open?.monitor.stop();
  open = null;
  ofTab.remove(KEY);
  document.querySelectorAll("dialog").forEach(dialog => dialog.close());
  gate.notice = notice;
  changed();
}

/**
 * Does something that changes the hub, then shows what was done.
 * @param {() => Promise<string>} work
 */
async function act(work) {
  const page = open;
  if (page === null) return;
  await page.tasks.run("act", async () => {
    page.done = "";
    page.done = await work();
    if (page.done !== "") announce(page.done);
    await page.monitor.reload();
  });
}

/** @param {Monitor} monitor */
function deedsOf(monitor) {
  const channelPath = (/** @type {string} */ id) => `/api/admin/channels/${encodeURIComponent(id)}`;
  return {
    endSession: async (/** @type {Channel} */ channel, /** @type {Session} */ { callsign }) => {
      const names = { callsign: visible(callsign), id: visible(channel.id) };
      if (!(await confirmDialog({ title: t("admin.end.title", names), text: t("admin.end.about"), action: t("admin.end"), danger: true }))) return;
      act(async () => {
        const { ended } = await monitor.call("DELETE", `${channelPath(channel.id)}/sessions/${encodeURIComponent(callsign)}`);
        return t(ended ? "admin.ended" : "admin.ended.not", names);
      });
    },
    remove: async (/** @type {Channel} */ { id }) => {
      const text = t("admin.delete.about");
      if (!(await confirmDialog({ title: t("admin.delete.title"), text, action: t("admin.delete.do"), danger: true, typed: id }))) return;
      act(async () => {
        await monitor.call("DELETE", channelPath(id));
        open?.table.forget(id);
        return t("admin.deleted", { id: visible(id) });
      });
    },
    ban: async (/** @type {import("./ban.js").Wish} */ wish) => {
      const done = await askForBan(monitor, wish);
      if (done !== "") act(async () => done);
    },
    lift: async (/** @type {Ban} */ ban) => {
      const name = nameOf(ban);
      if (!(await confirmDialog({ title: t("admin.lift.title", { name }), text: t("admin.lift.about"), action: t("admin.lift") }))) return;
      act(async () => {
        await monitor.call("DELETE", `/api/admin/bans/${encodeURIComponent(ban.id)}`);
        return t("admin.lifted", { name });
      });
    },
    lookUp: async (/** @type {string} */ id) => {
      const answer = await open?.tasks.run("act", () => monitor.call("GET", channelPath(id)).catch(error => {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }));
      return answer?.value;
    },
  };
}

/** @param {Monitor} monitor */
function state(monitor) {
  if (monitor.error !== null) return html`<span class="state bad">${t("admin.stale", { time: monitor.updatedAt === 0 ? "–" : formatTime(monitor.updatedAt) })}</span>`;
  if (monitor.paused) return html`<span class="state">${t("admin.paused")}</span>`;
  return monitor.updatedAt === 0 ? html`<span class="state">${t("admin.loading")}</span>` : html`<span class="state ok">${t("admin.live")}</span>`;
}

/** @param {NonNullable<typeof open>} page */
function view({ monitor, table, tasks, done }) {
  const deeds = deedsOf(monitor);
  const counters = monitor.counters;
  return html`
    <div class="admin-head">
      <div>
        <h1>${t("admin.title")}</h1>
        <p class="muted">${state(monitor)} ${counters === null ? nothing : html`· ${t("admin.up", { time: ago(counters.started_at) })}`}</p>
      </div>
      <div class="row">
        <button type="button" class="button" aria-pressed=${monitor.paused ? "true" : "false"} @click=${() => monitor.pause(!monitor.paused)}>${t("admin.pause")}</button>
        <button type="button" class="button" @click=${() => lock("locked")}>${t("admin.lock")}</button>
      </div>
    </div>
    ${monitor.error === null ? nothing : html`<div class="failed">${fault(monitor.error)}
      <button type="button" class="button small" @click=${() => monitor.refresh()}>${t("admin.retry")}</button></div>`}
    ${fault(tasks.error("act"))}
    ${done === "" ? nothing : html`<p class="notice">${done}</p>`}
    ${tiles(monitor)}
    ${table.view(monitor, deeds)}
    <div class="pair">${bans(monitor, deeds)} ${refusals(monitor)}</div>`;
}

function draw() {
  const main = document.getElementById("app");
  if (main !== null) render(open === null ? gate.view() : view(open), main);
}

async function begin() {
  await start("admin");
  document.title = `${t("admin.title")} · rogerrat`;
  mountHeader();
  const stored = ofTab.get(KEY) ?? "";
  if (stored === "") draw();
  else unlock(stored);
}

void begin();
