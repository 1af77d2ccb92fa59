import{b as g}from"./chunk-KD6CQUTY.js";import{a as u}from"./chunk-SGCYY52M.js";import{b as p,e as d}from"./chunk-NULVYSTY.js";import"./chunk-3LGTVSS6.js";import{html as r,nothing as m,render as b}from"../chunks/chat.js";import{ago as $,t as a}from"../chunks/chat.js";import{BANDS as k}from"../chunks/chat.js";import{visible as h}from"../chunks/chat.js";import{parseFragment as f,parseLink as v}from"../chunks/chat.js";import{icon_chat_icon_js as x,labelled as w}from"../chunks/chat.js";import{forgetChannel as y}from"../chunks/chat.js";async function X(s,c,D){let i="",n=[],S=t=>{t.preventDefault();let l=String(new FormData(t.target).get("link")??"").trim(),e=v(l);if(!e)i=a(l?"chat.channels.bad_link":"chat.join.empty");else if(e.fragment&&f(e.fragment).problem)i=a(`chat.link.${f(e.fragment).problem}`);else return D(e.channel,e.fragment);o(),s.querySelector("#link")?.focus()},_=async t=>{await g({title:a("chat.channels.forget_title",{name:t}),text:a("chat.end.forget.long"),action:a("chat.channels.forget")})&&(await y(t,c),n=await c.vault.list(),o())},o=()=>b(r`<div class="gate"><div class="gate-card wide">
    <h1>${a("chat.channels")}</h1>
    <form class="card" @submit=${S} novalidate>
      <div class="field"><label class="label" for="link">${a("chat.channels.link")}</label>
        <input id="link" name="link" type="text" inputmode="url" autocomplete="off" autocapitalize="off" spellcheck="false" aria-invalid=${i?"true":"false"} aria-describedby="link-hint link-error" placeholder="…/remote/channel#t=…">
        <span class="hint" id="link-hint">${a("chat.channels.link.hint")}</span>
        <span class="error" id="link-error" role=${i?"alert":m}>${i||m}</span></div>
      <div class="buttons"><button class="button primary">${a("chat.channels.open")}</button></div>
    </form>
    <h2>${a("chat.channels.remembered")}</h2>
    ${n.length?r`<ul class="channel-list">${n.map(({channel:t,credentials:l,used_at:e})=>r`<li class="card">
        <a href=${`/remote/${encodeURIComponent(t)}`}><b><bdi>${h(l.name??t)}</bdi></b><small>${[l.name?t:"",l.callsign?a("chat.channels.as",{name:l.callsign}):"",$(e)].filter(Boolean).map(h).join(" · ")}</small></a>
        <button type="button" class="button quiet round" title=${a("chat.channels.forget")} @click=${()=>_(t)}>${w("trash",a("chat.channels.forget_title",{name:t}))}</button></li>`)}</ul>`:r`<p class="muted">${a("chat.channels.none")}</p>`}
    <section id="install"></section>
    <h2>${a("chat.channels.bands")}</h2>
    <ul class="channel-list">${k.map(t=>r`<li class="card"><a href=${`/remote/${t}`}>${x("all")} <b>${t}</b><small>${a(`chat.channels.band.${t}`)}</small></a></li>`)}</ul>
  </div></div>`,s);o(),n=await c.vault.list().catch(()=>[]),n.length&&o(),u(s.querySelector("#install")),(n.length||p())&&await d().catch(()=>{})}export{X as showChannels};
