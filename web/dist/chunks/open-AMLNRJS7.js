import{html as le,nothing as ce}from"../account/main.js";import{copyButton as Ge}from"../chunks/account-later.js";import{confirmDialog as He}from"../chunks/account-later.js";import{t as O}from"../account/main.js";import{Account as Ze}from"../chunks/account-later.js";import{html as z,nothing as ve}from"../account/main.js";import{noChange as Je}from"../account/main.js";import{Directive as Xe,PartType as Ye,directive as Qe}from"../chunks/account-later.js";import{getCommittedValue as et,insertPart as K,removePart as ue,setChildPartValue as q,setCommittedValue as tt}from"../chunks/account-later.js";var ot=(e,t,o)=>{let a=new Map;for(let n=t;n<=o;n++)a.set(e[n],n);return a},x=Qe(class extends Xe{constructor(e){if(super(e),e.type!==Ye.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,o){let a;o===void 0?o=t:t!==void 0&&(a=t);let n=[],s=[],r=0;for(let c of e)n[r]=a?a(c,r):r,s[r]=o(c,r),r++;return{values:s,keys:n}}render(e,t,o){return this.dt(e,t,o).values}update(e,[t,o,a]){let n=et(e),{values:s,keys:r}=this.dt(t,o,a);if(!Array.isArray(n))return this.ut=r,s;let c=this.ut??=[],g=[],ie,ze,f=0,v=n.length-1,h=0,S=s.length-1;for(;f<=v&&h<=S;)if(n[f]===null)f++;else if(n[v]===null)v--;else if(c[f]===r[h])g[h]=q(n[f],s[h]),f++,h++;else if(c[v]===r[S])g[S]=q(n[v],s[S]),v--,S--;else if(c[f]===r[S])g[S]=q(n[f],s[S]),K(e,g[S+1],n[f]),f++,S--;else if(c[v]===r[h])g[h]=q(n[v],s[h]),K(e,n[f],n[v]),v--,h++;else if(ie===void 0&&(ie=ot(r,h,S),ze=ot(c,f,v)),ie.has(c[f]))if(ie.has(c[v])){let R=ze.get(r[h]),ge=R!==void 0?n[R]:null;if(ge===null){let Ke=K(e,n[f]);q(Ke,s[h]),g[h]=Ke}else g[h]=q(ge,s[h]),K(e,n[f],ge),n[R]=null;h++}else ue(n[v]),v--;else ue(n[f]),f++;for(;h<=S;){let R=K(e,g[S+1]);q(R,s[h]),g[h++]=R}for(;f<=v;){let R=n[f++];R!==null&&ue(R)}return this.ut=r,tt(e,g),Je}});import{t as d}from"../account/main.js";import{load as at}from"../account/main.js";import{visible as nt}from"../account/main.js";import{confirmDialog as ke}from"../chunks/account-later.js";import{keyName as xe}from"../chunks/account-later.js";import{html as A,nothing as Y}from"../account/main.js";import{ago as st,formatTime as rt,t as me}from"../account/main.js";import{fault as Se}from"../account/main.js";function y({id:e,title:t,about:o,count:a="",aside:n=Y},s){return A`<section class="card" id=${e} aria-labelledby=${`${e}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${e}-title`}>${t}${a===""?Y:A` <span class="count">${a}</span>`}</h2>
      ${n}
    </div>
    <p class="muted about">${o}</p>
    ${s}
  </section>`}function _(e,t,o){let a=e.value;return A`
    ${e.error===null?Y:_e(e)}
    ${a===null?e.error===null?A`<div class="skeleton" role="status"><span class="visually-hidden">${me("account.loading")}</span></div>`:Y:a.length===0?A`<p class="nothing">${t}</p>`:o(a)}`}function _e(e){return A`<div class="failed">
    ${Se(e.error)}
    <button type="button" class="button small" aria-disabled=${e.loading?"true":"false"} @click=${()=>e.reload()}>${me("account.retry")}</button>
  </div>`}function w(e,{task:t,label:o,of:a,kind:n="",act:s}){let r=e.tasks.isBusy(t);return A`<button type="button" class="button small ${n}" aria-label=${`${o}: ${a}`} aria-disabled=${r?"true":"false"}
    @click=${()=>{r||s()}}>${o}</button>`}var u=(e,t)=>Se(e.tasks.error(t)),b=e=>A`<time datetime=${new Date(e).toISOString()} title=${rt(new Date(e))}>${st(new Date(e))}</time>`;function G(e,t){return e===void 0?"":t==null?String(e):me("account.of",{count:e,limit:t})}import{keep as it}from"../chunks/account-later.js";async function lt(e,{callsign:t,identity_key:o}){e.known.set(xe(t),o),await Promise.all([e.summary.reload(),it({title:d("account.identity.made",{callsign:t}),about:d("account.identity.made.about"),file:`rogerrat-identity-${t}.txt`,items:[{label:d("account.identity.callsign"),value:t},{label:d("account.identity.key"),value:o}]})])}async function vo(e,t){t.preventDefault();let o=t.target,a=String(new FormData(o).get("callsign")??"").trim(),n=a===""?{}:{callsign:a},s=await e.tasks.run("identity",()=>e.call("POST","/api/account/identities",{body:n}));s!==null&&(o.reset(),await lt(e,s.value))}async function ko(e,t){if(!await ke({title:d("account.identity.rotate.title",{callsign:t}),text:d("account.identity.rotate.about"),action:d("account.identity.rotate")}))return;let a=`/api/account/identities/${encodeURIComponent(t)}/rotate-key`,n=await e.tasks.run(`identity ${t}`,()=>e.call("POST",a));n!==null&&await lt(e,n.value)}async function xo(e,t){await ke({title:d("account.identity.delete.title",{callsign:t}),text:d("account.identity.delete.about"),typed:t,action:d("account.delete"),danger:!0})&&await e.tasks.run(`identity ${t}`,async()=>{await e.call("DELETE",`/api/account/identities/${encodeURIComponent(t)}`),e.known.delete(xe(t)),await e.summary.reload()})}function So(e,{callsign:t,created_at:o}){let a=`identity ${t}`,n=nt(t);return z`<li>
    <div class="who"><p><strong>${n}</strong></p><p class="muted">${d("account.created")} ${b(o)}</p></div>
    <div class="deeds">
      ${w(e,{task:a,label:d("account.identity.open"),of:n,act:async()=>(await at(import("./open-as-ZTNIXEZM.js"))).openAs(e,{callsign:t})})}
      ${w(e,{task:a,label:d("account.identity.rotate"),of:n,act:()=>ko(e,t)})}
      ${w(e,{task:a,label:d("account.delete"),of:n,kind:"danger",act:()=>xo(e,t)})}
    </div>
    ${u(e,a)}
  </li>`}function ct(e){let t=e.summary.value,o=t?.identities??[],a={id:"identities",title:d("account.identities"),about:d("account.identities.about"),count:G(t?.identities.length,t?.limits.identities)},n=e.tasks.isBusy("identity");return y(a,z`
    ${e.summary.error===null?ve:_e(e.summary)}
    ${t===null?e.summary.error===null?z`<div class="skeleton"></div>`:ve:o.length===0?z`<p class="nothing">${d("account.identities.none")}</p>`:z`<ul class="rows">${x(o,s=>s.callsign,s=>So(e,s))}</ul>`}
    <form class="inline" @submit=${s=>vo(e,s)}>
      <label class="field"><span>${d("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${d("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${n?"true":"false"}>${d("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${d("account.identity.wish.about")}</p>
    ${u(e,"identity")}`)}import{html as V,nothing as de}from"../account/main.js";import{t as l,tn as ut}from"../account/main.js";import{load as mt}from"../account/main.js";import{visible as De}from"../account/main.js";import{has as dt,t as pt}from"../account/main.js";import{visible as ft}from"../account/main.js";var D=(e,t)=>dt(e)?pt(e):ft(t);import{confirmDialog as Te}from"../chunks/account-later.js";import{tokenName as Q}from"../chunks/account-later.js";import{keep as Oe}from"../chunks/account-later.js";import{openChat as ht}from"../chunks/account-later.js";import{html as H,nothing as pe}from"../account/main.js";import{ago as bt,t as P,tn as $t}from"../account/main.js";import{visible as Ee}from"../account/main.js";import{confirmDialog as wt}from"../chunks/account-later.js";import{Resource as yt}from"../chunks/account-later.js";var gt=new WeakMap;function ee(e){let t=gt.get(e)??new Map;return gt.set(e,t),t}function vt(e,t){let o=ee(e);if(o.delete(t))return e.changed();let a=async()=>(await e.call("GET",`/api/account/channels/${encodeURIComponent(t)}`)).roster_all,n=new yt(a,e.changed);o.set(t,n),n.reload()}function kt(e,{id:t,agent_count:o}){return ee(e).get(t)?.value?.filter(n=>n.online).length??o}function xt(e){for(let t of ee(e).values())t.reload()}async function _o(e,t,{callsign:o}){await wt({title:P("account.kick.title",{callsign:o}),text:P("account.kick.about"),action:P("account.kick"),danger:!0})&&await e.tasks.run(`members ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}/sessions/${encodeURIComponent(o)}`),await Promise.all([ee(e).get(t)?.reload(),e.channels.reload()])})}function Do({online:e,reach:t,seen_at:o}){return e?t!==void 0&&t!=="away"?D(`account.members.${t}`,t):o==null?P("account.members.online"):P("account.members.seen",{time:bt(new Date(o))}):P("account.members.offline")}function St(e,t){let o=ee(e).get(t);if(o===void 0)return pe;let a=n=>H`<li>
    <div class="who"><p><strong>${Ee(n.callsign)}</strong> <span class="muted">#${n.idx}</span>
      <span class="badge ${n.online?"ok":""}">${Do(n)}</span></p>
      ${n.unread===void 0||n.unread===0?pe:H`<p class="muted">${$t("account.members.unread",n.unread)}</p>`}</div>
    ${n.online?H`<div class="deeds"><button type="button" class="button small" aria-label=${`${P("account.kick")}: ${Ee(n.callsign)}`}
      @click=${()=>_o(e,t,n)}>${P("account.kick")}</button></div>`:pe}
  </li>`;return H`<div class="inside">
    ${_(o,P("account.members.none"),n=>H`<ul class="rows">${x(n,s=>s.callsign,a)}</ul>`)}
    ${u(e,`members ${t}`)}
  </div>`}import{html as Z,nothing as _t}from"../account/main.js";import{t as p}from"../account/main.js";import{channelBody as Dt}from"../chunks/account-later.js";var To=["none","metadata","prompts","full"],Oo=["prompts","full"],J={retention:"none",trust:"untrusted",visibility:"channel"};async function Eo(e,t,o){t.preventDefault();let a=t.target,n=Dt(new FormData(a)),s=await e.tasks.run("channel",()=>e.call("POST","/api/channels",{body:n}));s!==null&&(a.reset(),a.closest("details")?.removeAttribute("open"),Object.assign(J,{retention:"none",trust:"untrusted",visibility:"channel"}),e.changed(),o(s.value))}function fe(e,t,o,a=()=>{}){return Z`<label class="field"><span>${o}</span>
    <select name=${e} @change=${n=>a(n.target.value)}>
      ${t.map(n=>Z`<option value=${n}>${p(`account.${e}.${n||"auto"}`)}</option>`)}
    </select></label>`}function Tt(e,t,{isForced:o=!1}={}){return Z`<label class="check"><input type="checkbox" name=${e} ?disabled=${o} /><span>${t}
    ${o?Z`<span class="muted">${p("account.channel.forced")}</span>`:_t}</span></label>`}function Ot(e,t){let o=e.tasks.isBusy("channel"),a=s=>{Object.assign(J,s),e.changed()},n=Oo.includes(J.retention)?["","disk"]:["","memory","disk"];return Z`<details class="new"><summary>${p("account.channel.new")}</summary>
    <form class="stack" @submit=${s=>Eo(e,s,t)} autocomplete="off">
      ${fe("retention",To,p("account.channel.retention"),s=>a({retention:s}))}
      <p class="hint">${p(`account.retention.${J.retention}.about`)}</p>
      ${Tt("require_identity",p("account.channel.require"))}
      <details class="more"><summary>${p("account.channel.more")}</summary><div class="stack">
        ${fe("trust_mode",["untrusted","trusted"],p("account.channel.trust"),s=>a({trust:s}))}
        <p class="hint">${p(`account.trust.${J.trust}.about`)}</p>
        <label class="field"><span>${p("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${p("account.channel.password.about")}</p>
        ${fe("dm_visibility",["channel","private"],p("account.channel.dm"),s=>a({visibility:s}))}
        ${Tt("claim_callsigns",p("account.channel.claim"),{isForced:J.visibility==="private"})}
        ${fe("durability",n,p("account.channel.durability"))}
        <label class="field"><span>${p("account.channel.session")}</span>
          <input name="session_minutes" type="number" inputmode="decimal" min="0.1" max="1440" step="any" placeholder="30" /></label>
        <label class="field"><span>${p("account.channel.member")}</span>
          <input name="member_days" type="number" inputmode="decimal" min="0.01" max="365" step="any" placeholder="7" /></label>
        <label class="field"><span>${p("account.channel.webhook")}</span>
          <input name="webhook" type="url" maxlength="2048" placeholder=${p("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        <p class="hint">${p("account.channel.webhook.about")}</p>
      </div></details>
      ${u(e,"channel")}
      <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
        ${o?p("account.channel.creating"):p("account.channel.create")}</button></div>
    </form>
  </details>`}async function Po(e,t){let o=t.channel_id;e.known.set(Q(o),t.join_token);let a=[{label:l("account.channel.id"),value:o},{label:l("account.channel.token"),value:t.join_token},...t.owner_password?[{label:l("account.channel.password"),value:t.owner_password}]:[],...t.webhook?[{label:l("account.webhook.secret"),value:t.webhook.secret,note:t.webhook.url}]:[],...t.peer_invite?[{label:l("account.channel.invite"),value:t.peer_invite,note:l("account.channel.invite.about")}]:[]];await Promise.all([e.channels.reload(),e.summary.reload(),Oe({title:l("account.channel.made"),about:l("account.channel.made.about"),file:`rogerrat-channel-${o}.txt`,items:a,more:n=>V`<button type="button" class="button small" @click=${()=>{n(),Et(e,o,t.require_identity===!0)}}>${l("account.channel.open")}</button>`})])}async function Et(e,t,o){let a=e.known.get(Q(t))??"";(e.summary.value?.identities.length??0)>0&&(o||a==="")?(await mt(import("./open-as-ZTNIXEZM.js"))).openAs(e,{channel:t}):ht(t,{token:a})}async function Bo(e,t){if(!await Te({title:l("account.channel.rotate.title",{id:De(t)}),text:l("account.channel.rotate.about"),action:l("account.channel.rotate")}))return;let a=`/api/account/channels/${encodeURIComponent(t)}/rotate-token`,n=await e.tasks.run(`channel ${t}`,()=>e.call("POST",a));if(n===null)return;let{channel_id:s,join_token:r}=n.value;e.known.set(Q(s),r),await Oe({title:l("account.channel.rotated"),about:l("account.channel.rotated.about"),file:`rogerrat-channel-${s}.txt`,items:[{label:l("account.channel.id"),value:s},{label:l("account.channel.token"),value:r}]})}async function Co(e,t){await Te({title:l("account.channel.delete.title"),text:l("account.channel.delete.about"),typed:t,action:l("account.delete"),danger:!0})&&await e.tasks.run(`channel ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}`),e.known.delete(Q(t)),await Promise.all([e.channels.reload(),e.summary.reload()])})}function Ro(e,t){let{id:o}=t,a=`channel ${o}`,n=De(o),s=St(e,o);return V`<li>
    <div class="who">
      <p><strong>${n}</strong>
        ${t.require_identity?V`<span class="badge">${l("account.channel.identities")}</span>`:de}
        ${t.trust_mode==="trusted"?V`<span class="badge">${l("account.channel.trusted")}</span>`:de}</p>
      <p class="muted">${ut("account.channel.online",kt(e,t))} · ${D(`account.retention.${t.retention}`,t.retention)} ·
        ${l("account.created")} ${b(t.created_at)}</p>
    </div>
    <div class="deeds">
      ${w(e,{task:a,label:l("account.channel.open"),of:n,act:()=>Et(e,o,t.require_identity)})}
      <button type="button" class="button small" aria-expanded=${s===de?"false":"true"} aria-label=${`${l("account.members")}: ${n}`}
        @click=${()=>vt(e,o)}>${l("account.members")}</button>
      ${w(e,{task:a,label:l("account.channel.rotate"),of:n,act:()=>Bo(e,o)})}
      ${w(e,{task:a,label:l("account.delete"),of:n,kind:"danger",act:()=>Co(e,o)})}
    </div>
    ${u(e,a)}
    ${s}
  </li>`}function Pt(e){let t={id:"channels",title:l("account.channels"),about:l("account.channels.about"),count:G(e.channels.value?.length,e.summary.value?.limits.channels)};return y(t,V`
    ${_(e.channels,l("account.channels.none"),o=>V`<ul class="rows">${x(o,a=>a.id,a=>Ro(e,a))}</ul>`)}
    ${Ot(e,o=>Po(e,o))}`)}import{html as T,nothing as te}from"../account/main.js";import{formatTime as Pe,t as i,tn as Be}from"../account/main.js";import{visible as oe}from"../account/main.js";import{confirmDialog as Ce}from"../chunks/account-later.js";import{webhookFormat as Bt}from"../chunks/account-later.js";import{keep as Ct}from"../chunks/account-later.js";import{html as Re,nothing as he}from"../account/main.js";import{t as W}from"../account/main.js";import{visible as Rt}from"../account/main.js";var At=()=>Re`<details class="more"><summary>${W("account.webhook.format")}</summary><div class="stack">
  <label class="field"><span>${W("account.webhook.headers")}</span>
    <textarea class="code" name="headers" rows="2" placeholder="Authorization: Bearer …" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${W("account.webhook.headers.about")}</p>
  <label class="field"><span>${W("account.webhook.body")}</span>
    <textarea class="code" name="body" rows="3" maxlength="16384" placeholder='{"text": "{{from}}: {{text}}"}' autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${W("account.webhook.body.about")}</p>
</div></details>`;function Mt({header_names:e=[],custom_body:t=!1}){return e.length===0&&!t?he:Re`<p class="muted">${e.length===0?he:W("account.webhook.headers.shown",{names:Rt(e.join(", "))})}
    ${t?W("account.webhook.body.shown"):he}</p>`}import{html as B,nothing as U}from"../account/main.js";import{t as j,tn as ae}from"../account/main.js";import{visible as Ft}from"../account/main.js";import{Resource as It}from"../chunks/account-later.js";var Ao=3e4,Mo=700,ne=new WeakMap,qt=new WeakMap;function M(e,t){let o=e.get(t)??new Map;return e.set(t,o),o}var Wt=async(e,t)=>(await e.call("GET",`/api/account/webhooks/${t}/deliveries`)).deliveries;function Nt(e,t){let o=M(ne,e);if(o.delete(t))return e.changed();let a=new It(()=>Wt(e,t),e.changed);o.set(t,a),a.reload()}function Vt(e){for(let t of M(ne,e).values())t.reload()}async function Ut(e,t){let o=M(qt,e);await e.tasks.run(`test ${t}`,async()=>{o.set(t,null),e.changed();try{let{delivery_id:a}=await e.call("POST",`/api/account/webhooks/${t}/test`),n=await Fo(e,t,a);n===void 0?o.delete(t):o.set(t,n)}catch(a){throw o.delete(t),a}M(ne,e).get(t)?.reload(),e.webhooks.reload()})}async function Fo(e,t,o){let a=Date.now()+Ao;for(;;){await new Promise(s=>setTimeout(s,Mo));let n=(await Wt(e,t)).find(s=>s.id===o);if(n===void 0||n.status!=="due"||Date.now()>a)return n}}function Lt(e,t,o){return e.tasks.run(`replay ${t}`,async()=>{let a=o===void 0?{}:{delivery_id:o},{replayed:n,gone:s}=await e.call("POST",`/api/account/webhooks/${t}/replay`,{body:a});M(jt,e).set(t,s.length>0?ae("account.replay.gone",s.length):ae("account.replay.done",n.length)),await Promise.all([M(ne,e).get(t)?.reload(),e.webhooks.reload()])})}var jt=new WeakMap;function zt({status:e,response_status:t,latency_ms:o,failure:a,attempts:n}){let s=[t===void 0?"":j("account.delivery.answer",{status:t}),a===void 0||a==="status"&&t!==void 0?"":D(`account.failure.${a}`,a),o===void 0?"":j("account.delivery.time",{ms:o}),n>1?ae("account.delivery.attempts",n):""].filter(c=>c!=="");return B`<span class="badge ${e==="delivered"?"ok":e==="due"?"":"danger"}">${D(`account.delivery.${e}`,e)}</span> <span class="muted">${s.join(" · ")}</span>`}function Kt(e,t){let o=M(qt,e).get(t);return B`<p class="test" role="status">${o===void 0?U:o===null?j("account.webhook.testing"):B`${j("account.webhook.tested")} ${zt(o)}`}</p>`}function Gt(e,{id:t}){let o=M(ne,e).get(t);if(o===void 0)return U;let a=(o.value??[]).filter(({status:r})=>r==="failed"||r==="dropped").length,n=e.tasks.isBusy(`replay ${t}`)?"true":"false",s=r=>B`<li>
    <div class="who">
      <p>${zt(r)}</p>
      <p class="muted">${D(`account.event.${r.event.replace(".","_")}`,r.event)}
        ${r.channel_id===void 0?U:B` · ${Ft(r.channel_id)}`} · ${b(r.due_at)}</p>
    </div>
    ${r.status==="due"?U:B`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${n} @click=${()=>Lt(e,t,r.id)}>${j("account.replay")}</button></div>`}
  </li>`;return B`<div class="inside">
    <p role="status" class="muted">${M(jt,e).get(t)??U}</p>
    ${a===0?U:B`<div class="row"><button type="button" class="button small" aria-disabled=${n} @click=${()=>Lt(e,t)}>
      ${ae("account.replay.failed",a)}</button></div>`}
    ${u(e,`replay ${t}`)}
    ${_(o,j("account.deliveries.none"),r=>B`<ul class="rows">${x(r,c=>c.id,s)}</ul>`)}
  </div>`}var be=["message.received"];async function Ht(e,{id:t,url:o,secret:a},{title:n,about:s}){await Promise.all([e.webhooks.reload(),e.summary.reload(),Ct({title:n,about:s,file:`rogerrat-webhook-${t}.txt`,items:[{label:i("account.webhook.url"),value:oe(o)},{label:i("account.webhook.secret"),value:a}]})])}async function Io(e,t){t.preventDefault();let o=t.target,a=new FormData(o),n={url:String(a.get("url")??"").trim(),events:be.length===1?be:a.getAll("events"),retry:String(a.get("retry")??"immediate"),...Bt(a)},s=await e.tasks.run("webhook",()=>e.call("POST","/api/account/webhooks",{body:n}));s!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),await Ht(e,s.value,{title:i("account.webhook.made"),about:i("account.webhook.made.about")}))}async function Lo(e,{id:t,url:o}){if(!await Ce({title:i("account.webhook.rotate.title"),text:i("account.webhook.rotate.about",{url:oe(o)}),action:i("account.webhook.rotate")}))return;let n=await e.tasks.run(`webhook ${t}`,()=>e.call("POST",`/api/account/webhooks/${t}/rotate-secret`));n!==null&&await Ht(e,n.value,{title:i("account.webhook.rotated"),about:i("account.webhook.rotated.about")})}async function qo(e,{id:t,url:o}){await Ce({title:i("account.webhook.delete.title"),text:i("account.webhook.delete.about",{url:oe(o)}),action:i("account.delete"),danger:!0})&&await e.tasks.run(`webhook ${t}`,async()=>{await e.call("DELETE",`/api/account/webhooks/${t}`),await Promise.all([e.webhooks.reload(),e.summary.reload()])})}function Wo(e){return e.active?e.failures_in_a_row>0?T`<span class="badge warn">${Be("account.webhook.failing",e.failures_in_a_row)}</span>`:T`<span class="badge ok">${i("account.webhook.on")}</span>`:T`<span class="badge danger">${i("account.webhook.off")}</span>
      <span class="muted">${i("account.webhook.off.about",{time:Pe(new Date(e.switched_off_at??e.created_at))})}</span>`}function No(e,t){let{id:o}=t,a=`webhook ${o}`,n=oe(t.url),s=Gt(e,t);return T`<li>
    <div class="who">
      <p class="url"><strong>${n}</strong></p>
      <p>${Wo(t)} ${t.due===0?te:T`<span class="badge">${Be("account.webhook.due",t.due)}</span>`}</p>
      <p class="muted">${t.events.map(r=>D(`account.event.${r.replace(".","_")}`,r)).join(", ")} ·
        ${D(`account.retry.${t.retry}`,t.retry)} · ${i("account.created")} ${b(t.created_at)}
        ${t.previous_secret_until===void 0?te:T` · ${i("account.webhook.previous",{time:Pe(new Date(t.previous_secret_until))})}`}</p>
      ${Mt(t)}
      ${Kt(e,o)}
    </div>
    <div class="deeds">
      ${w(e,{task:`test ${o}`,label:i("account.webhook.test"),of:n,act:()=>Ut(e,o)})}
      <button type="button" class="button small" aria-expanded=${s===te?"false":"true"} aria-label=${`${i("account.deliveries")}: ${n}`}
        @click=${()=>Nt(e,o)}>${i("account.deliveries")}</button>
      ${w(e,{task:a,label:i("account.webhook.rotate"),of:n,act:()=>Lo(e,t)})}
      ${w(e,{task:a,label:i("account.delete"),of:n,kind:"danger",act:()=>qo(e,t)})}
    </div>
    ${u(e,a)} ${u(e,`test ${o}`)}
    ${s}
  </li>`}var Zt=e=>Vt(e);function Jt(e){let t={id:"webhooks",title:i("account.webhooks"),about:i("account.webhooks.about"),count:G(e.webhooks.value?.length,e.summary.value?.limits.webhooks)},o=e.tasks.isBusy("webhook");return y(t,T`
    ${_(e.webhooks,i("account.webhooks.none"),a=>T`<ul class="rows">${x(a,n=>n.id,n=>No(e,n))}</ul>`)}
    <details class="new"><summary>${i("account.webhook.new")}</summary>
      <form class="stack" @submit=${a=>Io(e,a)} autocomplete="off">
        <label class="field"><span>${i("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${i("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${be.length===1?te:T`<fieldset><legend>${i("account.webhook.events")}</legend>
          ${be.map(a=>T`<label class="check"><input type="checkbox" name="events" value=${a} checked />
            <span>${D(`account.event.${a.replace(".","_")}`,a)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${i("account.webhook.retry")}</span>
          <select name="retry">${["immediate","persistent"].map(a=>T`<option value=${a}>${i(`account.retry.${a}.about`)}</option>`)}</select></label>
        ${At()}
        <p class="hint">${i("account.webhook.about")}</p>
        ${u(e,"webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
          ${o?i("account.webhook.subscribing"):i("account.webhook.subscribe")}</button></div>
      </form>
    </details>`)}import{html as F,nothing as se}from"../account/main.js";import{t as m,tn as Xt}from"../account/main.js";import{visible as Yt}from"../account/main.js";import{confirmDialog as Ae}from"../chunks/account-later.js";import{keep as Qt}from"../chunks/account-later.js";var eo=({label:e})=>e===null?m("account.session.unnamed"):Yt(e);async function to(e,t){let o=t.length===1?m("account.session.end.about",{name:eo(t[0])}):Xt("account.session.others.about",t.length);await Ae({title:m("account.session.end.title"),text:o,action:m("account.session.end"),danger:!0})&&await e.tasks.run("sessions",async()=>{try{for(let{sid:n}of t)await e.call("DELETE",`/api/account/sessions/${encodeURIComponent(n)}`)}finally{await e.sessions.reload()}})}function Vo(e,t){let o=eo(t);return F`<li>
    <div class="who">
      <p><strong>${o}</strong> ${t.current?F`<span class="badge ok">${m("account.session.current")}</span>`:se}</p>
      <p class="muted">${m("account.session.used")} ${b(t.last_used_at)}
        ${t.created_at===null?se:F` · ${m("account.created")} ${b(t.created_at)}`}</p>
    </div>
    ${t.current?se:F`<div class="deeds">
      ${w(e,{task:"sessions",label:m("account.session.end"),of:o,act:()=>to(e,[t])})}</div>`}
  </li>`}function oo(e){let t=(e.sessions.value??[]).filter(a=>!a.current),o={id:"sessions",title:m("account.sessions"),about:m("account.sessions.about")};return y(o,F`
    ${_(e.sessions,m("account.sessions.none"),a=>F`<ul class="rows">${x(a,n=>n.sid,n=>Vo(e,n))}</ul>`)}
    ${u(e,"sessions")}
    ${t.length<2?se:F`<div class="row">
      <button type="button" class="button small" @click=${()=>to(e,t)}>${m("account.session.others")}</button></div>`}`)}async function Uo(e){if(!await Ae({title:m("account.recovery.title"),text:m("account.recovery.rotate.about"),action:m("account.recovery.rotate")}))return;let o=await e.tasks.run("recovery",()=>e.call("POST","/api/account/rotate-recovery"));if(o===null)return;let{account_id:a,recovery_token:n}=o.value;await Qt({title:m("account.recovery.made"),about:m("account.recovery.made.about"),file:`rogerrat-${a}.txt`,items:[{label:m("account.id"),value:a},{label:m("account.recovery.token"),value:n}]})}function ao(e){let t=e.tasks.isBusy("recovery")?"true":"false";return y({id:"recovery",title:m("account.recovery"),about:m("account.recovery.about")},F`
    ${u(e,"recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${t} @click=${()=>Uo(e)}>${m("account.recovery.rotate")}</button></div>`)}import{html as N,nothing as $e}from"../account/main.js";import{request as no}from"../account/main.js";var Me="/sw.js",Fe;async function jo(){return Fe??=window.trustedTypes?.createPolicy("hub",{createScriptURL:()=>Me}),await navigator.serviceWorker.register(Fe?Fe.createScriptURL(Me):Me,{scope:"/"}),navigator.serviceWorker.ready}var zo=()=>navigator.standalone;function Ie(){return window.isSecureContext?"serviceWorker"in navigator&&"PushManager"in window&&"Notification"in window?null:zo()===void 0?"browser":"ios":"insecure"}async function so(e){let t=await jo(),o=Ko(e),a=await t.pushManager.getSubscription();a&&!Go(a,o)&&(await a.unsubscribe(),a=null),a??=await t.pushManager.subscribe({userVisibleOnly:!0,applicationServerKey:o});let{endpoint:n,keys:s}=a.toJSON();return{endpoint:n,keys:s}}async function ro(){return!!await(await navigator.serviceWorker.getRegistration("/"))?.pushManager.getSubscription()}function Ko(e){let t=atob(e.replaceAll("-","+").replaceAll("_","/"));return Uint8Array.from(t,o=>o.charCodeAt(0))}function Go(e,t){let o=e.options?.applicationServerKey;if(!o)return!0;let a=new Uint8Array(o);return a.length===t.length&&a.every((n,s)=>n===t[s])}import{currentLanguage as io,t as k}from"../account/main.js";import{lasting as E}from"../account/main.js";import{visible as Le}from"../account/main.js";var re="push",Ho=24*3600*1e3,C=e=>`account-push ${e.summary.value?.account_id??""}`,qe=new WeakMap;async function lo(e){let{public_key:t}=await no("GET","/api/push"),o={...await so(String(t)),language:io()==="es"?"es":"en"},{id:a}=await e.call("POST","/api/account/push",{body:o}),n=E.get(C(e));E.set(C(e),a),n!==null&&n!==a&&await e.call("DELETE",`/api/account/push/${n}`).catch(()=>{})}async function We(e,t){qe.delete(e),await e.tasks.run(re,async()=>{try{qe.set(e,await t())}finally{await e.devices.reload()}})}var Zo=e=>We(e,async()=>await Notification.requestPermission()!=="granted"?k("account.push.not_allowed"):(await lo(e),k("account.push.done"))),Jo=(e,{id:t})=>We(e,async()=>{let{ok:o,removed:a,response_status:n,failure:s}=await e.call("POST",`/api/account/push/${t}/test`);return o?k("account.push.tested"):(a&&E.get(C(e))===t&&E.remove(C(e)),k(a?"account.push.gone":"account.push.failed",{why:n?String(n):Le(s??"")}))}),Xo=(e,{id:t})=>We(e,async()=>(await e.call("DELETE",`/api/account/push/${t}`),E.get(C(e))===t&&E.remove(C(e)),""));async function co(e){let t=E.get(C(e));if(t===null||Ie()!==null||Notification.permission!=="granted")return;let o=e.devices.value?.find(a=>a.id===t);if(e.devices.value!==null&&o===void 0)return E.remove(C(e));o===void 0||Date.now()-o.confirmed_at<Ho&&await ro()||await lo(e).catch(()=>{})}function Yo(e,t){let o=Le(t.service),{last:a}=t,n=E.get(C(e))===t.id;return N`<li>
    <div class="who">
      <p><strong>${o}</strong> ${n?N`<span class="badge ok">${k("account.push.this")}</span>`:$e}</p>
      <p class="muted">${k("account.created")} ${b(t.created_at)}
        ${a===void 0?$e:N` · ${k(a.status==="delivered"?"account.push.last":"account.push.last.failed")} ${b(a.at)}`}</p>
    </div>
    <div class="deeds">
      ${w(e,{task:re,label:k("account.push.test"),of:o,act:()=>Jo(e,t)})}
      ${w(e,{task:re,label:k("account.push.remove"),of:o,act:()=>Xo(e,t)})}
    </div>
  </li>`}function uo(e){let t=e.devices.value??[],o=E.get(C(e)),a=Ie(),n=t.some(c=>c.id===o),s=e.tasks.isBusy(re),r=a!==null||Notification.permission==="denied"?N`<p class="muted">${k(a===null?"account.push.blocked":`account.push.no.${a}`)}</p>`:N`<div class="row"><button type="button" class="button small" aria-disabled=${s?"true":"false"}
        @click=${()=>{s||Zo(e)}}>${k("account.push.on")}</button></div>`;return y({id:"push",title:k("account.push"),about:k("account.push.about")},N`
    ${_(e.devices,k("account.push.none"),c=>N`<ul class="rows">${x(c,g=>g.id,g=>Yo(e,g))}</ul>`)}
    ${u(e,re)}
    <p role="status" class="muted">${qe.get(e)??""}</p>
    ${n?$e:r}`)}import{html as Ne,nothing as mo}from"../account/main.js";import{t as I,tn as po}from"../account/main.js";async function Qo(e,t,o){t.preventDefault();let a=t.target,n=new FormData(a),s=a.elements.namedItem("typed"),r=String(n.get("typed")??"").trim()===e.summary.value?.account_id;if(s.setCustomValidity(r?"":I("account.close.differs")),!a.reportValidity())return;let c=n.get("channels")==="delete"?{channels:"delete"}:{};await e.tasks.run("close",()=>e.call("DELETE","/api/account",{query:c}))!==null&&o()}function fo(e,t){let o=e.summary.value,a=e.tasks.isBusy("close"),n=s=>s.target.setCustomValidity("");return y({id:"close",title:I("account.close"),about:I("account.close.about")},Ne`
    <details class="new"><summary>${I("account.close.open")}</summary>
      <form class="stack" @submit=${s=>Qo(e,s,t)} autocomplete="off">
        ${o===null||o.channels===0?mo:Ne`<fieldset>
          <legend>${po("account.close.channels",o.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${I("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${I("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${I("account.close.typed",{id:o?.account_id??""})}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${n} /></label>
        ${u(e,"close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${a||o===null?"true":"false"}>${I("account.close.do")}</button></div>
      </form>
    </details>`)}import{html as L,nothing as X}from"../account/main.js";import{ApiError as ho}from"../account/main.js";import{confirmDialog as bo}from"../chunks/account-later.js";import{fault as we}from"../account/main.js";import{t as $}from"../account/main.js";import{visible as Ve}from"../account/main.js";import{emailField as $o}from"../account/main.js";var Ue="email attach",ye="email verify",je="email remove";async function ea(e,t){t.preventDefault();let o=t.target,a=String(new FormData(o).get("email")??"").trim();e.tasks.clear(ye),await e.tasks.run(Ue,()=>e.call("POST","/api/account/email",{body:{email:a}}))!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),await e.summary.reload(),document.querySelector("#email [name=code]")?.focus())}async function ta(e,t){t.preventDefault();let o=t.target,a=String(new FormData(o).get("code")??"").trim();await e.tasks.run(ye,()=>e.call("POST","/api/account/email/verify",{body:{code:a}}))!==null&&o.reset(),await e.summary.reload()}async function oa(e){let t=$("account.email.remove.about");await bo({title:$("account.email.remove.title"),text:t,action:$("account.email.remove"),danger:!0})&&(await e.tasks.run(je,()=>e.call("DELETE","/api/account/email")),await e.summary.reload())}function aa(e){let t=e instanceof ho?e.status:0,o={400:"account.email.wrong",404:"account.email.void",409:"account.email.full"}[t];return o===void 0?we(e):L`<p class="error" role="alert">${$(o)}</p>`}function wo(e,t){let o=e.tasks.isBusy(Ue);return L`<form class="stack" @submit=${a=>ea(e,a)}>
    ${$o()}
    ${we(e.tasks.error(Ue))}
    <div class="row"><button type="submit" class="button" aria-disabled=${o?"true":"false"}>
      ${o?$("account.email.sending"):t}</button></div>
  </form>`}function na(e,t){let o=e.tasks.isBusy(ye);return L`<p role="status">${$("account.email.sent",{address:Ve(t.address)})}
      ${t.expires_at===null?X:L`<span class="muted">${$("account.email.expires")} ${b(t.expires_at)}</span>`}</p>
    <form class="inline" @submit=${a=>ta(e,a)}>
      <label class="field"><span>${$("account.email.code")}</span>
        <input name="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="64" spellcheck="false" autocapitalize="off" /></label>
      <button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>${$("account.email.verify")}</button>
    </form>`}function yo(e){let t=e.summary.value,o=t?.email??null,a={id:"email",title:$("account.email"),about:$("account.email.about")};if(t===null)return y(a,X);let n=o===null?null:o.verified?o.next:o;return y(a,L`<div class="stack">
    ${o===null?L`<p class="nothing">${$("account.email.none")}</p>`:X}
    ${o?.verified?L`<p><strong>${Ve(o.address)}</strong> <span class="badge ok">${$("account.email.verified")}</span></p>`:X}
    ${n?na(e,n):X}
    ${aa(e.tasks.error(ye))}
    ${o===null?wo(e,$("account.email.attach")):L`
      <details class="new"><summary>${$(n?"account.email.again":"account.email.change")}</summary>
        ${wo(e,$("account.email.attach"))}</details>
      ${we(e.tasks.error(je))}
      <div class="row"><button type="button" class="button small" aria-disabled=${e.tasks.isBusy(je)?"true":"false"}
        @click=${()=>oa(e)}>${$("account.email.remove")}</button></div>`}
  </div>`)}var sa=["identities","channels","webhooks","sessions","push","recovery","email","close"],go=class{#e;#t;constructor(t,o,a){this.#t=a,this.#e=new Ze(t,o,()=>a("ended"),()=>{xt(this.#e),Zt(this.#e)}),this.#e.start().then(()=>co(this.#e))}stop(){this.#e.stop()}#o=async()=>{let t=this.#e,o=t.summary.value,a=t.sessions.value?.length===1&&o?.identities.length===0&&o.channels===0,n=a?O("account.logout.last"):O("account.logout.about");if(!await He({title:O("account.logout"),text:n,action:O("account.logout"),danger:a}))return;await t.tasks.run("logout",()=>t.call("POST","/api/account/logout"))!==null&&this.#t("out")};view(t){let o=this.#e,a=o.summary.value,n=t.email===!0,s=t.push===!0||(o.devices.value??[]).length>0,r=c=>(c!=="email"||n)&&(c!=="push"||s);return le`
      <div class="account-head">
        <div>
          <h1>${O("account.title")}</h1>
          ${a===null?ce:le`<p class="muted id"><code>${a.account_id}</code> ${Ge(a.account_id,{name:O("account.id")})}
            <span>${O("account.since")} ${b(a.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#o}>${O("account.logout")}</button>
      </div>
      ${u(o,"logout")}
      <div class="columns">
        <nav class="sections" aria-label=${O("account.sections")}>
          ${sa.filter(r).map(c=>le`<a href=${`#${c}`}>${O(`account.${c}`)}</a>`)}
        </nav>
        <div class="cards">
          ${ct(o)} ${Pt(o)} ${Jt(o)} ${oo(o)} ${s?uo(o):ce} ${ao(o)}
          ${n?yo(o):ce}
          ${fo(o,()=>this.#t("deleted"))}
        </div>
      </div>`}};export{go as OpenAccount};
