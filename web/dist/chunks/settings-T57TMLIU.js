import{a as g}from"./chunk-B3FYAB6E.js";import"./chunk-KD6CQUTY.js";import{html as o,nothing as i,render as d}from"../chunks/chat.js";import{t}from"../chunks/chat.js";import{lasting as h}from"../chunks/chat.js";import{announceKey as l,announceOn as u,shortcutsKey as $,shortcutsOn as p}from"../chunks/chat.js";function D(r,f){let b=g(t("chat.settings")),{channel:e}=r,m=n=>s=>{s.target.checked?h.remove(n):h.set(n,"off"),f()},a=(n,s,y,x)=>o`<label class="check">
    <input type="checkbox" .checked=${y} @change=${x}><span>${t(n)}<small>${t(s)}</small></span></label>`,c=(n,s)=>s?o`<div><dt>${t(n)}</dt><dd>${s}</dd></div>`:i;d(o`
    ${r.abilities.roster?a("chat.settings.remember","chat.settings.remember.long",r.remembered,n=>{r.remember(n.target.checked)}):i}
    ${a("chat.settings.announce","chat.settings.announce.long",u(),m(l))}
    ${a("chat.settings.shortcuts","chat.settings.shortcuts.long",p(),m($))}
    <h3>${t("chat.settings.channel")}</h3>
    <dl class="facts">
      ${c("chat.settings.id",o`<code>${e.id}</code>`)}
      ${c("chat.settings.me",o`<bdi>${e.me}</bdi>`)}
      ${c("chat.settings.retention",e.retention?t(`chat.retention.${e.retention}`):"")}
      ${c("chat.settings.dm",e.dm_visibility?t(`chat.dm.${e.dm_visibility}`):"")}
      ${c("chat.settings.trust",e.trust_posture?t(`chat.trust.${e.trust_posture}`):"")}
    </dl>`,b.body)}export{D as openSettings};
