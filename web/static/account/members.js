// The members of a channel of the account, and ending their sessions.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn, ago } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";
import { word } from "../lib/word.js";
import { confirmDialog } from "../lib/dialog.js";
import { Resource } from "../lib/resource.js";
import { faultOf, loaded } from "./parts.js";

/** @typedef {import("./account.js").Account} Account */
/**
 * @typedef {object} Member A member of a channel. What a hub does not say is absent.
 * @property {string} callsign
 * @property {boolean} online
 * @property {number} idx
 * @property {string} [reach] `stream`, `poll` or `away`
 * @property {number | null} [seen_at] milliseconds since the epoch
 * @property {number} [unread]
 */

/** The opened channels of each account. @type {WeakMap<Account, Map<string, Resource<Member[]>>>} */
const lists = new WeakMap();

/** @param {Account} account */
function openOf(account) {
  const ofAccount = lists.get(account) ?? new Map();
  lists.set(account, ofAccount);
  return ofAccount;
}

/**
 * Opens or closes the members of a channel.
 * @param {Account} account
 * @param {string} id
 */
export function toggleMembers(account, id) {
  const open = openOf(account);
  if (open.delete(id)) return account.changed();
  const load = async () => (await account.call("GET", `/api/account/channels/${encodeURIComponent(id)}`)).roster_all;
  const list = new Resource(load, account.changed);
  open.set(id, list);
  list.reload();
}

/**
 * How many members of a channel are online: those that are shown, if it is opened.
 * @param {Account} account
 * @param {{id: string, agent_count: number}} channel
 */
export function onlineCount(account, { id, agent_count }) {
  /** @type {Resource<Member[]> | undefined} */
  const opened = openOf(account).get(id);
  return opened?.value?.filter(member => member.online).length ?? agent_count;
}

/** Loads the members of the opened channels again. @param {Account} account */
export function reloadMembers(account) {
  for (const list of openOf(account).values()) list.reload();
}

/**
 * @param {Account} account
 * @param {string} id
 * @param {Member} member
 */
async function kick(account, id, { callsign }) {
  const isSure = await confirmDialog({
    title: t("account.kick.title", { callsign }), text: t("account.kick.about"), action: t("account.kick"), danger: true,
  });
  if (!isSure) return;
  await account.tasks.run(`members ${id}`, async () => {
    await account.call("DELETE", `/api/account/channels/${encodeURIComponent(id)}/sessions/${encodeURIComponent(callsign)}`);
    await Promise.all([openOf(account).get(id)?.reload(), account.channels.reload()]);
  });
}

/** @param {Member} member */
function state({ online, reach, seen_at }) {
  if (!online) return t("account.members.offline");
  if (reach !== undefined && reach !== "away") return word(`account.members.${reach}`, reach);
  return seen_at === undefined || seen_at === null ? t("account.members.online") : t("account.members.seen", { time: ago(new Date(seen_at)) });
}

/**
 * The members of an opened channel, nothing if it is closed.
 * @param {Account} account
 * @param {string} id
 */
export function members(account, id) {
  const opened = openOf(account).get(id);
  if (opened === undefined) return nothing;
  const row = (/** @type {Member} */ member) => html`<li>
    <div class="who"><p><strong>${visible(member.callsign)}</strong> <span class="muted">#${member.idx}</span>
      <span class="badge ${member.online ? "ok" : ""}">${state(member)}</span></p>
      ${member.unread === undefined || member.unread === 0 ? nothing : html`<p class="muted">${tn("account.members.unread", member.unread)}</p>`}</div>
    ${member.online ? html`<div class="deeds"><button type="button" class="button small" aria-label=${`${t("account.kick")}: ${visible(member.callsign)}`}
      @click=${() => kick(account, id, member)}>${t("account.kick")}</button></div>` : nothing}
  </li>`;
  return html`<div class="inside">
    ${loaded(opened, t("account.members.none"), list => html`<ul class="rows">${repeat(list, member => member.callsign, row)}</ul>`)}
    ${faultOf(account, `members ${id}`)}
  </div>`;
}
