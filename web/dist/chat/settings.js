import{html as o,nothing as i,render as g}from"../chunks/shared.js";import{t}from"../chunks/shared.js";import{lasting as h}from"../chunks/shared.js";import{announceKey as d,announceOn as l,shortcutsKey as u,shortcutsOn as p}from"../chunks/chat.js";import{openSheet as $}from"../chunks/chat.js";function F(r,f){let b=$(t("chat.settings")),{channel:e}=r,m=n=>s=>{s.target.checked?h.remove(n):h.set(n,"off"),f()},a=(n,s,y,x)=>o`<label class="check">
    <input type="checkbox" .checked=${y} @change=${x}><span>${t(n)}<small>${t(s)}</small></span></label>`,c=(n,s)=>s?o`<div><dt>${t(n)}</dt><dd>${s}</dd></div>`:i;g(o`
    ${r.abilities.roster?a("chat.settings.remember","chat.settings.remember.long",r.remembered,n=>{r.remember(n.target.checked)}):i}
    ${a("chat.settings.announce","chat.settings.announce.long",l(),m(d))}
    ${a("chat.settings.shortcuts","chat.settings.shortcuts.long",p(),m(u))}
    <h3>${t("chat.settings.channel")}</h3>
    <dl class="facts">
      ${c("chat.settings.id",o`<code>${e.id}</code>`)}
      ${c("chat.settings.me",o`<bdi>${e.me}</bdi>`)}
      ${c("chat.settings.retention",e.retention?t(`chat.retention.${e.retention}`):"")}
      ${c("chat.settings.dm",e.dm_visibility?t(`chat.dm.${e.dm_visibility}`):"")}
      ${c("chat.settings.trust",e.trust_posture?t(`chat.trust.${e.trust_posture}`):"")}
    </dl>`,b.body)}export{F as openSettings};
