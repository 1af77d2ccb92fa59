// Channels of the account: create, rotate the token, list the members, delete.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { t, tn } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { visible } from "../lib/visible.js";
import { word } from "../lib/word.js";
import { confirmDialog } from "../lib/dialog.js";
import { tokenName } from "./account.js";
import { faultOf, loaded, outOf, rowButton, section, when } from "./parts.js";
import { keep } from "./keep.js";
import { openChat } from "./data.js";
import { members, toggleMembers, onlineCount } from "./members.js";
import { channelForm } from "./channel-form.js";

/** @typedef {import("./account.js").Account} Account */
/** @typedef {import("./account.js").OwnedChannel} OwnedChannel */
/**
 * @typedef {object} Created What the hub returns for a new channel.
 * @property {string} channel_id
 * @property {string} join_token
 * @property {string | null} [owner_password]
 * @property {string} [peer_invite]
 * @property {boolean} [require_identity]
 * @property {{url: string, secret: string}} [webhook]
 */

/**
 * Shows the secrets of a new channel until they are kept.
 * @param {Account} account
 * @param {Created} made
 */
async function keepCreated(account, made) {
  const id = made.channel_id;
  account.known.set(tokenName(id), made.join_token);
  const items = [
    { label: t("account.channel.id"), value: id },
    { label: t("account.channel.token"), value: made.join_token },
    ...(made.owner_password ? [{ label: t("account.channel.password"), value: made.owner_password }] : []),
    ...(made.webhook ? [{ label: t("account.webhook.secret"), value: made.webhook.secret, note: made.webhook.url }] : []),
    ...(made.peer_invite ? [{ label: t("account.channel.invite"), value: made.peer_invite, note: t("account.channel.invite.about") }] : []),
  ];
  await Promise.all([
    account.channels.reload(), account.summary.reload(),
    keep({
      title: t("account.channel.made"), about: t("account.channel.made.about"), file: `rogerrat-channel-${id}.txt`, items,
      more: close => html`<button type="button" class="button small" @click=${() => { close(); open(account, id, made.require_identity === true); }}>${t("account.channel.open")}</button>`,
    }),
  ]);
}

/**
 * Opens the chat: as an identity where only identities may join, else with the token that is known.
 * @param {Account} account
 * @param {string} id
 * @param {boolean} needsIdentity
 */
async function open(account, id, needsIdentity) {
  const token = account.known.get(tokenName(id)) ?? "";
  const hasIdentity = (account.summary.value?.identities.length ?? 0) > 0;
  if (hasIdentity && (needsIdentity || token === "")) (await load(import("./open-as.js"))).openAs(account, { channel: id });
  else openChat(id, { token });
}

/**
 * @param {Account} account
 * @param {string} id
 */
async function rotate(account, id) {
  const isSure = await confirmDialog({
    title: t("account.channel.rotate.title", { id: visible(id) }), text: t("account.channel.rotate.about"),
    action: t("account.channel.rotate"),
  });
  if (!isSure) return;
  const path = `/api/account/channels/${encodeURIComponent(id)}/rotate-token`;
  const made = await account.tasks.run(`channel ${id}`, () => account.call("POST", path));
  if (made === null) return;
  const { channel_id, join_token } = made.value;
  account.known.set(tokenName(channel_id), join_token);
  await keep({
    title: t("account.channel.rotated"), about: t("account.channel.rotated.about"), file: `rogerrat-channel-${channel_id}.txt`,
    items: [{ label: t("account.channel.id"), value: channel_id }, { label: t("account.channel.token"), value: join_token }],
  });
}

/**
 * @param {Account} account
 * @param {string} id
 */
async function remove(account, id) {
  const isSure = await confirmDialog({
    title: t("account.channel.delete.title"), text: t("account.channel.delete.about"), typed: id, action: t("account.delete"), danger: true,
  });
  if (!isSure) return;
  await account.tasks.run(`channel ${id}`, async () => {
    await account.call("DELETE", `/api/account/channels/${encodeURIComponent(id)}`);
    account.known.delete(tokenName(id));
    await Promise.all([account.channels.reload(), account.summary.reload()]);
  });
}

/**
 * @param {Account} account
 * @param {OwnedChannel} channel
 */
function row(account, channel) {
  const { id } = channel, task = `channel ${id}`, of = visible(id);
  const opened = members(account, id);
  return html`<li>
    <div class="who">
      <p><strong>${of}</strong>
        ${channel.require_identity ? html`<span class="badge">${t("account.channel.identities")}</span>` : nothing}
        ${channel.trust_mode === "trusted" ? html`<span class="badge">${t("account.channel.trusted")}</span>` : nothing}</p>
      <p class="muted">${tn("account.channel.online", onlineCount(account, channel))} · ${word(`account.retention.${channel.retention}`, channel.retention)} ·
        ${t("account.created")} ${when(channel.created_at)}</p>
    </div>
    <div class="deeds">
      ${rowButton(account, { task, label: t("account.channel.open"), of, act: () => open(account, id, channel.require_identity) })}
      <button type="button" class="button small" aria-expanded=${opened === nothing ? "false" : "true"} aria-label=${`${t("account.members")}: ${of}`}
        @click=${() => toggleMembers(account, id)}>${t("account.members")}</button>
      ${rowButton(account, { task, label: t("account.channel.rotate"), of, act: () => rotate(account, id) })}
      ${rowButton(account, { task, label: t("account.delete"), of, kind: "danger", act: () => remove(account, id) })}
    </div>
    ${faultOf(account, task)}
    ${opened}
  </li>`;
}

/** @param {Account} account */
export function channels(account) {
  const head = {
    id: "channels", title: t("account.channels"), about: t("account.channels.about"),
    count: outOf(account.channels.value?.length, account.summary.value?.limits.channels),
  };
  return section(head, html`
    ${loaded(account.channels, t("account.channels.none"), list =>
      html`<ul class="rows">${repeat(list, channel => channel.id, channel => row(account, channel))}</ul>`)}
    ${channelForm(account, made => keepCreated(account, made))}`);
}
