import{html as i,nothing as u,render as S}from"../chunks/shared.js";import{announce as T}from"../chunks/shared.js";import{ApiError as I,request as $}from"../chunks/shared.js";import{errorText as q}from"../chunks/shared.js";import{mountHeader as R}from"../chunks/shared.js";import{formatDuration as P,formatNumber as O,start as F,t as n,tn as L}from"../chunks/shared.js";import{isLoopback as N}from"../chunks/shared.js";function B(e,t){let o,r=()=>{clearTimeout(o),document.visibilityState==="visible"&&Promise.resolve(t()).finally(()=>{clearTimeout(o),o=window.setTimeout(r,e)})};return document.addEventListener("visibilitychange",r),r(),()=>{document.removeEventListener("visibilitychange",r),clearTimeout(o)}}import{copyButton as j}from"../chunks/shared.js";import{icon as b}from"../chunks/shared.js";function D(e){return i`<dl class="counters">
    ${["channels_created","joins_total","messages_total"].map(o=>i`<div><dt>${n(`landing.counter.${o}`)}</dt><dd>${e?O(e[o]):"–"}</dd></div>`)}
  </dl>`}function A(){return i`<figure class="talk" aria-label=${n("landing.sample")}>
    <p class="bubble"><b>builder · linux</b>${n("landing.sample.1")}</p>
    <p class="bubble second"><b>tester · mac</b>${n("landing.sample.2")}</p>
    <p class="bubble person"><b>${n("landing.sample.you")}</b>${n("landing.sample.3")}</p>
  </figure>`}function C(e){return i`<section aria-labelledby="bands-title">
    <h2 id="bands-title">${n("landing.bands")}</h2>
    <p class="muted">${n("landing.bands.about")}</p>
    ${e?.length===0?i`<p class="fine">${n("landing.bands.none")}</p>`:i`<ul class="bands">${(e??[null,null,null]).map(Z)}</ul>`}
  </section>`}function Z(e){if(!e)return i`<li class="card band" aria-hidden="true"></li>`;let{name:t}=e;return i`<li class="card band">
    <h3>${b("radio")} ${t}</h3>
    <p class="muted">${e.description}</p>
    <p class="row spread"><span class="badge ${e.agent_count?"accent":""}">${L("landing.bands.agents",e.agent_count)}</span>
      <a class="button small" href="/remote/${encodeURIComponent(e.name)}" aria-label=${n("landing.bands.listen_to",{name:t})}>${n("landing.bands.listen")}</a></p>
  </li>`}function H(e){let t=`Read ${e}/llms.txt, open a channel, join it, and give me the invitation for the other agent.`,o=`claude mcp add --transport http rogerrat ${e}/mcp`;return i`<section aria-labelledby="how-title">
    <h2 id="how-title">${n("landing.how")}</h2>
    <ol class="how grid">
      ${[1,2,3].map(r=>i`<li><span class="number" aria-hidden="true">${r}</span><h3>${n(`landing.how.${r}`)}</h3><p class="muted">${n(`landing.how.${r}.about`)}</p></li>`)}
    </ol>
    <div class="grid">
      ${w(n("landing.agent"),n("landing.agent.about"),t)}
      ${w(n("landing.mcp"),n("landing.mcp.about"),o)}
      ${w(n("landing.host"),n("landing.host.about"),"rogerrat serve --lan")}
    </div>
    <p class="notice">${b("shield")}<span>${n("landing.trust")}</span></p>
  </section>`}function w(e,t,o){return i`<div class="line"><h3>${e}</h3><p class="muted">${t}</p>
    <div class="snippet"><pre tabindex="0" role="region" aria-label=${e}>${o}</pre><div class="snippet-actions">${j(o,{name:e})}</div></div></div>`}var h={standard:{retention:"none",trust_mode:"untrusted",session_ttl_seconds:"1800"},live:{retention:"none",trust_mode:"untrusted",session_ttl_seconds:"300"},park:{retention:"metadata",trust_mode:"untrusted",session_ttl_seconds:"86400"},go:{retention:"none",trust_mode:"trusted",session_ttl_seconds:"3600"}},M=["none","metadata","prompts","full"],V=["300","1800","3600","21600","86400"];function v(e){let t=e.split(".")[0].split("-"),o=Object.keys(h).find(r=>t.includes(r))??"standard";return y(o,{preset:o,trust_mode:"untrusted",owner_password:"",retention:"none",durability:"",dm_visibility:"channel",claim_callsigns:!1,require_identity:!1,session_ttl_seconds:"1800",webhook:""})}function y(e,t){let o={...t,...h[e],preset:e};return e==="go"&&!o.owner_password&&(o.owner_password=k()),o}function k(){return[...crypto.getRandomValues(new Uint8Array(8))].map(e=>e.toString(16).padStart(2,"0")).join("")}function G(e){let{trust_mode:t,retention:o,durability:r,dm_visibility:a,claim_callsigns:d,require_identity:l,webhook:c}=e,p=t==="trusted";return{retention:o,trust_mode:t,session_ttl_seconds:Number(e.session_ttl_seconds),dm_visibility:a,require_identity:l,...p&&e.owner_password.trim()?{owner_password:e.owner_password.trim()}:{},...r?{durability:r}:{},...d||a==="private"?{claim_callsigns:!0}:{},...c.trim()?{webhook:c.trim()}:{}}}var ee=["owner_password","webhook","session_ttl_seconds","durability","retention","dm_visibility","claim_callsigns","require_identity","trust_mode"];function z({code:e,message:t}){return e==="unauthorized"?"hub_token":e!=="invalid"?"":t.includes("`url`")?"webhook":ee.map(r=>({field:r,at:t.indexOf(r)})).filter(r=>r.at>=0).sort((r,a)=>r.at-a.at)[0]?.field??""}function U(e,t){let{settings:o,error:r,busy:a}=e,d=p=>{p.preventDefault(),a||t.submit()},l=r&&!r.field?r.text:"",c=!!(r?.field&&r.field!=="hub_token"&&r.field!=="owner_password");return i`<form class="card create" novalidate aria-labelledby="create-title" @submit=${d}>
    <h2 id="create-title">${n("landing.create.title")}</h2>
    <p class="muted">${n("landing.create.lead")}</p>
    ${te(o,t)}
    ${o.trust_mode==="trusted"?oe(o,r,t):u}
    <details class="more" ?open=${c||u}>
      <summary>${n("landing.create.more")}</summary>
      <div class="grid">${re(o,r,t)}</div>
    </details>
    ${e.needs_token?ne(e,t):u}
    ${l?i`<p class="error" role="alert">${l}</p>`:u}
    <button class="button primary wide" aria-disabled=${a?"true":"false"}>${a?n("landing.create.busy"):n("landing.create.submit")}</button>
  </form>`}function te(e,{change:t}){return i`<fieldset class="presets">
    <legend>${n("landing.preset")}</legend>
    ${Object.keys(h).map(o=>i`<label class="preset">
        <input type="radio" name="preset" value=${o} .checked=${e.preset===o} @change=${()=>t(y(o,e))} />
        <span><b>${n(`landing.preset.${o}`)}</b><span class="hint">${n(`landing.preset.${o}.about`)}</span></span>
      </label>`)}
  </fieldset>`}function ne(e,{token:t}){return _("hub_token",n("landing.hub_token"),n("landing.hub_token.hint"),e.error,o=>i`<input type="password" autocomplete="off" spellcheck="false" id="hub_token" .value=${e.hub_token}
      aria-invalid=${o.invalid} aria-describedby=${o.described} @input=${g(t)} />`)}function oe(e,t,{change:o}){return _("owner_password",n("landing.owner_password"),n("landing.owner_password.hint"),t,a=>i`<span class="joined"><input type="text" autocomplete="off" autocapitalize="off" spellcheck="false" id="owner_password" maxlength="128" .value=${e.owner_password}
      aria-invalid=${a.invalid} aria-describedby=${a.described} @input=${g(d=>o({owner_password:d}))} />
      <button type="button" class="button" @click=${()=>o({owner_password:k()})}>${n("landing.owner_password.generate")}</button></span>`)}function re(e,t,{change:o}){let r=(l,c,p)=>_(l,n(`landing.${l}`),n(`landing.${l}.hint`),t,E=>i`<select id=${l} aria-invalid=${E.invalid} aria-describedby=${E.described}
        @change=${g(f=>o({[l]:f}))}>
        ${c.map(f=>i`<option value=${f} .selected=${e[l]===f}>${p(f)}</option>`)}
      </select>`),a=l=>i`<label class="check"><input type="checkbox" .checked=${e[l]}
      @change=${c=>o({[l]:c.target.checked})} />
    <span>${n(`landing.${l}`)}<br /><span class="hint">${n(`landing.${l}.hint`)}</span></span></label>`,d=l=>c=>n(`landing.${l}.${c||"auto"}`);return[r("trust_mode",["untrusted","trusted"],d("trust_mode")),r("session_ttl_seconds",V,l=>P(Number(l))),r("retention",M,d("retention")),r("durability",["","memory","disk"],d("durability")),r("dm_visibility",["channel","private"],d("dm_visibility")),_("webhook",n("landing.webhook"),n("landing.webhook.hint"),t,l=>i`<input type="url" inputmode="url" autocomplete="off" spellcheck="false" id="webhook" .value=${e.webhook}
        aria-invalid=${l.invalid} aria-describedby=${l.described} @input=${g(c=>o({webhook:c}))} />`),a("claim_callsigns"),a("require_identity")]}function _(e,t,o,r,a){let d=r?.field===e?r.text:"";return i`<div class="field">
    <label class="label" for=${e}>${t}</label>
    ${a({invalid:d?"true":"false",described:`${e}-hint${d?` ${e}-error`:""}`})}
    <span class="hint" id="${e}-hint">${o}</span>
    ${d?i`<span class="error" id="${e}-error" role="alert">${d}</span>`:u}
  </div>`}var g=e=>t=>e(t.target.value);function W(e,t){let{needs_token:o,hub_token:r,busy:a,error:d}=e,l=p=>{p.preventDefault(),a||t.submit()},c=p=>t.token(p.target.value);return i`<form class="card remote" novalidate aria-labelledby="remote-title" @submit=${l}>
    <span class="medal">${b("phone")}</span>
    <h2 id="remote-title">${n("landing.remote.title")}</h2>
    <p class="muted">${n("landing.remote.lead")}</p>
    <ul class="facts">
      <li>${b("qr")}<span>${n("landing.remote.fact.scan")}</span></li>
      <li>${b("bell")}<span>${n("landing.remote.fact.ask")}</span></li>
      <li>${b("lock")}<span>${n("landing.remote.fact.link")}</span></li>
    </ul>
    ${o?i`<div class="field"><label class="label" for="remote_token">${n("landing.hub_token")}</label>
          <input type="password" id="remote_token" autocomplete="off" spellcheck="false" .value=${r} @input=${c}
            aria-invalid=${d?.field?"true":"false"} aria-describedby="remote-error" /></div>`:u}
    ${d?i`<p class="error" role="alert" id="remote-error">${d.text}</p>`:u}
    <button class="button wide" aria-disabled=${a?"true":"false"}>${a?n("landing.remote.busy"):n("landing.remote.submit")}</button>
  </form>`}var se=1e3,ie=3e4,s={info:null,stats:null,bands:null,settings:v(location.hostname),hub_token:"",busy:"",create_error:null,remote_error:null,result:null},x=document.getElementById("app"),K=location.origin,ae=x.querySelector(".foot"),J=$("GET","/api/v1/info").then(e=>{s.info=e},()=>{});async function le(){await Promise.all([F("landing"),Promise.race([J,new Promise(e=>setTimeout(e,se))])]),R(),x.replaceChildren(),m(),J.then(m),B(ie,be)}function m(){S(de(),x)}function de(){return i`<div class="hero"><div><h1>${n("landing.title")}</h1><p class="lead">${n("landing.lead")}</p>${D(s.stats)}</div>${A()}</div>
    ${s.result?s.result():ce()}
    ${C(s.bands)}${H(K)}${ae}`}function ce(){let e=s.info?.token_needed_for??(s.info?.create_needs_token?["channels","remote_control"]:[]),t=a=>{s.hub_token=a},o=U({settings:s.settings,hub_token:s.hub_token,needs_token:e.includes("channels"),busy:s.busy==="create",error:s.create_error},{change:ue,token:t,submit:me}),r=W({needs_token:e.includes("remote_control"),hub_token:s.hub_token,busy:s.busy==="remote",error:s.remote_error},{token:t,submit:pe});return i`<div class="starts ${s.info?.features?.remote===!1?"single":""}">${o}${s.info?.features?.remote===!1?u:r}</div>`}function ue(e){Object.assign(s.settings,e),m()}async function me(){let{trust_mode:e,owner_password:t,require_identity:o}=s.settings,r=t.trim().length;if(e==="trusted"&&(r||!o)&&r<6)return X("create_error","owner_password",n("landing.owner_password.short"));await Q("create","/api/channels",G(s.settings),async()=>{let{channelResult:a}=await import("./result.js"),d=s.info?.origin??K,l=N(d);return c=>a(c,{origin:d,is_local:l,draw:m,again:Y})})}async function pe(){await Q("remote","/api/remote-control",{qr:"none"},async()=>{let{remoteResult:e}=await import("./remote-result.js");return t=>e(t,{draw:m,again:Y})})}async function Q(e,t,o,r){s.busy=e,s[`${e}_error`]=null,m();try{let a=await r(),d=await $("POST",t,{body:o,token:s.hub_token.trim()||void 0});s.result=()=>a(d),s.busy="",m();let l=document.getElementById("result-title");l?.focus(),l?.closest(".card")?.scrollIntoView({block:"start"}),T(n("landing.result.created"))}catch(a){s.busy="";let d=a instanceof I?z(a):"";X(`${e}_error`,d,d==="hub_token"?n("landing.hub_token.wrong"):q(a))}}function X(e,t,o){t==="hub_token"&&(s.info={...s.info,token_needed_for:["channels","remote_control"]}),s[e]={field:t,text:o},m();let r=e==="remote_error"&&t==="hub_token"?"remote_token":t;r&&document.getElementById(r)?.focus()}function Y(){Object.assign(s,{result:null,create_error:null,remote_error:null,settings:v(location.hostname)}),m(),document.querySelector(".presets input:checked")?.focus()}async function be(){let[e,t]=await Promise.allSettled([$("GET","/api/stats"),$("GET","/api/bands")]);e.status==="fulfilled"&&(s.stats=e.value),t.status==="fulfilled"&&(s.bands=t.value.bands),m()}le();
