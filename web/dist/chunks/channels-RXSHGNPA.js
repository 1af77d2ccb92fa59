import{b as p}from"./chunk-KD6CQUTY.js";import{html as n,nothing as c,render as d}from"../chunks/chat.js";import{ago as g,t as a}from"../chunks/chat.js";import{BANDS as b}from"../chat/main.js";import{visible as m}from"../chunks/chat.js";import{parseFragment as h,parseLink as u}from"../chunks/chat.js";import{icon_chat_icon_js as $,labelled as k}from"../chunks/chat.js";import{forgetChannel as v}from"../chunks/chat.js";async function P(f,s,x){let r="",i=[],w=t=>{t.preventDefault();let l=String(new FormData(t.target).get("link")??"").trim(),e=u(l);if(!e)r=a(l?"chat.channels.bad_link":"chat.join.empty");else if(e.fragment&&h(e.fragment).problem)r=a(`chat.link.${h(e.fragment).problem}`);else return x(e.channel,e.fragment);o(),f.querySelector("#link")?.focus()},y=async t=>{await p({title:a("chat.channels.forget_title",{name:t}),text:a("chat.end.forget.long"),action:a("chat.channels.forget")})&&(await v(t,s),i=await s.vault.list(),o())},o=()=>d(n`<div class="gate"><div class="gate-card wide">
    <h1>${a("chat.channels")}</h1>
    <form class="card" @submit=${w} novalidate>
      <div class="field"><label class="label" for="link">${a("chat.channels.link")}</label>
        <input id="link" name="link" type="text" inputmode="url" autocomplete="off" autocapitalize="off" spellcheck="false" aria-invalid=${r?"true":"false"} aria-describedby="link-hint link-error" placeholder="…/remote/channel#t=…">
        <span class="hint" id="link-hint">${a("chat.channels.link.hint")}</span>
        <span class="error" id="link-error" role=${r?"alert":c}>${r||c}</span></div>
      <div class="buttons"><button class="button primary">${a("chat.channels.open")}</button></div>
    </form>
    <h2>${a("chat.channels.remembered")}</h2>
    ${i.length?n`<ul class="channel-list">${i.map(({channel:t,credentials:l,used_at:e})=>n`<li class="card">
        <a href=${`/remote/${encodeURIComponent(t)}`}><b><bdi>${m(l.name??t)}</bdi></b><small>${[l.name?t:"",l.callsign?a("chat.channels.as",{name:l.callsign}):"",g(e)].filter(Boolean).map(m).join(" · ")}</small></a>
        <button type="button" class="button quiet round" title=${a("chat.channels.forget")} @click=${()=>y(t)}>${k("trash",a("chat.channels.forget_title",{name:t}))}</button></li>`)}</ul>`:n`<p class="muted">${a("chat.channels.none")}</p>`}
    <h2>${a("chat.channels.bands")}</h2>
    <ul class="channel-list">${b.map(t=>n`<li class="card"><a href=${`/remote/${t}`}>${$("all")} <b>${t}</b><small>${a(`chat.channels.band.${t}`)}</small></a></li>`)}</ul>
  </div></div>`,f);o(),i=await s.vault.list().catch(()=>[]),i.length&&o()}export{P as showChannels};
