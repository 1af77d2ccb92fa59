// Remote control that was just started: the links for the phone, and what the agent needs.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../lib/copy.js";
import { formatDuration, t } from "../lib/i18n.js";
import { icon } from "../lib/icon.js";
import { qrBox } from "../lib/qr.js";
import { secret, secretBlock } from "../lib/secret.js";

/**
 * @param {any} remote the reply of the hub
 * @param {{draw: () => void, again: () => void}} actions
 */
export function remoteResult(remote, { draw, again }) {
  const secrets = [remote.channel_token, remote.owner_password, remote.agent.identity_key, remote.phone.identity_key];
  return html`<section class="card result" aria-labelledby="result-title">
    <p class="badge ok">${icon("check")} ${t("landing.remote.ready")}</p>
    <h2 id="result-title" tabindex="-1">${t("landing.remote.result")}</h2>
    <p class="muted">${t("landing.remote.key", { time: formatDuration(remote.expires_in_seconds ?? remote.session_ttl_seconds) })}</p>
    ${remote.notice ? html`<p class="notice warn">${icon("warning")}<span>${prose(remote.notice)}</span></p>` : nothing}
    <ol class="steps">
      <li>
        <h3>${t("landing.remote.scan")}</h3>
        <div class="beside">
          <div>
            <p class="muted">${t("landing.remote.scan.about")}</p>
            <div class="row">
              <a class="button small" href=${remote.mobile_url} target="_blank" rel="noopener">${icon("external")} ${t("landing.remote.open")}</a>
              ${copyButton(remote.mobile_url, { label: t("landing.remote.copy_link") })}
            </div>
          </div>
          <figure class="code">${qrBox(remote.mobile_url, t("landing.remote.qr"), draw)}<figcaption class="fine">${t("landing.remote.qr")}</figcaption></figure>
        </div>
      </li>
      <li>
        <h3>${t("landing.remote.agent")}</h3>
        <p class="muted">${t("landing.remote.agent.about")}</p>
        ${secretBlock(agentText(remote), { label: t("landing.remote.agent_text"), secrets, primary: true, copy: t("landing.remote.copy_agent") })}
      </li>
      <li>
        <h3>${t("landing.remote.share")}</h3>
        <p class="muted">${t("landing.remote.share.about")}</p>
        ${secretBlock(remote.mobile_url_protected, { label: t("landing.remote.protected"), secrets })}
        ${secret(remote.owner_password, { label: t("landing.remote.pin") })}
        <button type="button" class="button quiet" @click=${again}>${icon("plus")} ${t("landing.remote.again")}</button>
      </li>
    </ol>
  </section>`;
}

/**
 * A sentence of the hub, with its `code`.
 * @param {string} text
 */
const prose = text => String(text).split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));

/** @param {any} remote */
function agentText(remote) {
  const commands = [
    ["landing.remote.agent.setup", remote.setup_command],
    ["landing.remote.agent.wait", remote.waiter_command_template],
    ["landing.remote.agent.reply", remote.reply_command_template],
  ].filter(([, command]) => command);
  const blocks = commands.map(([key, command]) => `${t(key)}\n\n${command}`);
  return [t("landing.remote.agent.intro", { channel: remote.channel_id, phone: remote.phone.callsign }), ...blocks].join("\n\n");
}
