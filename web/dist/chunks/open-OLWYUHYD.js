import{html as oe,nothing as fe}from"../account/main.js";import{copyButton as Fe}from"../chunks/account-later.js";import{confirmDialog as Ie}from"../chunks/account-later.js";import{t as S}from"../account/main.js";import{Account as Me}from"../chunks/account-later.js";import{html as L,nothing as be}from"../account/main.js";import{noChange as Ve}from"../account/main.js";import{Directive as qe,PartType as ze,directive as Le}from"../chunks/account-later.js";import{getCommittedValue as Ne,insertPart as N,removePart as ne,setChildPartValue as I,setCommittedValue as je}from"../chunks/account-later.js";var We=(e,t,a)=>{let o=new Map;for(let n=t;n<=a;n++)o.set(e[n],n);return o},k=Le(class extends qe{constructor(e){if(super(e),e.type!==ze.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,a){let o;a===void 0?a=t:t!==void 0&&(o=t);let n=[],s=[],r=0;for(let h of e)n[r]=o?o(h,r):r,s[r]=a(h,r),r++;return{values:s,keys:n}}render(e,t,a){return this.dt(e,t,a).values}update(e,[t,a,o]){let n=Ne(e),{values:s,keys:r}=this.dt(t,a,o);if(!Array.isArray(n))return this.ut=r,s;let h=this.ut??=[],_=[],ae,Re,p=0,$=n.length-1,f=0,g=s.length-1;for(;p<=$&&f<=g;)if(n[p]===null)p++;else if(n[$]===null)$--;else if(h[p]===r[f])_[f]=I(n[p],s[f]),p++,f++;else if(h[$]===r[g])_[g]=I(n[$],s[g]),$--,g--;else if(h[p]===r[g])_[g]=I(n[p],s[g]),N(e,_[g+1],n[p]),p++,g--;else if(h[$]===r[f])_[f]=I(n[$],s[f]),N(e,n[p],n[$]),$--,f++;else if(ae===void 0&&(ae=We(r,f,g),Re=We(h,p,$)),ae.has(h[p]))if(ae.has(h[$])){let P=Re.get(r[f]),pe=P!==void 0?n[P]:null;if(pe===null){let Ae=N(e,n[p]);I(Ae,s[f]),_[f]=Ae}else _[f]=I(pe,s[f]),N(e,n[p],pe),n[P]=null;f++}else ne(n[$]),$--;else ne(n[p]),p++;for(;f<=g;){let P=N(e,_[g+1]);I(P,s[f]),_[f++]=P}for(;p<=$;){let P=n[p++];P!==null&&ne(P)}return this.ut=r,je(e,_),Ve}});import{t as u}from"../account/main.js";import{visible as Ue}from"../account/main.js";import{confirmDialog as he}from"../chunks/account-later.js";import{keyName as $e}from"../chunks/account-later.js";import{html as C,nothing as K}from"../account/main.js";import{ago as He,formatTime as Ge,t as se}from"../account/main.js";import{fault as we}from"../account/main.js";function y({id:e,title:t,about:a,count:o="",aside:n=K},s){return C`<section class="card" id=${e} aria-labelledby=${`${e}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${e}-title`}>${t}${o===""?K:C` <span class="count">${o}</span>`}</h2>
      ${n}
    </div>
    <p class="muted about">${a}</p>
    ${s}
  </section>`}function T(e,t,a){let o=e.value;return C`
    ${e.error===null?K:ye(e)}
    ${o===null?e.error===null?C`<div class="skeleton" role="status"><span class="visually-hidden">${se("account.loading")}</span></div>`:K:o.length===0?C`<p class="nothing">${t}</p>`:a(o)}`}function ye(e){return C`<div class="failed">
    ${we(e.error)}
    <button type="button" class="button small" aria-disabled=${e.loading?"true":"false"} @click=${()=>e.reload()}>${se("account.retry")}</button>
  </div>`}function v(e,{task:t,label:a,of:o,kind:n="",act:s}){let r=e.tasks.isBusy(t);return C`<button type="button" class="button small ${n}" aria-label=${`${a}: ${o}`} aria-disabled=${r?"true":"false"}
    @click=${()=>{r||s()}}>${a}</button>`}var m=(e,t)=>we(e.tasks.error(t)),w=e=>C`<time datetime=${new Date(e).toISOString()} title=${Ge(new Date(e))}>${He(new Date(e))}</time>`;function j(e,t){return e===void 0?"":t==null?String(e):se("account.of",{count:e,limit:t})}import{keep as Ke}from"../chunks/account-later.js";async function Ze(e,{callsign:t,identity_key:a}){e.known.set($e(t),a),await Promise.all([e.summary.reload(),Ke({title:u("account.identity.made",{callsign:t}),about:u("account.identity.made.about"),file:`rogerrat-identity-${t}.txt`,items:[{label:u("account.identity.callsign"),value:t},{label:u("account.identity.key"),value:a}]})])}async function Jt(e,t){t.preventDefault();let a=t.target,o=String(new FormData(a).get("callsign")??"").trim(),n=o===""?{}:{callsign:o},s=await e.tasks.run("identity",()=>e.call("POST","/api/account/identities",{body:n}));s!==null&&(a.reset(),await Ze(e,s.value))}async function Qt(e,t){if(!await he({title:u("account.identity.rotate.title",{callsign:t}),text:u("account.identity.rotate.about"),action:u("account.identity.rotate")}))return;let o=`/api/account/identities/${encodeURIComponent(t)}/rotate-key`,n=await e.tasks.run(`identity ${t}`,()=>e.call("POST",o));n!==null&&await Ze(e,n.value)}async function ea(e,t){await he({title:u("account.identity.delete.title",{callsign:t}),text:u("account.identity.delete.about"),typed:t,action:u("account.delete"),danger:!0})&&await e.tasks.run(`identity ${t}`,async()=>{await e.call("DELETE",`/api/account/identities/${encodeURIComponent(t)}`),e.known.delete($e(t)),await e.summary.reload()})}function ta(e,{callsign:t,created_at:a}){let o=`identity ${t}`,n=Ue(t);return L`<li>
    <div class="who"><p><strong>${n}</strong></p><p class="muted">${u("account.created")} ${w(a)}</p></div>
    <div class="deeds">
      ${v(e,{task:o,label:u("account.identity.open"),of:n,act:async()=>(await import("./open-as-ZTNIXEZM.js")).openAs(e,{callsign:t})})}
      ${v(e,{task:o,label:u("account.identity.rotate"),of:n,act:()=>Qt(e,t)})}
      ${v(e,{task:o,label:u("account.delete"),of:n,kind:"danger",act:()=>ea(e,t)})}
    </div>
    ${m(e,o)}
  </li>`}function Xe(e){let t=e.summary.value,a=t?.identities??[],o={id:"identities",title:u("account.identities"),about:u("account.identities.about"),count:j(t?.identities.length,t?.limits.identities)},n=e.tasks.isBusy("identity");return y(o,L`
    ${e.summary.error===null?be:ye(e.summary)}
    ${t===null?e.summary.error===null?L`<div class="skeleton"></div>`:be:a.length===0?L`<p class="nothing">${u("account.identities.none")}</p>`:L`<ul class="rows">${k(a,s=>s.callsign,s=>ta(e,s))}</ul>`}
    <form class="inline" @submit=${s=>Jt(e,s)}>
      <label class="field"><span>${u("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${u("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${n?"true":"false"}>${u("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${u("account.identity.wish.about")}</p>
    ${m(e,"identity")}`)}import{html as V,nothing as re}from"../account/main.js";import{t as l,tn as Ye}from"../account/main.js";import{visible as ve}from"../account/main.js";import{has as Je,t as Qe}from"../account/main.js";import{visible as et}from"../account/main.js";var x=(e,t)=>Je(e)?Qe(e):et(t);import{confirmDialog as ge}from"../chunks/account-later.js";import{tokenName as Z}from"../chunks/account-later.js";import{keep as ke}from"../chunks/account-later.js";import{openChat as tt}from"../chunks/account-later.js";import{html as W,nothing as ie}from"../account/main.js";import{ago as at,t as E,tn as ot}from"../account/main.js";import{visible as xe}from"../account/main.js";import{confirmDialog as nt}from"../chunks/account-later.js";import{Resource as st}from"../chunks/account-later.js";var rt=new WeakMap;function X(e){let t=rt.get(e)??new Map;return rt.set(e,t),t}function it(e,t){let a=X(e);if(a.delete(t))return e.changed();let o=async()=>(await e.call("GET",`/api/account/channels/${encodeURIComponent(t)}`)).roster_all,n=new st(o,e.changed);a.set(t,n),n.reload()}function lt(e,{id:t,agent_count:a}){return X(e).get(t)?.value?.filter(n=>n.online).length??a}function ct(e){for(let t of X(e).values())t.reload()}async function aa(e,t,{callsign:a}){await nt({title:E("account.kick.title",{callsign:a}),text:E("account.kick.about"),action:E("account.kick"),danger:!0})&&await e.tasks.run(`members ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}/sessions/${encodeURIComponent(a)}`),await Promise.all([X(e).get(t)?.reload(),e.channels.reload()])})}function oa({online:e,reach:t,seen_at:a}){return e?t!==void 0&&t!=="away"?x(`account.members.${t}`,t):a==null?E("account.members.online"):E("account.members.seen",{time:at(new Date(a))}):E("account.members.offline")}function ut(e,t){let a=X(e).get(t);if(a===void 0)return ie;let o=n=>W`<li>
    <div class="who"><p><strong>${xe(n.callsign)}</strong> <span class="muted">#${n.idx}</span>
      <span class="badge ${n.online?"ok":""}">${oa(n)}</span></p>
      ${n.unread===void 0||n.unread===0?ie:W`<p class="muted">${ot("account.members.unread",n.unread)}</p>`}</div>
    ${n.online?W`<div class="deeds"><button type="button" class="button small" aria-label=${`${E("account.kick")}: ${xe(n.callsign)}`}
      @click=${()=>aa(e,t,n)}>${E("account.kick")}</button></div>`:ie}
  </li>`;return W`<div class="inside">
    ${T(a,E("account.members.none"),n=>W`<ul class="rows">${k(n,s=>s.callsign,o)}</ul>`)}
    ${m(e,`members ${t}`)}
  </div>`}import{html as U,nothing as mt}from"../account/main.js";import{t as d}from"../account/main.js";import{channelBody as dt}from"../chunks/account-later.js";var na=["none","metadata","prompts","full"],sa=["prompts","full"],H={retention:"none",trust:"untrusted",visibility:"channel"};async function ra(e,t,a){t.preventDefault();let o=t.target,n=dt(new FormData(o)),s=await e.tasks.run("channel",()=>e.call("POST","/api/channels",{body:n}));s!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),Object.assign(H,{retention:"none",trust:"untrusted",visibility:"channel"}),e.changed(),a(s.value))}function le(e,t,a,o=()=>{}){return U`<label class="field"><span>${a}</span>
    <select name=${e} @change=${n=>o(n.target.value)}>
      ${t.map(n=>U`<option value=${n}>${d(`account.${e}.${n||"auto"}`)}</option>`)}
    </select></label>`}function pt(e,t,{isForced:a=!1}={}){return U`<label class="check"><input type="checkbox" name=${e} ?disabled=${a} /><span>${t}
    ${a?U`<span class="muted">${d("account.channel.forced")}</span>`:mt}</span></label>`}function ft(e,t){let a=e.tasks.isBusy("channel"),o=s=>{Object.assign(H,s),e.changed()},n=sa.includes(H.retention)?["","disk"]:["","memory","disk"];return U`<details class="new"><summary>${d("account.channel.new")}</summary>
    <form class="stack" @submit=${s=>ra(e,s,t)} autocomplete="off">
      ${le("retention",na,d("account.channel.retention"),s=>o({retention:s}))}
      <p class="hint">${d(`account.retention.${H.retention}.about`)}</p>
      ${pt("require_identity",d("account.channel.require"))}
      <details class="more"><summary>${d("account.channel.more")}</summary><div class="stack">
        ${le("trust_mode",["untrusted","trusted"],d("account.channel.trust"),s=>o({trust:s}))}
        <p class="hint">${d(`account.trust.${H.trust}.about`)}</p>
        <label class="field"><span>${d("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${d("account.channel.password.about")}</p>
        ${le("dm_visibility",["channel","private"],d("account.channel.dm"),s=>o({visibility:s}))}
        ${pt("claim_callsigns",d("account.channel.claim"),{isForced:H.visibility==="private"})}
        ${le("durability",n,d("account.channel.durability"))}
        <label class="field"><span>${d("account.channel.session")}</span>
          <input name="session_minutes" type="number" inputmode="decimal" min="0.1" max="1440" step="any" placeholder="30" /></label>
        <label class="field"><span>${d("account.channel.member")}</span>
          <input name="member_days" type="number" inputmode="decimal" min="0.01" max="365" step="any" placeholder="7" /></label>
        <label class="field"><span>${d("account.channel.webhook")}</span>
          <input name="webhook" type="url" maxlength="2048" placeholder=${d("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        <p class="hint">${d("account.channel.webhook.about")}</p>
      </div></details>
      ${m(e,"channel")}
      <div class="row"><button type="submit" class="button primary" aria-disabled=${a?"true":"false"}>
        ${a?d("account.channel.creating"):d("account.channel.create")}</button></div>
    </form>
  </details>`}async function ia(e,t){let a=t.channel_id;e.known.set(Z(a),t.join_token);let o=[{label:l("account.channel.id"),value:a},{label:l("account.channel.token"),value:t.join_token},...t.owner_password?[{label:l("account.channel.password"),value:t.owner_password}]:[],...t.webhook?[{label:l("account.webhook.secret"),value:t.webhook.secret,note:t.webhook.url}]:[],...t.peer_invite?[{label:l("account.channel.invite"),value:t.peer_invite,note:l("account.channel.invite.about")}]:[]];await Promise.all([e.channels.reload(),e.summary.reload(),ke({title:l("account.channel.made"),about:l("account.channel.made.about"),file:`rogerrat-channel-${a}.txt`,items:o,more:n=>V`<button type="button" class="button small" @click=${()=>{n(),bt(e,a,t.require_identity===!0)}}>${l("account.channel.open")}</button>`})])}async function bt(e,t,a){let o=e.known.get(Z(t))??"";(e.summary.value?.identities.length??0)>0&&(a||o==="")?(await import("./open-as-ZTNIXEZM.js")).openAs(e,{channel:t}):tt(t,{token:o})}async function la(e,t){if(!await ge({title:l("account.channel.rotate.title",{id:ve(t)}),text:l("account.channel.rotate.about"),action:l("account.channel.rotate")}))return;let o=`/api/account/channels/${encodeURIComponent(t)}/rotate-token`,n=await e.tasks.run(`channel ${t}`,()=>e.call("POST",o));if(n===null)return;let{channel_id:s,join_token:r}=n.value;e.known.set(Z(s),r),await ke({title:l("account.channel.rotated"),about:l("account.channel.rotated.about"),file:`rogerrat-channel-${s}.txt`,items:[{label:l("account.channel.id"),value:s},{label:l("account.channel.token"),value:r}]})}async function ca(e,t){await ge({title:l("account.channel.delete.title"),text:l("account.channel.delete.about"),typed:t,action:l("account.delete"),danger:!0})&&await e.tasks.run(`channel ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}`),e.known.delete(Z(t)),await Promise.all([e.channels.reload(),e.summary.reload()])})}function ua(e,t){let{id:a}=t,o=`channel ${a}`,n=ve(a),s=ut(e,a);return V`<li>
    <div class="who">
      <p><strong>${n}</strong>
        ${t.require_identity?V`<span class="badge">${l("account.channel.identities")}</span>`:re}
        ${t.trust_mode==="trusted"?V`<span class="badge">${l("account.channel.trusted")}</span>`:re}</p>
      <p class="muted">${Ye("account.channel.online",lt(e,t))} · ${x(`account.retention.${t.retention}`,t.retention)} ·
        ${l("account.created")} ${w(t.created_at)}</p>
    </div>
    <div class="deeds">
      ${v(e,{task:o,label:l("account.channel.open"),of:n,act:()=>bt(e,a,t.require_identity)})}
      <button type="button" class="button small" aria-expanded=${s===re?"false":"true"} aria-label=${`${l("account.members")}: ${n}`}
        @click=${()=>it(e,a)}>${l("account.members")}</button>
      ${v(e,{task:o,label:l("account.channel.rotate"),of:n,act:()=>la(e,a)})}
      ${v(e,{task:o,label:l("account.delete"),of:n,kind:"danger",act:()=>ca(e,a)})}
    </div>
    ${m(e,o)}
    ${s}
  </li>`}function ht(e){let t={id:"channels",title:l("account.channels"),about:l("account.channels.about"),count:j(e.channels.value?.length,e.summary.value?.limits.channels)};return y(t,V`
    ${T(e.channels,l("account.channels.none"),a=>V`<ul class="rows">${k(a,o=>o.id,o=>ua(e,o))}</ul>`)}
    ${ft(e,a=>ia(e,a))}`)}import{html as D,nothing as Y}from"../account/main.js";import{formatTime as De,t as i,tn as _e}from"../account/main.js";import{visible as J}from"../account/main.js";import{confirmDialog as Se}from"../chunks/account-later.js";import{webhookFormat as $t}from"../chunks/account-later.js";import{keep as wt}from"../chunks/account-later.js";import{html as Te,nothing as ce}from"../account/main.js";import{t as M}from"../account/main.js";import{visible as yt}from"../account/main.js";var vt=()=>Te`<details class="more"><summary>${M("account.webhook.format")}</summary><div class="stack">
  <label class="field"><span>${M("account.webhook.headers")}</span>
    <textarea class="code" name="headers" rows="2" placeholder="Authorization: Bearer …" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${M("account.webhook.headers.about")}</p>
  <label class="field"><span>${M("account.webhook.body")}</span>
    <textarea class="code" name="body" rows="3" maxlength="16384" placeholder='{"text": "{{from}}: {{text}}"}' autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${M("account.webhook.body.about")}</p>
</div></details>`;function gt({header_names:e=[],custom_body:t=!1}){return e.length===0&&!t?ce:Te`<p class="muted">${e.length===0?ce:M("account.webhook.headers.shown",{names:yt(e.join(", "))})}
    ${t?M("account.webhook.body.shown"):ce}</p>`}import{html as O,nothing as q}from"../account/main.js";import{t as z,tn as Q}from"../account/main.js";import{visible as kt}from"../account/main.js";import{Resource as xt}from"../chunks/account-later.js";var ma=3e4,da=700,ee=new WeakMap,_t=new WeakMap;function B(e,t){let a=e.get(t)??new Map;return e.set(t,a),a}var St=async(e,t)=>(await e.call("GET",`/api/account/webhooks/${t}/deliveries`)).deliveries;function Tt(e,t){let a=B(ee,e);if(a.delete(t))return e.changed();let o=new xt(()=>St(e,t),e.changed);a.set(t,o),o.reload()}function Et(e){for(let t of B(ee,e).values())t.reload()}async function Ot(e,t){let a=B(_t,e);await e.tasks.run(`test ${t}`,async()=>{a.set(t,null),e.changed();try{let{delivery_id:o}=await e.call("POST",`/api/account/webhooks/${t}/test`),n=await pa(e,t,o);n===void 0?a.delete(t):a.set(t,n)}catch(o){throw a.delete(t),o}B(ee,e).get(t)?.reload(),e.webhooks.reload()})}async function pa(e,t,a){let o=Date.now()+ma;for(;;){await new Promise(s=>setTimeout(s,da));let n=(await St(e,t)).find(s=>s.id===a);if(n===void 0||n.status!=="due"||Date.now()>o)return n}}function Dt(e,t,a){return e.tasks.run(`replay ${t}`,async()=>{let o=a===void 0?{}:{delivery_id:a},{replayed:n,gone:s}=await e.call("POST",`/api/account/webhooks/${t}/replay`,{body:o});B(Pt,e).set(t,s.length>0?Q("account.replay.gone",s.length):Q("account.replay.done",n.length)),await Promise.all([B(ee,e).get(t)?.reload(),e.webhooks.reload()])})}var Pt=new WeakMap;function Ct({status:e,response_status:t,latency_ms:a,failure:o,attempts:n}){let s=[t===void 0?"":z("account.delivery.answer",{status:t}),o===void 0||o==="status"&&t!==void 0?"":x(`account.failure.${o}`,o),a===void 0?"":z("account.delivery.time",{ms:a}),n>1?Q("account.delivery.attempts",n):""].filter(h=>h!=="");return O`<span class="badge ${e==="delivered"?"ok":e==="due"?"":"danger"}">${x(`account.delivery.${e}`,e)}</span> <span class="muted">${s.join(" · ")}</span>`}function Bt(e,t){let a=B(_t,e).get(t);return O`<p class="test" role="status">${a===void 0?q:a===null?z("account.webhook.testing"):O`${z("account.webhook.tested")} ${Ct(a)}`}</p>`}function Rt(e,{id:t}){let a=B(ee,e).get(t);if(a===void 0)return q;let o=(a.value??[]).filter(({status:r})=>r==="failed"||r==="dropped").length,n=e.tasks.isBusy(`replay ${t}`)?"true":"false",s=r=>O`<li>
    <div class="who">
      <p>${Ct(r)}</p>
      <p class="muted">${x(`account.event.${r.event.replace(".","_")}`,r.event)}
        ${r.channel_id===void 0?q:O` · ${kt(r.channel_id)}`} · ${w(r.due_at)}</p>
    </div>
    ${r.status==="due"?q:O`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${n} @click=${()=>Dt(e,t,r.id)}>${z("account.replay")}</button></div>`}
  </li>`;return O`<div class="inside">
    <p role="status" class="muted">${B(Pt,e).get(t)??q}</p>
    ${o===0?q:O`<div class="row"><button type="button" class="button small" aria-disabled=${n} @click=${()=>Dt(e,t)}>
      ${Q("account.replay.failed",o)}</button></div>`}
    ${m(e,`replay ${t}`)}
    ${T(a,z("account.deliveries.none"),r=>O`<ul class="rows">${k(r,h=>h.id,s)}</ul>`)}
  </div>`}var ue=["message.received"];async function At(e,{id:t,url:a,secret:o},{title:n,about:s}){await Promise.all([e.webhooks.reload(),e.summary.reload(),wt({title:n,about:s,file:`rogerrat-webhook-${t}.txt`,items:[{label:i("account.webhook.url"),value:J(a)},{label:i("account.webhook.secret"),value:o}]})])}async function fa(e,t){t.preventDefault();let a=t.target,o=new FormData(a),n={url:String(o.get("url")??"").trim(),events:ue.length===1?ue:o.getAll("events"),retry:String(o.get("retry")??"immediate"),...$t(o)},s=await e.tasks.run("webhook",()=>e.call("POST","/api/account/webhooks",{body:n}));s!==null&&(a.reset(),a.closest("details")?.removeAttribute("open"),await At(e,s.value,{title:i("account.webhook.made"),about:i("account.webhook.made.about")}))}async function ba(e,{id:t,url:a}){if(!await Se({title:i("account.webhook.rotate.title"),text:i("account.webhook.rotate.about",{url:J(a)}),action:i("account.webhook.rotate")}))return;let n=await e.tasks.run(`webhook ${t}`,()=>e.call("POST",`/api/account/webhooks/${t}/rotate-secret`));n!==null&&await At(e,n.value,{title:i("account.webhook.rotated"),about:i("account.webhook.rotated.about")})}async function ha(e,{id:t,url:a}){await Se({title:i("account.webhook.delete.title"),text:i("account.webhook.delete.about",{url:J(a)}),action:i("account.delete"),danger:!0})&&await e.tasks.run(`webhook ${t}`,async()=>{await e.call("DELETE",`/api/account/webhooks/${t}`),await Promise.all([e.webhooks.reload(),e.summary.reload()])})}function $a(e){return e.active?e.failures_in_a_row>0?D`<span class="badge warn">${_e("account.webhook.failing",e.failures_in_a_row)}</span>`:D`<span class="badge ok">${i("account.webhook.on")}</span>`:D`<span class="badge danger">${i("account.webhook.off")}</span>
      <span class="muted">${i("account.webhook.off.about",{time:De(new Date(e.switched_off_at??e.created_at))})}</span>`}function wa(e,t){let{id:a}=t,o=`webhook ${a}`,n=J(t.url),s=Rt(e,t);return D`<li>
    <div class="who">
      <p class="url"><strong>${n}</strong></p>
      <p>${$a(t)} ${t.due===0?Y:D`<span class="badge">${_e("account.webhook.due",t.due)}</span>`}</p>
      <p class="muted">${t.events.map(r=>x(`account.event.${r.replace(".","_")}`,r)).join(", ")} ·
        ${x(`account.retry.${t.retry}`,t.retry)} · ${i("account.created")} ${w(t.created_at)}
        ${t.previous_secret_until===void 0?Y:D` · ${i("account.webhook.previous",{time:De(new Date(t.previous_secret_until))})}`}</p>
      ${gt(t)}
      ${Bt(e,a)}
    </div>
    <div class="deeds">
      ${v(e,{task:`test ${a}`,label:i("account.webhook.test"),of:n,act:()=>Ot(e,a)})}
      <button type="button" class="button small" aria-expanded=${s===Y?"false":"true"} aria-label=${`${i("account.deliveries")}: ${n}`}
        @click=${()=>Tt(e,a)}>${i("account.deliveries")}</button>
      ${v(e,{task:o,label:i("account.webhook.rotate"),of:n,act:()=>ba(e,t)})}
      ${v(e,{task:o,label:i("account.delete"),of:n,kind:"danger",act:()=>ha(e,t)})}
    </div>
    ${m(e,o)} ${m(e,`test ${a}`)}
    ${s}
  </li>`}var Ft=e=>Et(e);function It(e){let t={id:"webhooks",title:i("account.webhooks"),about:i("account.webhooks.about"),count:j(e.webhooks.value?.length,e.summary.value?.limits.webhooks)},a=e.tasks.isBusy("webhook");return y(t,D`
    ${T(e.webhooks,i("account.webhooks.none"),o=>D`<ul class="rows">${k(o,n=>n.id,n=>wa(e,n))}</ul>`)}
    <details class="new"><summary>${i("account.webhook.new")}</summary>
      <form class="stack" @submit=${o=>fa(e,o)} autocomplete="off">
        <label class="field"><span>${i("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${i("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${ue.length===1?Y:D`<fieldset><legend>${i("account.webhook.events")}</legend>
          ${ue.map(o=>D`<label class="check"><input type="checkbox" name="events" value=${o} checked />
            <span>${x(`account.event.${o.replace(".","_")}`,o)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${i("account.webhook.retry")}</span>
          <select name="retry">${["immediate","persistent"].map(o=>D`<option value=${o}>${i(`account.retry.${o}.about`)}</option>`)}</select></label>
        ${vt()}
        <p class="hint">${i("account.webhook.about")}</p>
        ${m(e,"webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${a?"true":"false"}>
          ${a?i("account.webhook.subscribing"):i("account.webhook.subscribe")}</button></div>
      </form>
    </details>`)}import{html as R,nothing as te}from"../account/main.js";import{t as c,tn as Mt}from"../account/main.js";import{visible as Vt}from"../account/main.js";import{confirmDialog as Ee}from"../chunks/account-later.js";import{keep as qt}from"../chunks/account-later.js";var zt=({label:e})=>e===null?c("account.session.unnamed"):Vt(e);async function Lt(e,t){let a=t.length===1?c("account.session.end.about",{name:zt(t[0])}):Mt("account.session.others.about",t.length);await Ee({title:c("account.session.end.title"),text:a,action:c("account.session.end"),danger:!0})&&await e.tasks.run("sessions",async()=>{try{for(let{sid:n}of t)await e.call("DELETE",`/api/account/sessions/${encodeURIComponent(n)}`)}finally{await e.sessions.reload()}})}function ya(e,t){let a=zt(t);return R`<li>
    <div class="who">
      <p><strong>${a}</strong> ${t.current?R`<span class="badge ok">${c("account.session.current")}</span>`:te}</p>
      <p class="muted">${c("account.session.used")} ${w(t.last_used_at)}
        ${t.created_at===null?te:R` · ${c("account.created")} ${w(t.created_at)}`}</p>
    </div>
    ${t.current?te:R`<div class="deeds">
      ${v(e,{task:"sessions",label:c("account.session.end"),of:a,act:()=>Lt(e,[t])})}</div>`}
  </li>`}function Nt(e){let t=(e.sessions.value??[]).filter(o=>!o.current),a={id:"sessions",title:c("account.sessions"),about:c("account.sessions.about")};return y(a,R`
    ${T(e.sessions,c("account.sessions.none"),o=>R`<ul class="rows">${k(o,n=>n.sid,n=>ya(e,n))}</ul>`)}
    ${m(e,"sessions")}
    ${t.length<2?te:R`<div class="row">
      <button type="button" class="button small" @click=${()=>Lt(e,t)}>${c("account.session.others")}</button></div>`}`)}async function va(e){if(!await Ee({title:c("account.recovery.title"),text:c("account.recovery.rotate.about"),action:c("account.recovery.rotate")}))return;let a=await e.tasks.run("recovery",()=>e.call("POST","/api/account/rotate-recovery"));if(a===null)return;let{account_id:o,recovery_token:n}=a.value;await qt({title:c("account.recovery.made"),about:c("account.recovery.made.about"),file:`rogerrat-${o}.txt`,items:[{label:c("account.id"),value:o},{label:c("account.recovery.token"),value:n}]})}function jt(e){let t=e.tasks.isBusy("recovery")?"true":"false";return y({id:"recovery",title:c("account.recovery"),about:c("account.recovery.about")},R`
    ${m(e,"recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${t} @click=${()=>va(e)}>${c("account.recovery.rotate")}</button></div>`)}import{html as Oe,nothing as Wt}from"../account/main.js";import{t as A,tn as Ut}from"../account/main.js";async function ga(e,t,a){t.preventDefault();let o=t.target,n=new FormData(o),s=o.elements.namedItem("typed"),r=String(n.get("typed")??"").trim()===e.summary.value?.account_id;if(s.setCustomValidity(r?"":A("account.close.differs")),!o.reportValidity())return;let h=n.get("channels")==="delete"?{channels:"delete"}:{};await e.tasks.run("close",()=>e.call("DELETE","/api/account",{query:h}))!==null&&a()}function Ht(e,t){let a=e.summary.value,o=e.tasks.isBusy("close"),n=s=>s.target.setCustomValidity("");return y({id:"close",title:A("account.close"),about:A("account.close.about")},Oe`
    <details class="new"><summary>${A("account.close.open")}</summary>
      <form class="stack" @submit=${s=>ga(e,s,t)} autocomplete="off">
        ${a===null||a.channels===0?Wt:Oe`<fieldset>
          <legend>${Ut("account.close.channels",a.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${A("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${A("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${A("account.close.typed",{id:a?.account_id??""})}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${n} /></label>
        ${m(e,"close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${o||a===null?"true":"false"}>${A("account.close.do")}</button></div>
      </form>
    </details>`)}import{html as F,nothing as G}from"../account/main.js";import{ApiError as Gt}from"../account/main.js";import{confirmDialog as Kt}from"../chunks/account-later.js";import{fault as me}from"../account/main.js";import{t as b}from"../account/main.js";import{visible as Pe}from"../account/main.js";var Ce="email attach",de="email verify",Be="email remove";async function ka(e,t){t.preventDefault();let a=t.target,o=String(new FormData(a).get("email")??"").trim();e.tasks.clear(de),await e.tasks.run(Ce,()=>e.call("POST","/api/account/email",{body:{email:o}}))!==null&&(a.reset(),a.closest("details")?.removeAttribute("open"),await e.summary.reload(),document.querySelector("#email [name=code]")?.focus())}async function xa(e,t){t.preventDefault();let a=t.target,o=String(new FormData(a).get("code")??"").trim();await e.tasks.run(de,()=>e.call("POST","/api/account/email/verify",{body:{code:o}}))!==null&&a.reset(),await e.summary.reload()}async function Da(e){let t=b("account.email.remove.about");await Kt({title:b("account.email.remove.title"),text:t,action:b("account.email.remove"),danger:!0})&&(await e.tasks.run(Be,()=>e.call("DELETE","/api/account/email")),await e.summary.reload())}function _a(e){let t=e instanceof Gt?e.status:0,a={400:"account.email.wrong",404:"account.email.void",409:"account.email.full"}[t];return a===void 0?me(e):F`<p class="error" role="alert">${b(a)}</p>`}function Zt(e,t){let a=e.tasks.isBusy(Ce);return F`<form class="stack" @submit=${o=>ka(e,o)}>
    <label class="field"><span>${b("account.email.address")}</span>
      <input name="email" type="email" required maxlength="254" autocomplete="email" spellcheck="false" autocapitalize="off" /></label>
    ${me(e.tasks.error(Ce))}
    <div class="row"><button type="submit" class="button" aria-disabled=${a?"true":"false"}>
      ${a?b("account.email.sending"):t}</button></div>
  </form>`}function Sa(e,t){let a=e.tasks.isBusy(de);return F`<p role="status">${b("account.email.sent",{address:Pe(t.address)})}
      ${t.expires_at===null?G:F`<span class="muted">${b("account.email.expires")} ${w(t.expires_at)}</span>`}</p>
    <form class="inline" @submit=${o=>xa(e,o)}>
      <label class="field"><span>${b("account.email.code")}</span>
        <input name="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="64" spellcheck="false" autocapitalize="off" /></label>
      <button type="submit" class="button primary" aria-disabled=${a?"true":"false"}>${b("account.email.verify")}</button>
    </form>`}function Xt(e){let t=e.summary.value,a=t?.email??null,o={id:"email",title:b("account.email"),about:b("account.email.about")};if(t===null)return y(o,G);let n=a===null?null:a.verified?a.next:a;return y(o,F`<div class="stack">
    ${a===null?F`<p class="nothing">${b("account.email.none")}</p>`:G}
    ${a?.verified?F`<p><strong>${Pe(a.address)}</strong> <span class="badge ok">${b("account.email.verified")}</span></p>`:G}
    ${n?Sa(e,n):G}
    ${_a(e.tasks.error(de))}
    ${a===null?Zt(e,b("account.email.attach")):F`
      <details class="new"><summary>${b(n?"account.email.again":"account.email.change")}</summary>
        ${Zt(e,b("account.email.attach"))}</details>
      ${me(e.tasks.error(Be))}
      <div class="row"><button type="button" class="button small" aria-disabled=${e.tasks.isBusy(Be)?"true":"false"}
        @click=${()=>Da(e)}>${b("account.email.remove")}</button></div>`}
  </div>`)}var Ta=["identities","channels","webhooks","sessions","recovery","email","close"],Yt=class{#e;#t;constructor(t,a,o){this.#t=o,this.#e=new Me(t,a,()=>o("ended"),()=>{ct(this.#e),Ft(this.#e)}),this.#e.start()}stop(){this.#e.stop()}#a=async()=>{let t=this.#e,a=t.summary.value,o=t.sessions.value?.length===1&&a?.identities.length===0&&a.channels===0,n=o?S("account.logout.last"):S("account.logout.about");if(!await Ie({title:S("account.logout"),text:n,action:S("account.logout"),danger:o}))return;await t.tasks.run("logout",()=>t.call("POST","/api/account/logout"))!==null&&this.#t("out")};view(t){let a=this.#e,o=a.summary.value,n=t.email===!0;return oe`
      <div class="account-head">
        <div>
          <h1>${S("account.title")}</h1>
          ${o===null?fe:oe`<p class="muted id"><code>${o.account_id}</code> ${Fe(o.account_id,{name:S("account.id")})}
            <span>${S("account.since")} ${w(o.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#a}>${S("account.logout")}</button>
      </div>
      ${m(a,"logout")}
      <div class="columns">
        <nav class="sections" aria-label=${S("account.sections")}>
          ${Ta.filter(s=>s!=="email"||n).map(s=>oe`<a href=${`#${s}`}>${S(`account.${s}`)}</a>`)}
        </nav>
        <div class="cards">
          ${Xe(a)} ${ht(a)} ${It(a)} ${Nt(a)} ${jt(a)}
          ${n?Xt(a):fe}
          ${Ht(a,()=>this.#t("deleted"))}
        </div>
      </div>`}};export{Yt as OpenAccount};
