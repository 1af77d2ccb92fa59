// Numbers of the hub: tiles, charts of the last ten minutes, refusals by code.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn, formatNumber, formatBytes } from "../lib/i18n.js";
import { perMinute } from "./data.js";
import { spark } from "./spark.js";

/** @typedef {import("./monitor.js").Monitor} Monitor */
/** @typedef {import("./data.js").Point} Point */

/**
 * @param {string} name
 * @param {string} value
 * @param {string} note
 * @param {unknown} [chart]
 */
function tile(name, value, note, chart = nothing) {
  return html`<div class="tile">
    <dt>${name}</dt>
    <dd><strong>${value}</strong><span class="muted">${note}</span>${chart}</dd>
  </div>`;
}

/**
 * A tile with a chart of a rate.
 * @param {Monitor} monitor
 * @param {"messages" | "joins" | "refusals"} what
 * @param {string} note
 */
function rateTile(monitor, what, note) {
  const points = perMinute(monitor.samples.map(sample => ({ at: sample.at, value: sample[what] })));
  return chartTile(monitor, t(`admin.tile.${what}`), points, note);
}

/**
 * @param {Monitor} monitor
 * @param {string} name
 * @param {Point[]} points
 * @param {string} note
 */
function chartTile(monitor, name, points, note) {
  const round = (/** @type {number} */ value) => formatNumber(Math.round(value));
  const last = points.length === 0 ? "–" : round(points[points.length - 1].value);
  const most = round(Math.max(0, ...points.map(point => point.value)));
  const label = t("admin.spark", { name, last, most });
  return tile(name, last, note, spark(points, monitor.updatedAt, label));
}

/** @param {Monitor} monitor */
export function tiles(monitor) {
  const counters = monitor.counters;
  if (counters === null) return html`<div class="tiles" aria-hidden="true">${[0, 1, 2, 3].map(() => html`<div class="tile empty"></div>`)}</div>`;
  const members = monitor.samples.map(sample => ({ at: sample.at, value: sample.members }));
  const number = formatNumber;
  return html`<dl class="tiles">
    ${chartTile(monitor, t("admin.tile.members"), members, t("admin.tile.members.note", { all: number(counters.members) }))}
    ${rateTile(monitor, "messages", t("admin.tile.total", { total: number(counters.messages_total) }))}
    ${rateTile(monitor, "joins", t("admin.tile.total", { total: number(counters.joins_total) }))}
    ${rateTile(monitor, "refusals", tn("admin.tile.bans", counters.bans))}
    ${tile(t("admin.tile.channels"), number(counters.channels_live), t("admin.tile.channels.note", { all: number(counters.channels) }))}
    ${tile(t("admin.tile.reading"), number(counters.polls + counters.streams), t("admin.tile.reading.note", { polls: number(counters.polls), streams: number(counters.streams) }))}
    ${tile(t("admin.tile.held"), number(counters.held), formatBytes(counters.held_bytes))}
    ${tile(t("admin.tile.created"), number(counters.channels_created), t("admin.tile.created.note"))}
  </dl>`;
}

/** @param {Monitor} monitor */
export function refusals(monitor) {
  const codes = Object.entries(monitor.counters?.refused ?? {}).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const most = codes[0]?.[1] ?? 1;
  return html`<section class="card" aria-labelledby="refusals-title">
    <h2 id="refusals-title">${t("admin.refusals")}</h2>
    ${codes.length === 0
      ? html`<p class="muted">${t("admin.refusals.none")}</p>`
      : html`<p class="muted">${t("admin.refusals.about")}</p>
        <dl class="bars">${repeat(codes, ([code]) => code, ([code, count]) => html`<div>
          <dt><code>${code}</code></dt>
          <dd><meter min="0" max=${most} value=${count} aria-hidden="true"></meter><span>${formatNumber(count)}</span></dd>
        </div>`)}</dl>`}
  </section>`;
}
