import{html as ee,nothing as Se}from"../account/main.js";import{copyButton as Te}from"../chunks/account-later.js";import{confirmDialog as Oe}from"../chunks/account-later.js";import{t as _}from"../account/main.js";import{Account as Ce}from"../chunks/account-later.js";import{html as q,nothing as ce}from"../account/main.js";import{noChange as Pe}from"../account/main.js";import{Directive as Ee,PartType as Be,directive as Re}from"../chunks/account-later.js";import{getCommittedValue as Ie,insertPart as N,removePart as te,setChildPartValue as I,setCommittedValue as Ae}from"../chunks/account-later.js";var Me=(e,t,o)=>{let n=new Map;for(let a=t;a<=o;a++)n.set(e[a],a);return n},v=Re(class extends Ee{constructor(e){if(super(e),e.type!==Be.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,o){let n;o===void 0?o=t:t!==void 0&&(n=t);let a=[],s=[],r=0;for(let h of e)a[r]=n?n(h,r):r,s[r]=o(h,r),r++;return{values:s,keys:a}}render(e,t,o){return this.dt(e,t,o).values}update(e,[t,o,n]){let a=Ie(e),{values:s,keys:r}=this.dt(t,o,n);if(!Array.isArray(a))return this.ut=r,s;let h=this.ut??=[],x=[],Y,_e,p=0,b=a.length-1,f=0,w=s.length-1;for(;p<=b&&f<=w;)if(a[p]===null)p++;else if(a[b]===null)b--;else if(h[p]===r[f])x[f]=I(a[p],s[f]),p++,f++;else if(h[b]===r[w])x[w]=I(a[b],s[w]),b--,w--;else if(h[p]===r[w])x[w]=I(a[p],s[w]),N(e,x[w+1],a[p]),p++,w--;else if(h[b]===r[f])x[f]=I(a[b],s[f]),N(e,a[p],a[b]),b--,f++;else if(Y===void 0&&(Y=Me(r,f,w),_e=Me(h,p,b)),Y.has(h[p]))if(Y.has(h[b])){let C=_e.get(r[f]),le=C!==void 0?a[C]:null;if(le===null){let De=N(e,a[p]);I(De,s[f]),x[f]=De}else x[f]=I(le,s[f]),N(e,a[p],le),a[C]=null;f++}else te(a[b]),b--;else te(a[p]),p++;for(;f<=w;){let C=N(e,x[w+1]);I(C,s[f]),x[f++]=C}for(;p<=b;){let C=a[p++];C!==null&&te(C)}return this.ut=r,Ae(e,x),Pe}});import{t as u}from"../account/main.js";import{visible as Ve}from"../account/main.js";import{confirmDialog as ue}from"../chunks/account-later.js";import{keyName as me}from"../chunks/account-later.js";import{html as P,nothing as G}from"../account/main.js";import{ago as Fe,formatTime as qe,t as oe}from"../account/main.js";import{fault as de}from"../account/main.js";function D({id:e,title:t,about:o,count:n="",aside:a=G},s){return P`<section class="card" id=${e} aria-labelledby=${`${e}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${e}-title`}>${t}${n===""?G:P` <span class="count">${n}</span>`}</h2>
      ${a}
    </div>
    <p class="muted about">${o}</p>
    ${s}
  </section>`}function S(e,t,o){let n=e.value;return P`
    ${e.error===null?G:pe(e)}
    ${n===null?e.error===null?P`<div class="skeleton" role="status"><span class="visually-hidden">${oe("account.loading")}</span></div>`:G:n.length===0?P`<p class="nothing">${t}</p>`:o(n)}`}function pe(e){return P`<div class="failed">
    ${de(e.error)}
    <button type="button" class="button small" aria-disabled=${e.loading?"true":"false"} @click=${()=>e.reload()}>${oe("account.retry")}</button>
  </div>`}function $(e,{task:t,label:o,of:n,kind:a="",act:s}){let r=e.tasks.isBusy(t);return P`<button type="button" class="button small ${a}" aria-label=${`${o}: ${n}`} aria-disabled=${r?"true":"false"}
    @click=${()=>{r||s()}}>${o}</button>`}var m=(e,t)=>de(e.tasks.error(t)),y=e=>P`<time datetime=${new Date(e).toISOString()} title=${qe(new Date(e))}>${Fe(new Date(e))}</time>`;function j(e,t){return e===void 0?"":t==null?String(e):oe("account.of",{count:e,limit:t})}import{keep as Ne}from"../chunks/account-later.js";async function je(e,{callsign:t,identity_key:o}){e.known.set(me(t),o),await Promise.all([e.summary.reload(),Ne({title:u("account.identity.made",{callsign:t}),about:u("account.identity.made.about"),file:`rogerrat-identity-${t}.txt`,items:[{label:u("account.identity.callsign"),value:t},{label:u("account.identity.key"),value:o}]})])}async function jt(e,t){t.preventDefault();let o=t.target,n=String(new FormData(o).get("callsign")??"").trim(),a=n===""?{}:{callsign:n},s=await e.tasks.run("identity",()=>e.call("POST","/api/account/identities",{body:a}));s!==null&&(o.reset(),await je(e,s.value))}async function Lt(e,t){if(!await ue({title:u("account.identity.rotate.title",{callsign:t}),text:u("account.identity.rotate.about"),action:u("account.identity.rotate")}))return;let n=`/api/account/identities/${encodeURIComponent(t)}/rotate-key`,a=await e.tasks.run(`identity ${t}`,()=>e.call("POST",n));a!==null&&await je(e,a.value)}async function Wt(e,t){await ue({title:u("account.identity.delete.title",{callsign:t}),text:u("account.identity.delete.about"),typed:t,action:u("account.delete"),danger:!0})&&await e.tasks.run(`identity ${t}`,async()=>{await e.call("DELETE",`/api/account/identities/${encodeURIComponent(t)}`),e.known.delete(me(t)),await e.summary.reload()})}function zt(e,{callsign:t,created_at:o}){let n=`identity ${t}`,a=Ve(t);return q`<li>
    <div class="who"><p><strong>${a}</strong></p><p class="muted">${u("account.created")} ${y(o)}</p></div>
    <div class="deeds">
      ${$(e,{task:n,label:u("account.identity.open"),of:a,act:async()=>(await import("./open-as-ZTNIXEZM.js")).openAs(e,{callsign:t})})}
      ${$(e,{task:n,label:u("account.identity.rotate"),of:a,act:()=>Lt(e,t)})}
      ${$(e,{task:n,label:u("account.delete"),of:a,kind:"danger",act:()=>Wt(e,t)})}
    </div>
    ${m(e,n)}
  </li>`}function Le(e){let t=e.summary.value,o=t?.identities??[],n={id:"identities",title:u("account.identities"),about:u("account.identities.about"),count:j(t?.identities.length,t?.limits.identities)},a=e.tasks.isBusy("identity");return D(n,q`
    ${e.summary.error===null?ce:pe(e.summary)}
    ${t===null?e.summary.error===null?q`<div class="skeleton"></div>`:ce:o.length===0?q`<p class="nothing">${u("account.identities.none")}</p>`:q`<ul class="rows">${v(o,s=>s.callsign,s=>zt(e,s))}</ul>`}
    <form class="inline" @submit=${s=>jt(e,s)}>
      <label class="field"><span>${u("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${u("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${a?"true":"false"}>${u("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${u("account.identity.wish.about")}</p>
    ${m(e,"identity")}`)}import{html as M,nothing as ae}from"../account/main.js";import{t as l,tn as We}from"../account/main.js";import{visible as fe}from"../account/main.js";import{has as ze,t as Ue}from"../account/main.js";import{visible as Ge}from"../account/main.js";var g=(e,t)=>ze(e)?Ue(e):Ge(t);import{confirmDialog as he}from"../chunks/account-later.js";import{tokenName as H}from"../chunks/account-later.js";import{keep as be}from"../chunks/account-later.js";import{openChat as He}from"../chunks/account-later.js";import{html as L,nothing as ne}from"../account/main.js";import{ago as Ke,t as T,tn as Ze}from"../account/main.js";import{visible as $e}from"../account/main.js";import{confirmDialog as Xe}from"../chunks/account-later.js";import{Resource as Je}from"../chunks/account-later.js";var Qe=new WeakMap;function K(e){let t=Qe.get(e)??new Map;return Qe.set(e,t),t}function Ye(e,t){let o=K(e);if(o.delete(t))return e.changed();let n=async()=>(await e.call("GET",`/api/account/channels/${encodeURIComponent(t)}`)).roster_all,a=new Je(n,e.changed);o.set(t,a),a.reload()}function et(e,{id:t,agent_count:o}){return K(e).get(t)?.value?.filter(a=>a.online).length??o}function tt(e){for(let t of K(e).values())t.reload()}async function Ut(e,t,{callsign:o}){await Xe({title:T("account.kick.title",{callsign:o}),text:T("account.kick.about"),action:T("account.kick"),danger:!0})&&await e.tasks.run(`members ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}/sessions/${encodeURIComponent(o)}`),await Promise.all([K(e).get(t)?.reload(),e.channels.reload()])})}function Gt({online:e,reach:t,seen_at:o}){return e?t!==void 0&&t!=="away"?g(`account.members.${t}`,t):o==null?T("account.members.online"):T("account.members.seen",{time:Ke(new Date(o))}):T("account.members.offline")}function ot(e,t){let o=K(e).get(t);if(o===void 0)return ne;let n=a=>L`<li>
    <div class="who"><p><strong>${$e(a.callsign)}</strong> <span class="muted">#${a.idx}</span>
      <span class="badge ${a.online?"ok":""}">${Gt(a)}</span></p>
      ${a.unread===void 0||a.unread===0?ne:L`<p class="muted">${Ze("account.members.unread",a.unread)}</p>`}</div>
    ${a.online?L`<div class="deeds"><button type="button" class="button small" aria-label=${`${T("account.kick")}: ${$e(a.callsign)}`}
      @click=${()=>Ut(e,t,a)}>${T("account.kick")}</button></div>`:ne}
  </li>`;return L`<div class="inside">
    ${S(o,T("account.members.none"),a=>L`<ul class="rows">${v(a,s=>s.callsign,n)}</ul>`)}
    ${m(e,`members ${t}`)}
  </div>`}import{html as W,nothing as at}from"../account/main.js";import{t as d}from"../account/main.js";import{channelBody as nt}from"../chunks/account-later.js";var Ht=["none","metadata","prompts","full"],Kt=["prompts","full"],z={retention:"none",trust:"untrusted",visibility:"channel"};async function Zt(e,t,o){t.preventDefault();let n=t.target,a=nt(new FormData(n)),s=await e.tasks.run("channel",()=>e.call("POST","/api/channels",{body:a}));s!==null&&(n.reset(),n.closest("details")?.removeAttribute("open"),Object.assign(z,{retention:"none",trust:"untrusted",visibility:"channel"}),e.changed(),o(s.value))}function se(e,t,o,n=()=>{}){return W`<label class="field"><span>${o}</span>
    <select name=${e} @change=${a=>n(a.target.value)}>
      ${t.map(a=>W`<option value=${a}>${d(`account.${e}.${a||"auto"}`)}</option>`)}
    </select></label>`}function st(e,t,{isForced:o=!1}={}){return W`<label class="check"><input type="checkbox" name=${e} ?disabled=${o} /><span>${t}
    ${o?W`<span class="muted">${d("account.channel.forced")}</span>`:at}</span></label>`}function rt(e,t){let o=e.tasks.isBusy("channel"),n=s=>{Object.assign(z,s),e.changed()},a=Kt.includes(z.retention)?["","disk"]:["","memory","disk"];return W`<details class="new"><summary>${d("account.channel.new")}</summary>
    <form class="stack" @submit=${s=>Zt(e,s,t)} autocomplete="off">
      ${se("retention",Ht,d("account.channel.retention"),s=>n({retention:s}))}
      <p class="hint">${d(`account.retention.${z.retention}.about`)}</p>
      ${st("require_identity",d("account.channel.require"))}
      <details class="more"><summary>${d("account.channel.more")}</summary><div class="stack">
        ${se("trust_mode",["untrusted","trusted"],d("account.channel.trust"),s=>n({trust:s}))}
        <p class="hint">${d(`account.trust.${z.trust}.about`)}</p>
        <label class="field"><span>${d("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${d("account.channel.password.about")}</p>
        ${se("dm_visibility",["channel","private"],d("account.channel.dm"),s=>n({visibility:s}))}
        ${st("claim_callsigns",d("account.channel.claim"),{isForced:z.visibility==="private"})}
        ${se("durability",a,d("account.channel.durability"))}
        <label class="field"><span>${d("account.channel.session")}</span>
          <input name="session_minutes" type="number" inputmode="decimal" min="0.1" max="1440" step="any" placeholder="30" /></label>
        <label class="field"><span>${d("account.channel.member")}</span>
          <input name="member_days" type="number" inputmode="decimal" min="0.01" max="365" step="any" placeholder="7" /></label>
        <label class="field"><span>${d("account.channel.webhook")}</span>
          <input name="webhook" type="url" maxlength="2048" placeholder=${d("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        <p class="hint">${d("account.channel.webhook.about")}</p>
      </div></details>
      ${m(e,"channel")}
      <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
        ${o?d("account.channel.creating"):d("account.channel.create")}</button></div>
    </form>
  </details>`}async function Xt(e,t){let o=t.channel_id;e.known.set(H(o),t.join_token);let n=[{label:l("account.channel.id"),value:o},{label:l("account.channel.token"),value:t.join_token},...t.owner_password?[{label:l("account.channel.password"),value:t.owner_password}]:[],...t.webhook?[{label:l("account.webhook.secret"),value:t.webhook.secret,note:t.webhook.url}]:[],...t.peer_invite?[{label:l("account.channel.invite"),value:t.peer_invite,note:l("account.channel.invite.about")}]:[]];await Promise.all([e.channels.reload(),e.summary.reload(),be({title:l("account.channel.made"),about:l("account.channel.made.about"),file:`rogerrat-channel-${o}.txt`,items:n,more:a=>M`<button type="button" class="button small" @click=${()=>{a(),it(e,o,t.require_identity===!0)}}>${l("account.channel.open")}</button>`})])}async function it(e,t,o){let n=e.known.get(H(t))??"";(e.summary.value?.identities.length??0)>0&&(o||n==="")?(await import("./open-as-ZTNIXEZM.js")).openAs(e,{channel:t}):He(t,{token:n})}async function Jt(e,t){if(!await he({title:l("account.channel.rotate.title",{id:fe(t)}),text:l("account.channel.rotate.about"),action:l("account.channel.rotate")}))return;let n=`/api/account/channels/${encodeURIComponent(t)}/rotate-token`,a=await e.tasks.run(`channel ${t}`,()=>e.call("POST",n));if(a===null)return;let{channel_id:s,join_token:r}=a.value;e.known.set(H(s),r),await be({title:l("account.channel.rotated"),about:l("account.channel.rotated.about"),file:`rogerrat-channel-${s}.txt`,items:[{label:l("account.channel.id"),value:s},{label:l("account.channel.token"),value:r}]})}async function Qt(e,t){await he({title:l("account.channel.delete.title"),text:l("account.channel.delete.about"),typed:t,action:l("account.delete"),danger:!0})&&await e.tasks.run(`channel ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}`),e.known.delete(H(t)),await Promise.all([e.channels.reload(),e.summary.reload()])})}function Yt(e,t){let{id:o}=t,n=`channel ${o}`,a=fe(o),s=ot(e,o);return M`<li>
    <div class="who">
      <p><strong>${a}</strong>
        ${t.require_identity?M`<span class="badge">${l("account.channel.identities")}</span>`:ae}
        ${t.trust_mode==="trusted"?M`<span class="badge">${l("account.channel.trusted")}</span>`:ae}</p>
      <p class="muted">${We("account.channel.online",et(e,t))} · ${g(`account.retention.${t.retention}`,t.retention)} ·
        ${l("account.created")} ${y(t.created_at)}</p>
    </div>
    <div class="deeds">
      ${$(e,{task:n,label:l("account.channel.open"),of:a,act:()=>it(e,o,t.require_identity)})}
      <button type="button" class="button small" aria-expanded=${s===ae?"false":"true"} aria-label=${`${l("account.members")}: ${a}`}
        @click=${()=>Ye(e,o)}>${l("account.members")}</button>
      ${$(e,{task:n,label:l("account.channel.rotate"),of:a,act:()=>Jt(e,o)})}
      ${$(e,{task:n,label:l("account.delete"),of:a,kind:"danger",act:()=>Qt(e,o)})}
    </div>
    ${m(e,n)}
    ${s}
  </li>`}function lt(e){let t={id:"channels",title:l("account.channels"),about:l("account.channels.about"),count:j(e.channels.value?.length,e.summary.value?.limits.channels)};return D(t,M`
    ${S(e.channels,l("account.channels.none"),o=>M`<ul class="rows">${v(o,n=>n.id,n=>Yt(e,n))}</ul>`)}
    ${rt(e,o=>Xt(e,o))}`)}import{html as k,nothing as Z}from"../account/main.js";import{formatTime as we,t as i,tn as ye}from"../account/main.js";import{visible as X}from"../account/main.js";import{confirmDialog as ve}from"../chunks/account-later.js";import{webhookFormat as ct}from"../chunks/account-later.js";import{keep as ut}from"../chunks/account-later.js";import{html as ge,nothing as re}from"../account/main.js";import{t as A}from"../account/main.js";import{visible as mt}from"../account/main.js";var dt=()=>ge`<details class="more"><summary>${A("account.webhook.format")}</summary><div class="stack">
  <label class="field"><span>${A("account.webhook.headers")}</span>
    <textarea class="code" name="headers" rows="2" placeholder="Authorization: Bearer …" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${A("account.webhook.headers.about")}</p>
  <label class="field"><span>${A("account.webhook.body")}</span>
    <textarea class="code" name="body" rows="3" maxlength="16384" placeholder='{"text": "{{from}}: {{text}}"}' autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
  <p class="hint">${A("account.webhook.body.about")}</p>
</div></details>`;function pt({header_names:e=[],custom_body:t=!1}){return e.length===0&&!t?re:ge`<p class="muted">${e.length===0?re:A("account.webhook.headers.shown",{names:mt(e.join(", "))})}
    ${t?A("account.webhook.body.shown"):re}</p>`}import{html as O,nothing as V}from"../account/main.js";import{t as F,tn as J}from"../account/main.js";import{visible as ft}from"../account/main.js";import{Resource as ht}from"../chunks/account-later.js";var eo=3e4,to=700,Q=new WeakMap,$t=new WeakMap;function E(e,t){let o=e.get(t)??new Map;return e.set(t,o),o}var wt=async(e,t)=>(await e.call("GET",`/api/account/webhooks/${t}/deliveries`)).deliveries;function yt(e,t){let o=E(Q,e);if(o.delete(t))return e.changed();let n=new ht(()=>wt(e,t),e.changed);o.set(t,n),n.reload()}function vt(e){for(let t of E(Q,e).values())t.reload()}async function gt(e,t){let o=E($t,e);await e.tasks.run(`test ${t}`,async()=>{o.set(t,null),e.changed();try{let{delivery_id:n}=await e.call("POST",`/api/account/webhooks/${t}/test`),a=await oo(e,t,n);a===void 0?o.delete(t):o.set(t,a)}catch(n){throw o.delete(t),n}E(Q,e).get(t)?.reload(),e.webhooks.reload()})}async function oo(e,t,o){let n=Date.now()+eo;for(;;){await new Promise(s=>setTimeout(s,to));let a=(await wt(e,t)).find(s=>s.id===o);if(a===void 0||a.status!=="due"||Date.now()>n)return a}}function bt(e,t,o){return e.tasks.run(`replay ${t}`,async()=>{let n=o===void 0?{}:{delivery_id:o},{replayed:a,gone:s}=await e.call("POST",`/api/account/webhooks/${t}/replay`,{body:n});E(kt,e).set(t,s.length>0?J("account.replay.gone",s.length):J("account.replay.done",a.length)),await Promise.all([E(Q,e).get(t)?.reload(),e.webhooks.reload()])})}var kt=new WeakMap;function xt({status:e,response_status:t,latency_ms:o,failure:n,attempts:a}){let s=[t===void 0?"":F("account.delivery.answer",{status:t}),n===void 0||n==="status"&&t!==void 0?"":g(`account.failure.${n}`,n),o===void 0?"":F("account.delivery.time",{ms:o}),a>1?J("account.delivery.attempts",a):""].filter(h=>h!=="");return O`<span class="badge ${e==="delivered"?"ok":e==="due"?"":"danger"}">${g(`account.delivery.${e}`,e)}</span> <span class="muted">${s.join(" · ")}</span>`}function _t(e,t){let o=E($t,e).get(t);return O`<p class="test" role="status">${o===void 0?V:o===null?F("account.webhook.testing"):O`${F("account.webhook.tested")} ${xt(o)}`}</p>`}function Dt(e,{id:t}){let o=E(Q,e).get(t);if(o===void 0)return V;let n=(o.value??[]).filter(({status:r})=>r==="failed"||r==="dropped").length,a=e.tasks.isBusy(`replay ${t}`)?"true":"false",s=r=>O`<li>
    <div class="who">
      <p>${xt(r)}</p>
      <p class="muted">${g(`account.event.${r.event.replace(".","_")}`,r.event)}
        ${r.channel_id===void 0?V:O` · ${ft(r.channel_id)}`} · ${y(r.due_at)}</p>
    </div>
    ${r.status==="due"?V:O`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${a} @click=${()=>bt(e,t,r.id)}>${F("account.replay")}</button></div>`}
  </li>`;return O`<div class="inside">
    <p role="status" class="muted">${E(kt,e).get(t)??V}</p>
    ${n===0?V:O`<div class="row"><button type="button" class="button small" aria-disabled=${a} @click=${()=>bt(e,t)}>
      ${J("account.replay.failed",n)}</button></div>`}
    ${m(e,`replay ${t}`)}
    ${S(o,F("account.deliveries.none"),r=>O`<ul class="rows">${v(r,h=>h.id,s)}</ul>`)}
  </div>`}var ie=["message.received"];async function St(e,{id:t,url:o,secret:n},{title:a,about:s}){await Promise.all([e.webhooks.reload(),e.summary.reload(),ut({title:a,about:s,file:`rogerrat-webhook-${t}.txt`,items:[{label:i("account.webhook.url"),value:X(o)},{label:i("account.webhook.secret"),value:n}]})])}async function ao(e,t){t.preventDefault();let o=t.target,n=new FormData(o),a={url:String(n.get("url")??"").trim(),events:ie.length===1?ie:n.getAll("events"),retry:String(n.get("retry")??"immediate"),...ct(n)},s=await e.tasks.run("webhook",()=>e.call("POST","/api/account/webhooks",{body:a}));s!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),await St(e,s.value,{title:i("account.webhook.made"),about:i("account.webhook.made.about")}))}async function no(e,{id:t,url:o}){if(!await ve({title:i("account.webhook.rotate.title"),text:i("account.webhook.rotate.about",{url:X(o)}),action:i("account.webhook.rotate")}))return;let a=await e.tasks.run(`webhook ${t}`,()=>e.call("POST",`/api/account/webhooks/${t}/rotate-secret`));a!==null&&await St(e,a.value,{title:i("account.webhook.rotated"),about:i("account.webhook.rotated.about")})}async function so(e,{id:t,url:o}){await ve({title:i("account.webhook.delete.title"),text:i("account.webhook.delete.about",{url:X(o)}),action:i("account.delete"),danger:!0})&&await e.tasks.run(`webhook ${t}`,async()=>{await e.call("DELETE",`/api/account/webhooks/${t}`),await Promise.all([e.webhooks.reload(),e.summary.reload()])})}function ro(e){return e.active?e.failures_in_a_row>0?k`<span class="badge warn">${ye("account.webhook.failing",e.failures_in_a_row)}</span>`:k`<span class="badge ok">${i("account.webhook.on")}</span>`:k`<span class="badge danger">${i("account.webhook.off")}</span>
      <span class="muted">${i("account.webhook.off.about",{time:we(new Date(e.switched_off_at??e.created_at))})}</span>`}function io(e,t){let{id:o}=t,n=`webhook ${o}`,a=X(t.url),s=Dt(e,t);return k`<li>
    <div class="who">
      <p class="url"><strong>${a}</strong></p>
      <p>${ro(t)} ${t.due===0?Z:k`<span class="badge">${ye("account.webhook.due",t.due)}</span>`}</p>
      <p class="muted">${t.events.map(r=>g(`account.event.${r.replace(".","_")}`,r)).join(", ")} ·
        ${g(`account.retry.${t.retry}`,t.retry)} · ${i("account.created")} ${y(t.created_at)}
        ${t.previous_secret_until===void 0?Z:k` · ${i("account.webhook.previous",{time:we(new Date(t.previous_secret_until))})}`}</p>
      ${pt(t)}
      ${_t(e,o)}
    </div>
    <div class="deeds">
      ${$(e,{task:`test ${o}`,label:i("account.webhook.test"),of:a,act:()=>gt(e,o)})}
      <button type="button" class="button small" aria-expanded=${s===Z?"false":"true"} aria-label=${`${i("account.deliveries")}: ${a}`}
        @click=${()=>yt(e,o)}>${i("account.deliveries")}</button>
      ${$(e,{task:n,label:i("account.webhook.rotate"),of:a,act:()=>no(e,t)})}
      ${$(e,{task:n,label:i("account.delete"),of:a,kind:"danger",act:()=>so(e,t)})}
    </div>
    ${m(e,n)} ${m(e,`test ${o}`)}
    ${s}
  </li>`}var Tt=e=>vt(e);function Ot(e){let t={id:"webhooks",title:i("account.webhooks"),about:i("account.webhooks.about"),count:j(e.webhooks.value?.length,e.summary.value?.limits.webhooks)},o=e.tasks.isBusy("webhook");return D(t,k`
    ${S(e.webhooks,i("account.webhooks.none"),n=>k`<ul class="rows">${v(n,a=>a.id,a=>io(e,a))}</ul>`)}
    <details class="new"><summary>${i("account.webhook.new")}</summary>
      <form class="stack" @submit=${n=>ao(e,n)} autocomplete="off">
        <label class="field"><span>${i("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${i("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${ie.length===1?Z:k`<fieldset><legend>${i("account.webhook.events")}</legend>
          ${ie.map(n=>k`<label class="check"><input type="checkbox" name="events" value=${n} checked />
            <span>${g(`account.event.${n.replace(".","_")}`,n)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${i("account.webhook.retry")}</span>
          <select name="retry">${["immediate","persistent"].map(n=>k`<option value=${n}>${i(`account.retry.${n}.about`)}</option>`)}</select></label>
        ${dt()}
        <p class="hint">${i("account.webhook.about")}</p>
        ${m(e,"webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
          ${o?i("account.webhook.subscribing"):i("account.webhook.subscribe")}</button></div>
      </form>
    </details>`)}import{html as B,nothing as U}from"../account/main.js";import{t as c,tn as Ct}from"../account/main.js";import{visible as Pt}from"../account/main.js";import{confirmDialog as ke}from"../chunks/account-later.js";import{keep as Et}from"../chunks/account-later.js";var Bt=({label:e})=>e===null?c("account.session.unnamed"):Pt(e);async function Rt(e,t){let o=t.length===1?c("account.session.end.about",{name:Bt(t[0])}):Ct("account.session.others.about",t.length);await ke({title:c("account.session.end.title"),text:o,action:c("account.session.end"),danger:!0})&&await e.tasks.run("sessions",async()=>{try{for(let{sid:a}of t)await e.call("DELETE",`/api/account/sessions/${encodeURIComponent(a)}`)}finally{await e.sessions.reload()}})}function lo(e,t){let o=Bt(t);return B`<li>
    <div class="who">
      <p><strong>${o}</strong> ${t.current?B`<span class="badge ok">${c("account.session.current")}</span>`:U}</p>
      <p class="muted">${c("account.session.used")} ${y(t.last_used_at)}
        ${t.created_at===null?U:B` · ${c("account.created")} ${y(t.created_at)}`}</p>
    </div>
    ${t.current?U:B`<div class="deeds">
      ${$(e,{task:"sessions",label:c("account.session.end"),of:o,act:()=>Rt(e,[t])})}</div>`}
  </li>`}function It(e){let t=(e.sessions.value??[]).filter(n=>!n.current),o={id:"sessions",title:c("account.sessions"),about:c("account.sessions.about")};return D(o,B`
    ${S(e.sessions,c("account.sessions.none"),n=>B`<ul class="rows">${v(n,a=>a.sid,a=>lo(e,a))}</ul>`)}
    ${m(e,"sessions")}
    ${t.length<2?U:B`<div class="row">
      <button type="button" class="button small" @click=${()=>Rt(e,t)}>${c("account.session.others")}</button></div>`}`)}async function co(e){if(!await ke({title:c("account.recovery.title"),text:c("account.recovery.rotate.about"),action:c("account.recovery.rotate")}))return;let o=await e.tasks.run("recovery",()=>e.call("POST","/api/account/rotate-recovery"));if(o===null)return;let{account_id:n,recovery_token:a}=o.value;await Et({title:c("account.recovery.made"),about:c("account.recovery.made.about"),file:`rogerrat-${n}.txt`,items:[{label:c("account.id"),value:n},{label:c("account.recovery.token"),value:a}]})}function At(e){let t=e.tasks.isBusy("recovery")?"true":"false";return D({id:"recovery",title:c("account.recovery"),about:c("account.recovery.about")},B`
    ${m(e,"recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${t} @click=${()=>co(e)}>${c("account.recovery.rotate")}</button></div>`)}var Mt=(e,t)=>U;import{html as xe,nothing as Vt}from"../account/main.js";import{t as R,tn as Ft}from"../account/main.js";async function uo(e,t,o){t.preventDefault();let n=t.target,a=new FormData(n),s=n.elements.namedItem("typed"),r=String(a.get("typed")??"").trim()===e.summary.value?.account_id;if(s.setCustomValidity(r?"":R("account.close.differs")),!n.reportValidity())return;let h=a.get("channels")==="delete"?{channels:"delete"}:{};await e.tasks.run("close",()=>e.call("DELETE","/api/account",{query:h}))!==null&&o()}function qt(e,t){let o=e.summary.value,n=e.tasks.isBusy("close"),a=s=>s.target.setCustomValidity("");return D({id:"close",title:R("account.close"),about:R("account.close.about")},xe`
    <details class="new"><summary>${R("account.close.open")}</summary>
      <form class="stack" @submit=${s=>uo(e,s,t)} autocomplete="off">
        ${o===null||o.channels===0?Vt:xe`<fieldset>
          <legend>${Ft("account.close.channels",o.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${R("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${R("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${R("account.close.typed",{id:o?.account_id??""})}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${a} /></label>
        ${m(e,"close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${n||o===null?"true":"false"}>${R("account.close.do")}</button></div>
      </form>
    </details>`)}var mo=["identities","channels","webhooks","sessions","recovery","close"],Nt=class{#e;#t;constructor(t,o,n){this.#t=n,this.#e=new Ce(t,o,()=>n("ended"),()=>{tt(this.#e),Tt(this.#e)}),this.#e.start()}stop(){this.#e.stop()}#o=async()=>{let t=this.#e,o=t.summary.value,n=t.sessions.value?.length===1&&o?.identities.length===0&&o.channels===0,a=n?_("account.logout.last"):_("account.logout.about");if(!await Oe({title:_("account.logout"),text:a,action:_("account.logout"),danger:n}))return;await t.tasks.run("logout",()=>t.call("POST","/api/account/logout"))!==null&&this.#t("out")};view(t){let o=this.#e,n=o.summary.value;return ee`
      <div class="account-head">
        <div>
          <h1>${_("account.title")}</h1>
          ${n===null?Se:ee`<p class="muted id"><code>${n.account_id}</code> ${Te(n.account_id,{name:_("account.id")})}
            <span>${_("account.since")} ${y(n.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#o}>${_("account.logout")}</button>
      </div>
      ${m(o,"logout")}
      <div class="columns">
        <nav class="sections" aria-label=${_("account.sections")}>
          ${mo.map(a=>ee`<a href=${`#${a}`}>${_(`account.${a}`)}</a>`)}
        </nav>
        <div class="cards">
          ${Le(o)} ${lt(o)} ${Ot(o)} ${It(o)} ${At(o)}
          ${Mt(o,t)}
          ${qt(o,()=>this.#t("deleted"))}
        </div>
      </div>`}};export{Nt as OpenAccount};
