import{a as m}from"./chunk-B3FYAB6E.js";import"./chunk-KD6CQUTY.js";import{html as c,nothing as h,render as p}from"../chunks/chat.js";import{t as e}from"../chunks/chat.js";import{lasting as u}from"../chunks/chat.js";import{announceKey as b,announceOn as $,shortcutsKey as f,shortcutsOn as y}from"../chunks/chat.js";function G(s,v){let r=m(e("chat.settings")),{channel:n}=s,g=t=>i=>{i.target.checked?u.remove(t):u.set(t,"off"),v()},a=(t,i,K,O)=>c`<label class="check">
    <input type="checkbox" .checked=${K} @change=${O}><span>${e(t)}<small>${e(i)}</small></span></label>`,o=(t,i)=>i?c`<div><dt>${e(t)}</dt><dd>${i}</dd></div>`:h,d=()=>p(c`
    ${s.abilities.roster?a("chat.settings.remember","chat.settings.remember.long",s.remembered,t=>{s.remember(t.target.checked)}):h}
    <section id="push-settings" aria-busy=${s.abilities.push?"true":"false"}></section>
    ${a("chat.settings.announce","chat.settings.announce.long",$(),g(b))}
    ${a("chat.settings.shortcuts","chat.settings.shortcuts.long",y(),g(f))}
    <h3>${e("chat.settings.channel")}</h3>
    <dl class="facts">
      ${o("chat.settings.id",c`<code>${n.id}</code>`)}
      ${o("chat.settings.me",c`<bdi>${n.me}</bdi>`)}
      ${o("chat.settings.retention",n.retention?e(`chat.retention.${n.retention}`):"")}
      ${o("chat.settings.dm",n.dm_visibility?e(`chat.dm.${n.dm_visibility}`):"")}
      ${o("chat.settings.trust",n.trust_posture?e(`chat.trust.${n.trust_posture}`):"")}
    </dl>`,r.body);d();let x=s.subscribe(({parts:t})=>{t.has("channel")&&d()});r.closed.then(x);let l=r.body.querySelector("#push-settings");s.abilities.push&&import("./push-settings-ZI4I3IIF.js").then(({showPushSettings:t})=>t(s,l)).finally(()=>l.removeAttribute("aria-busy"))}export{G as openSettings};
