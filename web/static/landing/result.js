// A channel that was just created: the invitation first, then this browser, then every kind of client.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { makeFragment } from "../chat/fragment.js";
import { t } from "../lib/i18n.js";
import { icon } from "../lib/icon.js";
import { qrBox } from "../lib/qr.js";
import { saveText } from "../lib/save.js";
import { secret, secretBlock } from "../lib/secret.js";
import { clientTabs } from "./clients.js";

/**
 * @param {any} channel the reply of the create
 * @param {{origin: string, is_local: boolean, draw: () => void, again: () => void}} options `origin` is that of links for
 *   other devices; with `is_local` no other device can open them
 */
export function channelResult(channel, { origin, is_local, draw, again }) {
  const secrets = [channel.join_token, channel.owner_password, channel.webhook?.secret];
  const path = `/remote/${encodeURIComponent(channel.channel_id)}${makeFragment({ token: channel.join_token })}`;
  return html`<section class="card result" aria-labelledby="result-title">
    <p class="badge ok">${icon("check")} ${t("landing.result.created")}</p>
    <h2 id="result-title" tabindex="-1">${channel.channel_id}</h2>
    <p class="muted">${t("landing.result.once")}</p>
    <ol class="steps">
      <li>
        <h3>${t("landing.result.invite")}</h3>
        <p class="muted">${t("landing.result.invite.about")}</p>
        ${secretBlock(channel.peer_invite, { label: t("landing.result.invitation"), secrets, primary: true, copy: t("landing.result.copy_invitation") })}
      </li>
      <li>
        <h3>${t("landing.result.join")}</h3>
        <div class="beside">
          <div>
            <p class="muted">${t("landing.result.join.about")}</p>
            <a class="button" href=${path} target="_blank" rel="noopener">${icon("external")} ${t("landing.result.open")}</a>
          </div>
          ${is_local
            ? html`<p class="notice">${icon("info")}<span>${t("landing.local", { origin })}</span></p>`
            : html`<figure class="code">${qrBox(`${origin}${path}`, t("landing.result.qr"), draw)}<figcaption class="fine">${t("landing.result.qr")}</figcaption></figure>`}
        </div>
      </li>
      <li>
        <h3>${t("landing.clients")}</h3>
        ${clientTabs(channel.connect, secrets, draw)}
      </li>
      <li>
        <h3>${t("landing.result.keep")}</h3>
        ${secret(channel.join_token, { label: t("landing.token") })}
        ${channel.owner_password ? secret(channel.owner_password, { label: t("landing.owner_password") }) : nothing}
        ${channel.webhook?.secret ? secret(channel.webhook.secret, { label: t("landing.webhook_secret") }) : nothing}
        <div class="row">
          <button type="button" class="button" @click=${() => saveText(`channel-${channel.channel_id}.txt`, fileText(channel))}>${icon("download")} ${t("landing.result.save")}</button>
          <button type="button" class="button quiet" @click=${again}>${icon("plus")} ${t("landing.result.again")}</button>
        </div>
      </li>
    </ol>
  </section>`;
}

/** @param {any} channel */
function fileText(channel) {
  return [
    `rogerrat channel ${channel.channel_id} at ${new URL(channel.mcp_url).origin}`,
    `${t("landing.token")}: ${channel.join_token}`,
    channel.owner_password ? `${t("landing.owner_password")}: ${channel.owner_password}` : "",
    channel.webhook?.secret ? `${t("landing.webhook_secret")}: ${channel.webhook.secret}` : "",
    "",
    `${t("landing.result.invitation")}:`,
    channel.peer_invite,
    "",
  ].filter((line, at, all) => line || all[at - 1]).join("\n");
}
