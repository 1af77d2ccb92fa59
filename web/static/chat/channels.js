// The page without a channel: paste a link, or choose one of the channels that this device remembers.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { isInstalled, keepForOffline } from "../lib/app.js";
import { t, ago } from "../lib/i18n.js";
import { BANDS } from "../lib/bands.js";
import { confirmDialog } from "../lib/dialog.js";
import { visible } from "../lib/visible.js";
import { parseFragment, parseLink } from "./fragment.js";
import { icon, labelled } from "./icon.js";
import { showInstall } from "./install.js";
import { forgetChannel } from "./keys.js";

/**
 * @param {HTMLElement} root
 * @param {Pick<Required<import("./types.js").Environment>, "session" | "lasting" | "vault">} stores
 * @param {(channel: string, fragment: string) => void} open
 */
export async function showChannels(root, stores, open) {
  let error = "";
  /** @type {import("./types.js").Remembered[]} */
  let remembered = [];
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("link") ?? "").trim();
    const link = parseLink(text);
    if (!link) error = t(text ? "chat.channels.bad_link" : "chat.join.empty");
    else if (link.fragment && parseFragment(link.fragment).problem) error = t(`chat.link.${parseFragment(link.fragment).problem}`);
    else return open(link.channel, link.fragment);
    draw();
    /** @type {HTMLElement | null} */ (root.querySelector("#link"))?.focus();
  };
  const forget = async (/** @type {string} */ channel) => {
    if (!await confirmDialog({ title: t("chat.channels.forget_title", { name: channel }), text: t("chat.end.forget.long"), action: t("chat.channels.forget") })) return;
    await forgetChannel(channel, stores);
    remembered = await stores.vault.list();
    draw();
  };
  const draw = () => render(html`<div class="gate"><div class="gate-card wide">
    <h1>${t("chat.channels")}</h1>
    <form class="card" @submit=${submit} novalidate>
      <div class="field"><label class="label" for="link">${t("chat.channels.link")}</label>
        <input id="link" name="link" type="text" inputmode="url" autocomplete="off" autocapitalize="off" spellcheck="false" aria-invalid=${error ? "true" : "false"} aria-describedby="link-hint link-error" placeholder="…/remote/channel#t=…">
        <span class="hint" id="link-hint">${t("chat.channels.link.hint")}</span>
        <span class="error" id="link-error" role=${error ? "alert" : nothing}>${error || nothing}</span></div>
      <div class="buttons"><button class="button primary">${t("chat.channels.open")}</button></div>
    </form>
    <h2>${t("chat.channels.remembered")}</h2>
    ${remembered.length ? html`<ul class="channel-list">${remembered.map(({ channel, credentials, used_at }) => html`<li class="card">
        <a href=${`/remote/${encodeURIComponent(channel)}`}><b><bdi>${visible(credentials.name ?? channel)}</bdi></b><small>${[credentials.name ? channel : "", credentials.callsign ? t("chat.channels.as", { name: credentials.callsign }) : "", ago(used_at)].filter(Boolean).map(visible).join(" · ")}</small></a>
        <button type="button" class="button quiet round" title=${t("chat.channels.forget")} @click=${() => forget(channel)}>${labelled("trash", t("chat.channels.forget_title", { name: channel }))}</button></li>`)}</ul>`
      : html`<p class="muted">${t("chat.channels.none")}</p>`}
    <section id="install"></section>
    <h2>${t("chat.channels.bands")}</h2>
    <ul class="channel-list">${BANDS.map(band => html`<li class="card"><a href=${`/remote/${band}`}>${icon("all")} <b>${band}</b><small>${t(`chat.channels.band.${band}`)}</small></a></li>`)}</ul>
  </div></div>`, root);
  draw();
  remembered = await stores.vault.list().catch(() => []);
  if (remembered.length) draw();
  void showInstall(/** @type {HTMLElement} */ (root.querySelector("#install")));
  if (remembered.length || isInstalled()) await keepForOffline().catch(() => undefined);
}
