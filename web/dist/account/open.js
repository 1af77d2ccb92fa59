import{a as v}from"../chunks/chunk-TKX452K6.js";import{a as F,b as Q,c as q,d as pt}from"../chunks/chunk-CUTHTLTI.js";import{a as dt,b as mt}from"../chunks/chunk-EKLRJPSP.js";import{html as N,nothing as ft}from"../chunks/shared.js";import{copyButton as bt}from"../chunks/shared.js";import{confirmDialog as $t}from"../chunks/shared.js";import{t as $}from"../chunks/shared.js";import{html as E,nothing as Y}from"../chunks/shared.js";import{repeat as ht}from"../chunks/shared.js";import{t as u}from"../chunks/shared.js";import{visible as wt}from"../chunks/shared.js";import{confirmDialog as tt}from"../chunks/shared.js";import{html as k,nothing as W}from"../chunks/shared.js";import{ago as yt,formatTime as gt,t as z}from"../chunks/shared.js";import{fault as et}from"../chunks/shared.js";function h({id:t,title:e,about:o,count:a="",aside:n=W},s){return k`<section class="card" id=${t} aria-labelledby=${`${t}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${t}-title`}>${e}${a===""?W:k` <span class="count">${a}</span>`}</h2>
      ${n}
    </div>
    <p class="muted about">${o}</p>
    ${s}
  </section>`}function w(t,e,o){let a=t.value;return k`
    ${t.error===null?W:ot(t)}
    ${a===null?t.error===null?k`<div class="skeleton" role="status"><span class="visually-hidden">${z("account.loading")}</span></div>`:W:a.length===0?k`<p class="nothing">${e}</p>`:o(a)}`}function ot(t){return k`<div class="failed">
    ${et(t.error)}
    <button type="button" class="button small" aria-disabled=${t.loading?"true":"false"} @click=${()=>t.reload()}>${z("account.retry")}</button>
  </div>`}function p(t,{task:e,label:o,of:a,kind:n="",act:s}){let l=t.tasks.isBusy(e);return k`<button type="button" class="button small ${n}" aria-label=${`${o}: ${a}`} aria-disabled=${l?"true":"false"}
    @click=${()=>{l||s()}}>${o}</button>`}var d=(t,e)=>et(t.tasks.error(e)),f=t=>k`<time datetime=${new Date(t).toISOString()} title=${gt(new Date(t))}>${yt(new Date(t))}</time>`;function B(t,e){return t===void 0?"":e==null?String(t):z("account.of",{count:t,limit:e})}async function vt(t,{callsign:e,identity_key:o}){t.known.set(Q(e),o),await Promise.all([t.summary.reload(),v({title:u("account.identity.made",{callsign:e}),about:u("account.identity.made.about"),file:`rogerrat-identity-${e}.txt`,items:[{label:u("account.identity.callsign"),value:e},{label:u("account.identity.key"),value:o}]})])}async function fe(t,e){e.preventDefault();let o=e.target,a=String(new FormData(o).get("callsign")??"").trim(),n=a===""?{}:{callsign:a},s=await t.tasks.run("identity",()=>t.call("POST","/api/account/identities",{body:n}));s!==null&&(o.reset(),await vt(t,s.value))}async function be(t,e){if(!await tt({title:u("account.identity.rotate.title",{callsign:e}),text:u("account.identity.rotate.about"),action:u("account.identity.rotate")}))return;let a=`/api/account/identities/${encodeURIComponent(e)}/rotate-key`,n=await t.tasks.run(`identity ${e}`,()=>t.call("POST",a));n!==null&&await vt(t,n.value)}async function $e(t,e){await tt({title:u("account.identity.delete.title",{callsign:e}),text:u("account.identity.delete.about"),typed:e,action:u("account.delete"),danger:!0})&&await t.tasks.run(`identity ${e}`,async()=>{await t.call("DELETE",`/api/account/identities/${encodeURIComponent(e)}`),t.known.delete(Q(e)),await t.summary.reload()})}function he(t,{callsign:e,created_at:o}){let a=`identity ${e}`,n=wt(e);return E`<li>
    <div class="who"><p><strong>${n}</strong></p><p class="muted">${u("account.created")} ${f(o)}</p></div>
    <div class="deeds">
      ${p(t,{task:a,label:u("account.identity.open"),of:n,act:async()=>(await import("./open-as.js")).openAs(t,{callsign:e})})}
      ${p(t,{task:a,label:u("account.identity.rotate"),of:n,act:()=>be(t,e)})}
      ${p(t,{task:a,label:u("account.delete"),of:n,kind:"danger",act:()=>$e(t,e)})}
    </div>
    ${d(t,a)}
  </li>`}function kt(t){let e=t.summary.value,o=e?.identities??[],a={id:"identities",title:u("account.identities"),about:u("account.identities.about"),count:B(e?.identities.length,e?.limits.identities)},n=t.tasks.isBusy("identity");return h(a,E`
    ${t.summary.error===null?Y:ot(t.summary)}
    ${e===null?t.summary.error===null?E`<div class="skeleton"></div>`:Y:o.length===0?E`<p class="nothing">${u("account.identities.none")}</p>`:E`<ul class="rows">${ht(o,s=>s.callsign,s=>he(t,s))}</ul>`}
    <form class="inline" @submit=${s=>fe(t,s)}>
      <label class="field"><span>${u("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${u("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${n?"true":"false"}>${u("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${u("account.identity.wish.about")}</p>
    ${d(t,"identity")}`)}import{html as D,nothing as V}from"../chunks/shared.js";import{repeat as xt}from"../chunks/shared.js";import{t as r,tn as _t}from"../chunks/shared.js";import{visible as at}from"../chunks/shared.js";import{word as St}from"../chunks/shared.js";import{confirmDialog as nt}from"../chunks/shared.js";import{html as P,nothing as G}from"../chunks/shared.js";import{repeat as Dt}from"../chunks/shared.js";import{ago as Tt,t as y,tn as Ot}from"../chunks/shared.js";import{visible as st}from"../chunks/shared.js";import{word as Et}from"../chunks/shared.js";import{confirmDialog as Bt}from"../chunks/shared.js";var Pt=new WeakMap;function K(t){let e=Pt.get(t)??new Map;return Pt.set(t,e),e}function It(t,e){let o=K(t);if(o.delete(e))return t.changed();let a=async()=>(await t.call("GET",`/api/account/channels/${encodeURIComponent(e)}`)).roster_all,n=new F(a,t.changed);o.set(e,n),n.reload()}function Rt(t){for(let e of K(t).values())e.reload()}async function we(t,e,{callsign:o}){await Bt({title:y("account.kick.title",{callsign:o}),text:y("account.kick.about"),action:y("account.kick"),danger:!0})&&await t.tasks.run(`members ${e}`,async()=>{await t.call("DELETE",`/api/account/channels/${encodeURIComponent(e)}/sessions/${encodeURIComponent(o)}`),await Promise.all([K(t).get(e)?.reload(),t.channels.reload()])})}function ye({online:t,reach:e,seen_at:o}){return t?e!==void 0&&e!=="away"?Et(`account.members.${e}`,e):o==null?y("account.members.online"):y("account.members.seen",{time:Tt(new Date(o))}):y("account.members.offline")}function Ct(t,e){let o=K(t).get(e);if(o===void 0)return G;let a=n=>P`<li>
    <div class="who"><p><strong>${st(n.callsign)}</strong> <span class="muted">#${n.idx}</span>
      <span class="badge ${n.online?"ok":""}">${ye(n)}</span></p>
      ${n.unread===void 0||n.unread===0?G:P`<p class="muted">${Ot("account.members.unread",n.unread)}</p>`}</div>
    ${n.online?P`<div class="deeds"><button type="button" class="button small" aria-label=${`${y("account.kick")}: ${st(n.callsign)}`}
      @click=${()=>we(t,e,n)}>${y("account.kick")}</button></div>`:G}
  </li>`;return P`<div class="inside">
    ${w(o,y("account.members.none"),n=>P`<ul class="rows">${Dt(n,s=>s.callsign,a)}</ul>`)}
    ${d(t,`members ${e}`)}
  </div>`}import{html as I,nothing as Mt}from"../chunks/shared.js";import{t as m}from"../chunks/shared.js";var ge=["none","metadata","prompts","full"],ve=["prompts","full"],R={retention:"none",trust:"untrusted",visibility:"channel"};async function ke(t,e,o){e.preventDefault();let a=e.target,n=dt(new FormData(a)),s=await t.tasks.run("channel",()=>t.call("POST","/api/channels",{body:n}));s!==null&&(a.reset(),a.closest("details")?.removeAttribute("open"),Object.assign(R,{retention:"none",trust:"untrusted",visibility:"channel"}),t.changed(),o(s.value))}function Z(t,e,o,a=()=>{}){return I`<label class="field"><span>${o}</span>
    <select name=${t} @change=${n=>a(n.target.value)}>
      ${e.map(n=>I`<option value=${n}>${m(`account.${t}.${n||"auto"}`)}</option>`)}
    </select></label>`}function qt(t,e,{isForced:o=!1}={}){return I`<label class="check"><input type="checkbox" name=${t} ?disabled=${o} /><span>${e}
    ${o?I`<span class="muted">${m("account.channel.forced")}</span>`:Mt}</span></label>`}function Wt(t,e){let o=t.tasks.isBusy("channel"),a=s=>{Object.assign(R,s),t.changed()},n=ve.includes(R.retention)?["","disk"]:["","memory","disk"];return I`<details class="new"><summary>${m("account.channel.new")}</summary>
    <form class="stack" @submit=${s=>ke(t,s,e)} autocomplete="off">
      ${Z("retention",ge,m("account.channel.retention"),s=>a({retention:s}))}
      <p class="hint">${m(`account.retention.${R.retention}.about`)}</p>
      ${qt("require_identity",m("account.channel.require"))}
      <details class="more"><summary>${m("account.channel.more")}</summary><div class="stack">
        ${Z("trust_mode",["untrusted","trusted"],m("account.channel.trust"),s=>a({trust:s}))}
        <p class="hint">${m(`account.trust.${R.trust}.about`)}</p>
        <label class="field"><span>${m("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${m("account.channel.password.about")}</p>
        ${Z("dm_visibility",["channel","private"],m("account.channel.dm"),s=>a({visibility:s}))}
        ${qt("claim_callsigns",m("account.channel.claim"),{isForced:R.visibility==="private"})}
        ${Z("durability",n,m("account.channel.durability"))}
        <label class="field"><span>${m("account.channel.session")}</span>
          <input name="session_minutes" type="number" inputmode="decimal" min="0.1" max="1440" step="any" placeholder="30" /></label>
        <label class="field"><span>${m("account.channel.member")}</span>
          <input name="member_days" type="number" inputmode="decimal" min="0.01" max="365" step="any" placeholder="7" /></label>
        <label class="field"><span>${m("account.channel.webhook")}</span>
          <input name="webhook" type="url" maxlength="2048" placeholder=${m("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        <p class="hint">${m("account.channel.webhook.about")}</p>
      </div></details>
      ${d(t,"channel")}
      <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
        ${o?m("account.channel.creating"):m("account.channel.create")}</button></div>
    </form>
  </details>`}async function xe(t,e){let o=e.channel_id;t.known.set(q(o),e.join_token);let a=[{label:r("account.channel.id"),value:o},{label:r("account.channel.token"),value:e.join_token},...e.owner_password?[{label:r("account.channel.password"),value:e.owner_password}]:[],...e.webhook?[{label:r("account.webhook.secret"),value:e.webhook.secret,note:e.webhook.url}]:[],...e.peer_invite?[{label:r("account.channel.invite"),value:e.peer_invite,note:r("account.channel.invite.about")}]:[]];await Promise.all([t.channels.reload(),t.summary.reload(),v({title:r("account.channel.made"),about:r("account.channel.made.about"),file:`rogerrat-channel-${o}.txt`,items:a,more:n=>D`<button type="button" class="button small" @click=${()=>{n(),At(t,o,e.require_identity===!0)}}>${r("account.channel.open")}</button>`})])}async function At(t,e,o){let a=t.known.get(q(e))??"";(t.summary.value?.identities.length??0)>0&&(o||a==="")?(await import("./open-as.js")).openAs(t,{channel:e}):mt(e,{token:a})}async function _e(t,e){if(!await nt({title:r("account.channel.rotate.title",{id:at(e)}),text:r("account.channel.rotate.about"),action:r("account.channel.rotate")}))return;let a=`/api/account/channels/${encodeURIComponent(e)}/rotate-token`,n=await t.tasks.run(`channel ${e}`,()=>t.call("POST",a));if(n===null)return;let{channel_id:s,join_token:l}=n.value;t.known.set(q(s),l),await v({title:r("account.channel.rotated"),about:r("account.channel.rotated.about"),file:`rogerrat-channel-${s}.txt`,items:[{label:r("account.channel.id"),value:s},{label:r("account.channel.token"),value:l}]})}async function Se(t,e){await nt({title:r("account.channel.delete.title"),text:r("account.channel.delete.about"),typed:e,action:r("account.delete"),danger:!0})&&await t.tasks.run(`channel ${e}`,async()=>{await t.call("DELETE",`/api/account/channels/${encodeURIComponent(e)}`),t.known.delete(q(e)),await Promise.all([t.channels.reload(),t.summary.reload()])})}function De(t,e){let{id:o}=e,a=`channel ${o}`,n=at(o),s=Ct(t,o);return D`<li>
    <div class="who">
      <p><strong>${n}</strong>
        ${e.require_identity?D`<span class="badge">${r("account.channel.identities")}</span>`:V}
        ${e.trust_mode==="trusted"?D`<span class="badge">${r("account.channel.trusted")}</span>`:V}</p>
      <p class="muted">${_t("account.channel.online",e.agent_count)} · ${St(`account.retention.${e.retention}`,e.retention)} ·
        ${r("account.created")} ${f(e.created_at)}</p>
    </div>
    <div class="deeds">
      ${p(t,{task:a,label:r("account.channel.open"),of:n,act:()=>At(t,o,e.require_identity)})}
      <button type="button" class="button small" aria-expanded=${s===V?"false":"true"} aria-label=${`${r("account.members")}: ${n}`}
        @click=${()=>It(t,o)}>${r("account.members")}</button>
      ${p(t,{task:a,label:r("account.channel.rotate"),of:n,act:()=>_e(t,o)})}
      ${p(t,{task:a,label:r("account.delete"),of:n,kind:"danger",act:()=>Se(t,o)})}
    </div>
    ${d(t,a)}
    ${s}
  </li>`}function Lt(t){let e={id:"channels",title:r("account.channels"),about:r("account.channels.about"),count:B(t.channels.value?.length,t.summary.value?.limits.channels)};return h(e,D`
    ${w(t.channels,r("account.channels.none"),o=>D`<ul class="rows">${xt(o,a=>a.id,a=>De(t,a))}</ul>`)}
    ${Wt(t,o=>xe(t,o))}`)}import{html as b,nothing as A}from"../chunks/shared.js";import{repeat as Ut}from"../chunks/shared.js";import{formatTime as it,t as i,tn as rt}from"../chunks/shared.js";import{visible as L}from"../chunks/shared.js";import{word as H}from"../chunks/shared.js";import{confirmDialog as lt}from"../chunks/shared.js";import{html as g,nothing as T}from"../chunks/shared.js";import{repeat as jt}from"../chunks/shared.js";import{t as O,tn as U}from"../chunks/shared.js";import{visible as Ft}from"../chunks/shared.js";import{word as X}from"../chunks/shared.js";var Te=3e4,Oe=700,j=new WeakMap,zt=new WeakMap;function x(t,e){let o=t.get(e)??new Map;return t.set(e,o),o}var Vt=async(t,e)=>(await t.call("GET",`/api/account/webhooks/${e}/deliveries`)).deliveries;function Gt(t,e){let o=x(j,t);if(o.delete(e))return t.changed();let a=new F(()=>Vt(t,e),t.changed);o.set(e,a),a.reload()}function Kt(t){for(let e of x(j,t).values())e.reload()}async function Zt(t,e){let o=x(zt,t);await t.tasks.run(`test ${e}`,async()=>{o.set(e,null),t.changed();try{let{delivery_id:a}=await t.call("POST",`/api/account/webhooks/${e}/test`),n=await Ee(t,e,a);n===void 0?o.delete(e):o.set(e,n)}catch(a){throw o.delete(e),a}x(j,t).get(e)?.reload(),t.webhooks.reload()})}async function Ee(t,e,o){let a=Date.now()+Te;for(;;){await new Promise(s=>setTimeout(s,Oe));let n=(await Vt(t,e)).find(s=>s.id===o);if(n===void 0||n.status!=="due"||Date.now()>a)return n}}function Nt(t,e,o){return t.tasks.run(`replay ${e}`,async()=>{let a=o===void 0?{}:{delivery_id:o},{replayed:n,gone:s}=await t.call("POST",`/api/account/webhooks/${e}/replay`,{body:a});x(Ht,t).set(e,s.length>0?U("account.replay.gone",s.length):U("account.replay.done",n.length)),await Promise.all([x(j,t).get(e)?.reload(),t.webhooks.reload()])})}var Ht=new WeakMap;function Xt({status:t,response_status:e,latency_ms:o,failure:a,attempts:n}){let s=[e===void 0?"":O("account.delivery.answer",{status:e}),a===void 0||a==="status"&&e!==void 0?"":X(`account.failure.${a}`,a),o===void 0?"":O("account.delivery.time",{ms:o}),n>1?U("account.delivery.attempts",n):""].filter(M=>M!=="");return g`<span class="badge ${t==="delivered"?"ok":t==="due"?"":"danger"}">${X(`account.delivery.${t}`,t)}</span> <span class="muted">${s.join(" · ")}</span>`}function Jt(t,e){let o=x(zt,t).get(e);return g`<p class="test" role="status">${o===void 0?T:o===null?O("account.webhook.testing"):g`${O("account.webhook.tested")} ${Xt(o)}`}</p>`}function Qt(t,{id:e}){let o=x(j,t).get(e);if(o===void 0)return T;let a=(o.value??[]).filter(({status:l})=>l==="failed"||l==="dropped").length,n=t.tasks.isBusy(`replay ${e}`)?"true":"false",s=l=>g`<li>
    <div class="who">
      <p>${Xt(l)}</p>
      <p class="muted">${X(`account.event.${l.event.replace(".","_")}`,l.event)}
        ${l.channel_id===void 0?T:g` · ${Ft(l.channel_id)}`} · ${f(l.due_at)}</p>
    </div>
    ${l.status==="due"?T:g`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${n} @click=${()=>Nt(t,e,l.id)}>${O("account.replay")}</button></div>`}
  </li>`;return g`<div class="inside">
    <p role="status" class="muted">${x(Ht,t).get(e)??T}</p>
    ${a===0?T:g`<div class="row"><button type="button" class="button small" aria-disabled=${n} @click=${()=>Nt(t,e)}>
      ${U("account.replay.failed",a)}</button></div>`}
    ${d(t,`replay ${e}`)}
    ${w(o,O("account.deliveries.none"),l=>g`<ul class="rows">${jt(l,M=>M.id,s)}</ul>`)}
  </div>`}var J=["message.received"];async function Yt(t,{id:e,url:o,secret:a},{title:n,about:s}){await Promise.all([t.webhooks.reload(),t.summary.reload(),v({title:n,about:s,file:`rogerrat-webhook-${e}.txt`,items:[{label:i("account.webhook.url"),value:L(o)},{label:i("account.webhook.secret"),value:a}]})])}async function Be(t,e){e.preventDefault();let o=e.target,a=new FormData(o),n={url:String(a.get("url")??"").trim(),events:J.length===1?J:a.getAll("events"),retry:String(a.get("retry")??"immediate")},s=await t.tasks.run("webhook",()=>t.call("POST","/api/account/webhooks",{body:n}));s!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),await Yt(t,s.value,{title:i("account.webhook.made"),about:i("account.webhook.made.about")}))}async function Pe(t,{id:e,url:o}){if(!await lt({title:i("account.webhook.rotate.title"),text:i("account.webhook.rotate.about",{url:L(o)}),action:i("account.webhook.rotate")}))return;let n=await t.tasks.run(`webhook ${e}`,()=>t.call("POST",`/api/account/webhooks/${e}/rotate-secret`));n!==null&&await Yt(t,n.value,{title:i("account.webhook.rotated"),about:i("account.webhook.rotated.about")})}async function Ie(t,{id:e,url:o}){await lt({title:i("account.webhook.delete.title"),text:i("account.webhook.delete.about",{url:L(o)}),action:i("account.delete"),danger:!0})&&await t.tasks.run(`webhook ${e}`,async()=>{await t.call("DELETE",`/api/account/webhooks/${e}`),await Promise.all([t.webhooks.reload(),t.summary.reload()])})}function Re(t){return t.active?t.failures_in_a_row>0?b`<span class="badge warn">${rt("account.webhook.failing",t.failures_in_a_row)}</span>`:b`<span class="badge ok">${i("account.webhook.on")}</span>`:b`<span class="badge danger">${i("account.webhook.off")}</span>
      <span class="muted">${i("account.webhook.off.about",{time:it(new Date(t.switched_off_at??t.created_at))})}</span>`}function Ce(t,e){let{id:o}=e,a=`webhook ${o}`,n=L(e.url),s=Qt(t,e);return b`<li>
    <div class="who">
      <p class="url"><strong>${n}</strong></p>
      <p>${Re(e)} ${e.due===0?A:b`<span class="badge">${rt("account.webhook.due",e.due)}</span>`}</p>
      <p class="muted">${e.events.map(l=>H(`account.event.${l.replace(".","_")}`,l)).join(", ")} ·
        ${H(`account.retry.${e.retry}`,e.retry)} · ${i("account.created")} ${f(e.created_at)}
        ${e.previous_secret_until===void 0?A:b` · ${i("account.webhook.previous",{time:it(new Date(e.previous_secret_until))})}`}</p>
      ${Jt(t,o)}
    </div>
    <div class="deeds">
      ${p(t,{task:`test ${o}`,label:i("account.webhook.test"),of:n,act:()=>Zt(t,o)})}
      <button type="button" class="button small" aria-expanded=${s===A?"false":"true"} aria-label=${`${i("account.deliveries")}: ${n}`}
        @click=${()=>Gt(t,o)}>${i("account.deliveries")}</button>
      ${p(t,{task:a,label:i("account.webhook.rotate"),of:n,act:()=>Pe(t,e)})}
      ${p(t,{task:a,label:i("account.delete"),of:n,kind:"danger",act:()=>Ie(t,e)})}
    </div>
    ${d(t,a)} ${d(t,`test ${o}`)}
    ${s}
  </li>`}var te=t=>Kt(t);function ee(t){let e={id:"webhooks",title:i("account.webhooks"),about:i("account.webhooks.about"),count:B(t.webhooks.value?.length,t.summary.value?.limits.webhooks)},o=t.tasks.isBusy("webhook");return h(e,b`
    ${w(t.webhooks,i("account.webhooks.none"),a=>b`<ul class="rows">${Ut(a,n=>n.id,n=>Ce(t,n))}</ul>`)}
    <details class="new"><summary>${i("account.webhook.new")}</summary>
      <form class="stack" @submit=${a=>Be(t,a)} autocomplete="off">
        <label class="field"><span>${i("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${i("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${J.length===1?A:b`<fieldset><legend>${i("account.webhook.events")}</legend>
          ${J.map(a=>b`<label class="check"><input type="checkbox" name="events" value=${a} checked />
            <span>${H(`account.event.${a.replace(".","_")}`,a)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${i("account.webhook.retry")}</span>
          <select name="retry">${["immediate","persistent"].map(a=>b`<option value=${a}>${i(`account.retry.${a}.about`)}</option>`)}</select></label>
        <p class="hint">${i("account.webhook.about")}</p>
        ${d(t,"webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
          ${o?i("account.webhook.subscribing"):i("account.webhook.subscribe")}</button></div>
      </form>
    </details>`)}import{html as _,nothing as C}from"../chunks/shared.js";import{repeat as oe}from"../chunks/shared.js";import{t as c,tn as ae}from"../chunks/shared.js";import{visible as ne}from"../chunks/shared.js";import{confirmDialog as ct}from"../chunks/shared.js";var se=({label:t})=>t===null?c("account.session.unnamed"):ne(t);async function ie(t,e){let o=e.length===1?c("account.session.end.about",{name:se(e[0])}):ae("account.session.others.about",e.length);await ct({title:c("account.session.end.title"),text:o,action:c("account.session.end"),danger:!0})&&await t.tasks.run("sessions",async()=>{try{for(let{sid:n}of e)await t.call("DELETE",`/api/account/sessions/${encodeURIComponent(n)}`)}finally{await t.sessions.reload()}})}function Me(t,e){let o=se(e);return _`<li>
    <div class="who">
      <p><strong>${o}</strong> ${e.current?_`<span class="badge ok">${c("account.session.current")}</span>`:C}</p>
      <p class="muted">${c("account.session.used")} ${f(e.last_used_at)}
        ${e.created_at===null?C:_` · ${c("account.created")} ${f(e.created_at)}`}</p>
    </div>
    ${e.current?C:_`<div class="deeds">
      ${p(t,{task:"sessions",label:c("account.session.end"),of:o,act:()=>ie(t,[e])})}</div>`}
  </li>`}function re(t){let e=(t.sessions.value??[]).filter(a=>!a.current),o={id:"sessions",title:c("account.sessions"),about:c("account.sessions.about")};return h(o,_`
    ${w(t.sessions,c("account.sessions.none"),a=>_`<ul class="rows">${oe(a,n=>n.sid,n=>Me(t,n))}</ul>`)}
    ${d(t,"sessions")}
    ${e.length<2?C:_`<div class="row">
      <button type="button" class="button small" @click=${()=>ie(t,e)}>${c("account.session.others")}</button></div>`}`)}async function qe(t){if(!await ct({title:c("account.recovery.title"),text:c("account.recovery.rotate.about"),action:c("account.recovery.rotate")}))return;let o=await t.tasks.run("recovery",()=>t.call("POST","/api/account/rotate-recovery"));if(o===null)return;let{account_id:a,recovery_token:n}=o.value;await v({title:c("account.recovery.made"),about:c("account.recovery.made.about"),file:`rogerrat-${a}.txt`,items:[{label:c("account.id"),value:a},{label:c("account.recovery.token"),value:n}]})}function le(t){let e=t.tasks.isBusy("recovery")?"true":"false";return h({id:"recovery",title:c("account.recovery"),about:c("account.recovery.about")},_`
    ${d(t,"recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${e} @click=${()=>qe(t)}>${c("account.recovery.rotate")}</button></div>`)}var ce=(t,e)=>C;import{html as ut,nothing as ue}from"../chunks/shared.js";import{t as S,tn as de}from"../chunks/shared.js";async function We(t,e,o){e.preventDefault();let a=e.target,n=new FormData(a),s=a.elements.namedItem("typed"),l=String(n.get("typed")??"").trim()===t.summary.value?.account_id;if(s.setCustomValidity(l?"":S("account.close.differs")),!a.reportValidity())return;let M=n.get("channels")==="delete"?{channels:"delete"}:{};await t.tasks.run("close",()=>t.call("DELETE","/api/account",{query:M}))!==null&&o()}function me(t,e){let o=t.summary.value,a=t.tasks.isBusy("close"),n=s=>s.target.setCustomValidity("");return h({id:"close",title:S("account.close"),about:S("account.close.about")},ut`
    <details class="new"><summary>${S("account.close.open")}</summary>
      <form class="stack" @submit=${s=>We(t,s,e)} autocomplete="off">
        ${o===null||o.channels===0?ue:ut`<fieldset>
          <legend>${de("account.close.channels",o.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${S("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${S("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${S("account.close.typed",{id:o?.account_id??""})}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${n} /></label>
        ${d(t,"close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${a||o===null?"true":"false"}>${S("account.close.do")}</button></div>
      </form>
    </details>`)}var Ae=["identities","channels","webhooks","sessions","recovery","close"],pe=class{#t;#e;constructor(e,o,a){this.#e=a,this.#t=new pt(e,o,()=>a("ended"),()=>{Rt(this.#t),te(this.#t)}),this.#t.start()}stop(){this.#t.stop()}#o=async()=>{let e=this.#t,o=e.summary.value,a=e.sessions.value?.length===1&&o?.identities.length===0&&o.channels===0,n=a?$("account.logout.last"):$("account.logout.about");if(!await $t({title:$("account.logout"),text:n,action:$("account.logout"),danger:a}))return;await e.tasks.run("logout",()=>e.call("POST","/api/account/logout"))!==null&&this.#e("out")};view(e){let o=this.#t,a=o.summary.value;return N`
      <div class="account-head">
        <div>
          <h1>${$("account.title")}</h1>
          ${a===null?ft:N`<p class="muted id"><code>${a.account_id}</code> ${bt(a.account_id,{name:$("account.id")})}
            <span>${$("account.since")} ${f(a.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#o}>${$("account.logout")}</button>
      </div>
      ${d(o,"logout")}
      <div class="columns">
        <nav class="sections" aria-label=${$("account.sections")}>
          ${Ae.map(n=>N`<a href=${`#${n}`}>${$(`account.${n}`)}</a>`)}
        </nav>
        <div class="cards">
          ${kt(o)} ${Lt(o)} ${ee(o)} ${re(o)} ${le(o)}
          ${ce(o,e)}
          ${me(o,()=>this.#e("deleted"))}
        </div>
      </div>`}};export{pe as OpenAccount};
