// The table of channels: sorting, filter, and rows that open.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn, ago, formatNumber, formatTime } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { COLUMNS, held, matches, ordered, sortedBy } from "./data.js";
import { MOST_CHANNELS } from "./monitor.js";
import { detail } from "./detail.js";

/** @typedef {import("./monitor.js").Channel} Channel */
/** @typedef {import("./monitor.js").Monitor} Monitor */
/** @typedef {import("./data.js").Column} Column */
/** @typedef {import("./detail.js").Deeds} Deeds */

/** The table's state; the channels come from the monitor. */
export class ChannelTable {
  /** @type {import("./data.js").Sorting} */
  sorting = { by: "last_activity_at", descending: true };
  /** @type {import("./data.js").Filter} */
  filter = { text: "", online: false, bands: true };
  /** @type {Set<string>} */
  open = new Set();
  /** A channel that is not in the list, looked up by its id. @type {Channel | null} */
  lookedUp = null;
  /** The id that was not found. */
  unknown = "";

  /** @type {string[]} */
  #shown = [];
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * The rows to show, in order. While the table is used, rows keep their places.
   * @param {Monitor} monitor
   * @returns {Channel[]}
   */
  rows(monitor) {
    const channels = monitor.channels ?? [];
    const found = this.lookedUp;
    const isListed = found === null || channels.some(channel => channel.id === found.id && !channel.is_unloaded);
    const all = isListed ? channels : [found, ...channels.filter(channel => channel.id !== found.id)];
    const wanted = ordered(all, this.sorting, this.filter);
    this.#shown = isUsed() ? held(this.#shown, wanted) : wanted;
    const byId = new Map(all.map(channel => [channel.id, channel]));
    return this.#shown.flatMap(id => byId.get(id) ?? []);
  }

  /** Drops what is known of a channel that was deleted. @param {string} id */
  forget(id) {
    this.open.delete(id);
    if (this.lookedUp?.id === id) this.lookedUp = null;
  }

  /** Sorts anew at once. */
  #resort() {
    this.#shown = [];
    this.#changed();
  }

  /** @param {Column} column */
  #sort(column) {
    this.sorting = sortedBy(this.sorting, column);
    this.#resort();
  }

  /** @param {Partial<import("./data.js").Filter>} change */
  #narrow(change) {
    this.filter = { ...this.filter, ...change };
    this.unknown = "";
    this.#resort();
  }

  /**
   * Opens or closes a row. A channel that is not in memory is loaded.
   * @param {Channel} channel
   * @param {Deeds} deeds
   */
  async #toggle({ id, is_unloaded }, deeds) {
    if (this.open.delete(id)) return this.#changed();
    this.open.add(id);
    this.#changed();
    if (!is_unloaded) return;
    const found = await deeds.lookUp(id);
    if (found) this.lookedUp = found;
    else this.open.delete(id);
    this.#changed();
  }

  /**
   * @param {Monitor} monitor
   * @param {Deeds} deeds
   */
  view(monitor, deeds) {
    const rows = this.rows(monitor);
    return html`<section class="card channels" aria-labelledby="channels-title">
      <h2 id="channels-title">${t("admin.channels")}</h2>
      ${this.#filters()}
      <p class="muted" role="status">${monitor.channels === null ? nothing : this.#count(rows.length, monitor)}</p>
      ${this.#table(rows, deeds)}
      ${rows.length === 0 && monitor.channels !== null ? this.#empty(monitor, deeds) : nothing}
      ${monitor.total > monitor.limit && monitor.limit < MOST_CHANNELS
        ? html`<button type="button" class="button small" @click=${() => monitor.show(monitor.limit * 4)}>${t("admin.more")}</button>` : nothing}
    </section>`;
  }

  /**
   * @param {number} shown
   * @param {Monitor} monitor
   */
  #count(shown, monitor) {
    const listed = monitor.channels?.length ?? 0;
    const memory = t("admin.count.memory", { count: monitor.inMemory });
    if (monitor.total > listed) return `${t("admin.count.cut", { shown, listed, total: monitor.total })} ${memory}`;
    return shown === listed ? `${tn("admin.count", listed)} ${memory}` : t("admin.count.filtered", { shown, listed });
  }

  #filters() {
    return html`<form class="filters" role="search" @submit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label class="field"><span>${t("admin.filter")}</span>
        <input type="search" name="filter" maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off"
          @input=${(/** @type {InputEvent} */ event) => this.#narrow({ text: value(event) })} /></label>
      <label class="check"><input type="checkbox" .checked=${this.filter.online}
        @change=${(/** @type {Event} */ event) => this.#narrow({ online: checked(event) })} /><span>${t("admin.filter.online")}</span></label>
      <label class="check"><input type="checkbox" .checked=${this.filter.bands}
        @change=${(/** @type {Event} */ event) => this.#narrow({ bands: checked(event) })} /><span>${t("admin.filter.bands")}</span></label>
      <label class="field sort-phone"><span>${t("admin.sort")}</span>
        <select @change=${(/** @type {Event} */ event) => this.#sort(/** @type {Column} */ (value(event)))}>
          ${COLUMNS.map(([column]) => html`<option value=${column} ?selected=${column === this.sorting.by}>${t(`admin.column.${column}`)}</option>`)}
        </select></label>
    </form>`;
  }

  /**
   * The roles are written out, because a table that is laid out as cards loses them.
   * @param {Channel[]} rows
   * @param {Deeds} deeds
   */
  #table(rows, deeds) {
    return html`<table class="channel-table" role="table" aria-labelledby="channels-title" ?hidden=${rows.length === 0}>
      <thead role="rowgroup"><tr role="row">${COLUMNS.map(([column]) => this.#header(column))}</tr></thead>
      ${repeat(rows, channel => channel.id, channel => html`<tbody role="rowgroup" class=${this.open.has(channel.id) ? "open" : ""}>
        ${this.#row(channel, deeds)}
        ${this.open.has(channel.id)
          ? html`<tr role="row" class="detail"><td role="cell" colspan=${COLUMNS.length}>${detail(channel, deeds)}</td></tr>`
          : nothing}
      </tbody>`)}
    </table>`;
  }

  /** @param {Column} column */
  #header(column) {
    const sorted = column !== this.sorting.by ? "none" : this.sorting.descending ? "descending" : "ascending";
    return html`<th role="columnheader" scope="col" aria-sort=${sorted} class=${column === "id" ? "" : "number"}>
      <button type="button" class="sort" @click=${() => this.#sort(column)}>${t(`admin.column.${column}`)}<span class="arrow" aria-hidden="true"></span></button>
    </th>`;
  }

  /**
   * @param {Channel} channel
   * @param {Deeds} deeds
   */
  #row(channel, deeds) {
    const isOpen = this.open.has(channel.id);
    const cell = (/** @type {Column} */ column, /** @type {unknown} */ content) =>
      html`<td role="cell" class=${column.endsWith("_at") ? "number time" : "number"}><span class="label" aria-hidden="true">${t(`admin.column.${column}`)}</span> ${content}</td>`;
    return html`<tr role="row">
      <td role="cell" class="name">
        <button type="button" class="opener" aria-expanded=${isOpen ? "true" : "false"}
          @click=${() => this.#toggle(channel, deeds)}><span class="chevron" aria-hidden="true"></span><span>${visible(channel.id)}</span></button>
        ${channel.is_band ? html`<span class="badge">${t("admin.band")}</span>` : nothing}
        ${channel.is_unloaded ? html`<span class="badge" title=${t("admin.unloaded.about")}>${t("admin.unloaded")}</span>` : nothing}
      </td>
      ${cell("agent_count", count(channel.agent_count))}
      ${cell("member_count", count(channel.member_count))}
      ${cell("message_count", count(channel.message_count))}
      ${cell("held_count", count(channel.held_count))}
      ${cell("created_at", when(channel.created_at))}
      ${cell("last_activity_at", when(channel.last_activity_at))}
    </tr>`;
  }

  /**
   * @param {Monitor} monitor
   * @param {Deeds} deeds
   */
  #empty(monitor, deeds) {
    const id = this.filter.text.trim();
    const isNarrow = this.filter.online || !this.filter.bands || id !== "";
    return html`<div class="nothing">
      <p>${isNarrow ? t("admin.none.match") : t("admin.none")}</p>
      ${id === "" ? nothing : html`
        <p class="hint">${t("admin.lookup.about")}</p>
        <button type="button" class="button small" @click=${() => this.#lookUp(id, monitor, deeds)}>${t("admin.lookup", { id: visible(id) })}</button>`}
      ${this.unknown === "" ? nothing : html`<p class="error" role="alert">${t("admin.lookup.unknown", { id: visible(this.unknown) })}</p>`}
    </div>`;
  }

  /**
   * @param {string} id
   * @param {Monitor} monitor
   * @param {Deeds} deeds
   */
  async #lookUp(id, monitor, deeds) {
    const found = await deeds.lookUp(id.toLowerCase());
    if (found === undefined) return;
    this.unknown = found === null ? id : "";
    this.lookedUp = found;
    if (found !== null) {
      this.filter = { ...this.filter, online: false, bands: true };
      if (matches(found, this.filter)) this.open.add(found.id);
    }
    this.#resort();
  }
}

/** @param {number | null} number */
const count = number => number === null ? html`<span class="muted">–</span>` : formatNumber(number);

/** @param {number} at_ms */
const when = at_ms => html`<time datetime=${new Date(at_ms).toISOString()} title=${formatTime(new Date(at_ms))}>${ago(new Date(at_ms))}</time>`;

/** @param {Event} event */
const value = event => /** @type {HTMLInputElement} */ (event.target).value;

/** @param {Event} event */
const checked = event => /** @type {HTMLInputElement} */ (event.target).checked;

/** Whether the focus, the pointer or a selected text is in the table: then its rows must not move. */
function isUsed() {
  const table = document.querySelector(".channel-table");
  if (table === null) return false;
  const selection = document.getSelection();
  const isSelecting = selection !== null && !selection.isCollapsed && selection.containsNode(table, true);
  return isSelecting || table.contains(document.activeElement) || table.matches(":hover");
}
