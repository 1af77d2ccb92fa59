import{a as p}from"./chunk-B3FYAB6E.js";import"./chunk-KD6CQUTY.js";import{html as o,nothing as l,render as b}from"../chunks/chat.js";import{t as e}from"../chunks/chat.js";import{load as u}from"../chunks/chat.js";import{lasting as d}from"../chunks/chat.js";import{announceKey as f,announceOn as $,shortcutsKey as y,shortcutsOn as v}from"../chunks/chat.js";function L(s,x){let c=p(e("chat.settings")),{channel:n}=s,g=t=>i=>{i.target.checked?d.remove(t):d.set(t,"off"),x()},a=(t,i,O,k)=>o`<label class="check">
    <input type="checkbox" .checked=${O} @change=${k}><span>${e(t)}<small>${e(i)}</small></span></label>`,r=(t,i)=>i?o`<div><dt>${e(t)}</dt><dd>${i}</dd></div>`:l,m=()=>b(o`
    ${s.abilities.roster?a("chat.settings.remember","chat.settings.remember.long",s.remembered,t=>{s.remember(t.target.checked)}):l}
    <section id="install-settings"></section>
    <section id="push-settings" aria-busy=${s.abilities.push?"true":"false"}></section>
    ${a("chat.settings.announce","chat.settings.announce.long",$(),g(f))}
    ${a("chat.settings.shortcuts","chat.settings.shortcuts.long",v(),g(y))}
    <h3>${e("chat.settings.channel")}</h3>
    <dl class="facts">
      ${r("chat.settings.id",o`<code>${n.id}</code>`)}
      ${r("chat.settings.me",o`<bdi>${n.me}</bdi>`)}
      ${r("chat.settings.retention",n.retention?e(`chat.retention.${n.retention}`):"")}
      ${r("chat.settings.dm",n.dm_visibility?e(`chat.dm.${n.dm_visibility}`):"")}
      ${r("chat.settings.trust",n.trust_posture?e(`chat.trust.${n.trust_posture}`):"")}
    </dl>`,c.body);m();let K=s.subscribe(({parts:t})=>{t.has("channel")&&m()});c.closed.then(K);let h=t=>c.body.querySelector(t);u(import("./install-SYB7FGBH.js")).then(({showInstall:t})=>t(h("#install-settings"))),s.abilities.push&&u(import("./push-settings-P5Y5MHPQ.js")).then(({showPushSettings:t})=>t(s,h("#push-settings"))).finally(()=>h("#push-settings")?.removeAttribute("aria-busy"))}export{L as openSettings};
