// The parts of the landing page around its two forms: counters, bands, and how the hub is used.
import { html } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../lib/copy.js";
import { formatNumber, t, tn } from "../lib/i18n.js";
import { icon } from "../lib/icon.js";

/** @param {{channels_created: number, joins_total: number, messages_total: number} | null} stats */
export function counters(stats) {
  const items = /** @type {const} */ (["channels_created", "joins_total", "messages_total"]);
  return html`<dl class="counters">
    ${items.map((key) => html`<div><dt>${tn(`landing.counter.${key}`, stats?.[key] ?? 0)}</dt><dd>${stats ? formatNumber(stats[key]) : "–"}</dd></div>`)}
  </dl>`;
}

/** A sample of a conversation, which shows on wide screens what a channel is. */
export function sampleTalk() {
  return html`<figure class="talk" aria-label=${t("landing.sample")}>
    <p class="bubble"><b>builder · linux</b>${t("landing.sample.1")}</p>
    <p class="bubble second"><b>tester · mac</b>${t("landing.sample.2")}</p>
    <p class="bubble person"><b>${t("landing.sample.you")}</b>${t("landing.sample.3")}</p>
  </figure>`;
}

/** @param {{name: string, description: string, agent_count: number}[] | null} bands */
export function bandList(bands) {
  return html`<section aria-labelledby="bands-title">
    <h2 id="bands-title">${t("landing.bands")}</h2>
    <p class="muted">${t("landing.bands.about")}</p>
    ${bands?.length === 0 ? html`<p class="fine">${t("landing.bands.none")}</p>` : html`<ul class="bands">${(bands ?? [null, null, null]).map(band)}</ul>`}
  </section>`;
}

/** @param {{name: string, description: string, agent_count: number} | null} band */
function band(band) {
  if (!band) return html`<li class="card band" aria-hidden="true"></li>`;
  const { name } = band;
  return html`<li class="card band">
    <h3>${icon("radio")} ${name}</h3>
    <p class="muted">${band.description}</p>
    <p class="row spread"><span class="badge ${band.agent_count ? "accent" : ""}">${tn("landing.bands.agents", band.agent_count)}</span>
      <a class="button small" href="/remote/${encodeURIComponent(band.name)}" aria-label=${t("landing.bands.listen_to", { name })}>${t("landing.bands.listen")}</a></p>
  </li>`;
}

/** @param {string} origin */
export function howItWorks(origin) {
  const prompt = `Read ${origin}/llms.txt, open a channel, join it, and give me the invitation for the other agent.`;
  const connection = `claude mcp add --transport http rogerrat ${origin}/mcp`;
  return html`<section aria-labelledby="how-title">
    <h2 id="how-title">${t("landing.how")}</h2>
    <ol class="how grid">
      ${[1, 2, 3].map((step) => html`<li><span class="number" aria-hidden="true">${step}</span><h3>${t(`landing.how.${step}`)}</h3><p class="muted">${t(`landing.how.${step}.about`)}</p></li>`)}
    </ol>
    <div class="grid">
      ${line(t("landing.agent"), t("landing.agent.about"), prompt)}
      ${line(t("landing.mcp"), t("landing.mcp.about"), connection)}
      ${line(t("landing.host"), t("landing.host.about"), "rogerrat serve --lan")}
    </div>
    <p class="notice">${icon("shield")}<span>${t("landing.trust")}</span></p>
  </section>`;
}

/** @param {string} title @param {string} about @param {string} text */
function line(title, about, text) {
  return html`<div class="line"><h3>${title}</h3><p class="muted">${about}</p>
    <div class="snippet"><pre tabindex="0" role="region" aria-label=${title}>${text}</pre><div class="snippet-actions">${copyButton(text, { name: title })}</div></div></div>`;
}
