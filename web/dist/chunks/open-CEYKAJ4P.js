import{html as Q,nothing as xe}from"../account/main.js";import{copyButton as _e}from"../chunks/account-later.js";import{confirmDialog as De}from"../chunks/account-later.js";import{t as _}from"../account/main.js";import{Account as Se}from"../chunks/account-later.js";import{html as q,nothing as ie}from"../account/main.js";import{noChange as Te}from"../account/main.js";import{Directive as Oe,PartType as Pe,directive as Ce}from"../chunks/account-later.js";import{getCommittedValue as Ee,insertPart as N,removePart as Y,setChildPartValue as I,setCommittedValue as Be}from"../chunks/account-later.js";var Re=(e,t,o)=>{let n=new Map;for(let a=t;a<=o;a++)n.set(e[a],a);return n},v=Ce(class extends Oe{constructor(e){if(super(e),e.type!==Pe.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,o){let n;o===void 0?o=t:t!==void 0&&(n=t);let a=[],s=[],r=0;for(let b of e)a[r]=n?n(b,r):r,s[r]=o(b,r),r++;return{values:s,keys:a}}render(e,t,o){return this.dt(e,t,o).values}update(e,[t,o,n]){let a=Ee(e),{values:s,keys:r}=this.dt(t,o,n);if(!Array.isArray(a))return this.ut=r,s;let b=this.ut??=[],x=[],J,ge,p=0,h=a.length-1,f=0,w=s.length-1;for(;p<=h&&f<=w;)if(a[p]===null)p++;else if(a[h]===null)h--;else if(b[p]===r[f])x[f]=I(a[p],s[f]),p++,f++;else if(b[h]===r[w])x[w]=I(a[h],s[w]),h--,w--;else if(b[p]===r[w])x[w]=I(a[p],s[w]),N(e,x[w+1],a[p]),p++,w--;else if(b[h]===r[f])x[f]=I(a[h],s[f]),N(e,a[p],a[h]),h--,f++;else if(J===void 0&&(J=Re(r,f,w),ge=Re(b,p,h)),J.has(b[p]))if(J.has(b[h])){let P=ge.get(r[f]),re=P!==void 0?a[P]:null;if(re===null){let ke=N(e,a[p]);I(ke,s[f]),x[f]=ke}else x[f]=I(re,s[f]),N(e,a[p],re),a[P]=null;f++}else Y(a[h]),h--;else Y(a[p]),p++;for(;f<=w;){let P=N(e,x[w+1]);I(P,s[f]),x[f++]=P}for(;p<=h;){let P=a[p++];P!==null&&Y(P)}return this.ut=r,Be(e,x),Te}});import{t as u}from"../account/main.js";import{visible as Ie}from"../account/main.js";import{confirmDialog as le}from"../chunks/account-later.js";import{keyName as ce}from"../chunks/account-later.js";import{html as C,nothing as z}from"../account/main.js";import{ago as Me,formatTime as Ve,t as ee}from"../account/main.js";import{fault as ue}from"../account/main.js";function D({id:e,title:t,about:o,count:n="",aside:a=z},s){return C`<section class="card" id=${e} aria-labelledby=${`${e}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${e}-title`}>${t}${n===""?z:C` <span class="count">${n}</span>`}</h2>
      ${a}
    </div>
    <p class="muted about">${o}</p>
    ${s}
  </section>`}function S(e,t,o){let n=e.value;return C`
    ${e.error===null?z:me(e)}
    ${n===null?e.error===null?C`<div class="skeleton" role="status"><span class="visually-hidden">${ee("account.loading")}</span></div>`:z:n.length===0?C`<p class="nothing">${t}</p>`:o(n)}`}function me(e){return C`<div class="failed">
    ${ue(e.error)}
    <button type="button" class="button small" aria-disabled=${e.loading?"true":"false"} @click=${()=>e.reload()}>${ee("account.retry")}</button>
  </div>`}function $(e,{task:t,label:o,of:n,kind:a="",act:s}){let r=e.tasks.isBusy(t);return C`<button type="button" class="button small ${a}" aria-label=${`${o}: ${n}`} aria-disabled=${r?"true":"false"}
    @click=${()=>{r||s()}}>${o}</button>`}var m=(e,t)=>ue(e.tasks.error(t)),y=e=>C`<time datetime=${new Date(e).toISOString()} title=${Ve(new Date(e))}>${Me(new Date(e))}</time>`;function L(e,t){return e===void 0?"":t==null?String(e):ee("account.of",{count:e,limit:t})}import{keep as Ae}from"../chunks/account-later.js";async function qe(e,{callsign:t,identity_key:o}){e.known.set(ce(t),o),await Promise.all([e.summary.reload(),Ae({title:u("account.identity.made",{callsign:t}),about:u("account.identity.made.about"),file:`rogerrat-identity-${t}.txt`,items:[{label:u("account.identity.callsign"),value:t},{label:u("account.identity.key"),value:o}]})])}async function Rt(e,t){t.preventDefault();let o=t.target,n=String(new FormData(o).get("callsign")??"").trim(),a=n===""?{}:{callsign:n},s=await e.tasks.run("identity",()=>e.call("POST","/api/account/identities",{body:a}));s!==null&&(o.reset(),await qe(e,s.value))}async function It(e,t){if(!await le({title:u("account.identity.rotate.title",{callsign:t}),text:u("account.identity.rotate.about"),action:u("account.identity.rotate")}))return;let n=`/api/account/identities/${encodeURIComponent(t)}/rotate-key`,a=await e.tasks.run(`identity ${t}`,()=>e.call("POST",n));a!==null&&await qe(e,a.value)}async function Mt(e,t){await le({title:u("account.identity.delete.title",{callsign:t}),text:u("account.identity.delete.about"),typed:t,action:u("account.delete"),danger:!0})&&await e.tasks.run(`identity ${t}`,async()=>{await e.call("DELETE",`/api/account/identities/${encodeURIComponent(t)}`),e.known.delete(ce(t)),await e.summary.reload()})}function Vt(e,{callsign:t,created_at:o}){let n=`identity ${t}`,a=Ie(t);return q`<li>
    <div class="who"><p><strong>${a}</strong></p><p class="muted">${u("account.created")} ${y(o)}</p></div>
    <div class="deeds">
      ${$(e,{task:n,label:u("account.identity.open"),of:a,act:async()=>(await import("./open-as-ZTNIXEZM.js")).openAs(e,{callsign:t})})}
      ${$(e,{task:n,label:u("account.identity.rotate"),of:a,act:()=>It(e,t)})}
      ${$(e,{task:n,label:u("account.delete"),of:a,kind:"danger",act:()=>Mt(e,t)})}
    </div>
    ${m(e,n)}
  </li>`}function Ne(e){let t=e.summary.value,o=t?.identities??[],n={id:"identities",title:u("account.identities"),about:u("account.identities.about"),count:L(t?.identities.length,t?.limits.identities)},a=e.tasks.isBusy("identity");return D(n,q`
    ${e.summary.error===null?ie:me(e.summary)}
    ${t===null?e.summary.error===null?q`<div class="skeleton"></div>`:ie:o.length===0?q`<p class="nothing">${u("account.identities.none")}</p>`:q`<ul class="rows">${v(o,s=>s.callsign,s=>Vt(e,s))}</ul>`}
    <form class="inline" @submit=${s=>Rt(e,s)}>
      <label class="field"><span>${u("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${u("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${a?"true":"false"}>${u("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${u("account.identity.wish.about")}</p>
    ${m(e,"identity")}`)}import{html as M,nothing as te}from"../account/main.js";import{t as l,tn as Le}from"../account/main.js";import{visible as de}from"../account/main.js";import{has as We,t as je}from"../account/main.js";import{visible as Ue}from"../account/main.js";var g=(e,t)=>We(e)?je(e):Ue(t);import{confirmDialog as pe}from"../chunks/account-later.js";import{tokenName as G}from"../chunks/account-later.js";import{keep as fe}from"../chunks/account-later.js";import{openChat as Fe}from"../chunks/account-later.js";import{html as W,nothing as oe}from"../account/main.js";import{ago as ze,t as T,tn as Ge}from"../account/main.js";import{visible as be}from"../account/main.js";import{confirmDialog as He}from"../chunks/account-later.js";import{Resource as Ke}from"../chunks/account-later.js";var Ze=new WeakMap;function ae(e){let t=Ze.get(e)??new Map;return Ze.set(e,t),t}function Xe(e,t){let o=ae(e);if(o.delete(t))return e.changed();let n=async()=>(await e.call("GET",`/api/account/channels/${encodeURIComponent(t)}`)).roster_all,a=new Ke(n,e.changed);o.set(t,a),a.reload()}function Je(e){for(let t of ae(e).values())t.reload()}async function At(e,t,{callsign:o}){await He({title:T("account.kick.title",{callsign:o}),text:T("account.kick.about"),action:T("account.kick"),danger:!0})&&await e.tasks.run(`members ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}/sessions/${encodeURIComponent(o)}`),await Promise.all([ae(e).get(t)?.reload(),e.channels.reload()])})}function qt({online:e,reach:t,seen_at:o}){return e?t!==void 0&&t!=="away"?g(`account.members.${t}`,t):o==null?T("account.members.online"):T("account.members.seen",{time:ze(new Date(o))}):T("account.members.offline")}function Qe(e,t){let o=ae(e).get(t);if(o===void 0)return oe;let n=a=>W`<li>
    <div class="who"><p><strong>${be(a.callsign)}</strong> <span class="muted">#${a.idx}</span>
      <span class="badge ${a.online?"ok":""}">${qt(a)}</span></p>
      ${a.unread===void 0||a.unread===0?oe:W`<p class="muted">${Ge("account.members.unread",a.unread)}</p>`}</div>
    ${a.online?W`<div class="deeds"><button type="button" class="button small" aria-label=${`${T("account.kick")}: ${be(a.callsign)}`}
      @click=${()=>At(e,t,a)}>${T("account.kick")}</button></div>`:oe}
  </li>`;return W`<div class="inside">
    ${S(o,T("account.members.none"),a=>W`<ul class="rows">${v(a,s=>s.callsign,n)}</ul>`)}
    ${m(e,`members ${t}`)}
  </div>`}import{html as j,nothing as Ye}from"../account/main.js";import{t as d}from"../account/main.js";import{channelBody as et}from"../chunks/account-later.js";var Nt=["none","metadata","prompts","full"],Lt=["prompts","full"],U={retention:"none",trust:"untrusted",visibility:"channel"};async function Wt(e,t,o){t.preventDefault();let n=t.target,a=et(new FormData(n)),s=await e.tasks.run("channel",()=>e.call("POST","/api/channels",{body:a}));s!==null&&(n.reset(),n.closest("details")?.removeAttribute("open"),Object.assign(U,{retention:"none",trust:"untrusted",visibility:"channel"}),e.changed(),o(s.value))}function ne(e,t,o,n=()=>{}){return j`<label class="field"><span>${o}</span>
    <select name=${e} @change=${a=>n(a.target.value)}>
      ${t.map(a=>j`<option value=${a}>${d(`account.${e}.${a||"auto"}`)}</option>`)}
    </select></label>`}function tt(e,t,{isForced:o=!1}={}){return j`<label class="check"><input type="checkbox" name=${e} ?disabled=${o} /><span>${t}
    ${o?j`<span class="muted">${d("account.channel.forced")}</span>`:Ye}</span></label>`}function ot(e,t){let o=e.tasks.isBusy("channel"),n=s=>{Object.assign(U,s),e.changed()},a=Lt.includes(U.retention)?["","disk"]:["","memory","disk"];return j`<details class="new"><summary>${d("account.channel.new")}</summary>
    <form class="stack" @submit=${s=>Wt(e,s,t)} autocomplete="off">
      ${ne("retention",Nt,d("account.channel.retention"),s=>n({retention:s}))}
      <p class="hint">${d(`account.retention.${U.retention}.about`)}</p>
      ${tt("require_identity",d("account.channel.require"))}
      <details class="more"><summary>${d("account.channel.more")}</summary><div class="stack">
        ${ne("trust_mode",["untrusted","trusted"],d("account.channel.trust"),s=>n({trust:s}))}
        <p class="hint">${d(`account.trust.${U.trust}.about`)}</p>
        <label class="field"><span>${d("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${d("account.channel.password.about")}</p>
        ${ne("dm_visibility",["channel","private"],d("account.channel.dm"),s=>n({visibility:s}))}
        ${tt("claim_callsigns",d("account.channel.claim"),{isForced:U.visibility==="private"})}
        ${ne("durability",a,d("account.channel.durability"))}
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
  </details>`}async function jt(e,t){let o=t.channel_id;e.known.set(G(o),t.join_token);let n=[{label:l("account.channel.id"),value:o},{label:l("account.channel.token"),value:t.join_token},...t.owner_password?[{label:l("account.channel.password"),value:t.owner_password}]:[],...t.webhook?[{label:l("account.webhook.secret"),value:t.webhook.secret,note:t.webhook.url}]:[],...t.peer_invite?[{label:l("account.channel.invite"),value:t.peer_invite,note:l("account.channel.invite.about")}]:[]];await Promise.all([e.channels.reload(),e.summary.reload(),fe({title:l("account.channel.made"),about:l("account.channel.made.about"),file:`rogerrat-channel-${o}.txt`,items:n,more:a=>M`<button type="button" class="button small" @click=${()=>{a(),at(e,o,t.require_identity===!0)}}>${l("account.channel.open")}</button>`})])}async function at(e,t,o){let n=e.known.get(G(t))??"";(e.summary.value?.identities.length??0)>0&&(o||n==="")?(await import("./open-as-ZTNIXEZM.js")).openAs(e,{channel:t}):Fe(t,{token:n})}async function Ut(e,t){if(!await pe({title:l("account.channel.rotate.title",{id:de(t)}),text:l("account.channel.rotate.about"),action:l("account.channel.rotate")}))return;let n=`/api/account/channels/${encodeURIComponent(t)}/rotate-token`,a=await e.tasks.run(`channel ${t}`,()=>e.call("POST",n));if(a===null)return;let{channel_id:s,join_token:r}=a.value;e.known.set(G(s),r),await fe({title:l("account.channel.rotated"),about:l("account.channel.rotated.about"),file:`rogerrat-channel-${s}.txt`,items:[{label:l("account.channel.id"),value:s},{label:l("account.channel.token"),value:r}]})}async function Ft(e,t){await pe({title:l("account.channel.delete.title"),text:l("account.channel.delete.about"),typed:t,action:l("account.delete"),danger:!0})&&await e.tasks.run(`channel ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}`),e.known.delete(G(t)),await Promise.all([e.channels.reload(),e.summary.reload()])})}function zt(e,t){let{id:o}=t,n=`channel ${o}`,a=de(o),s=Qe(e,o);return M`<li>
    <div class="who">
      <p><strong>${a}</strong>
        ${t.require_identity?M`<span class="badge">${l("account.channel.identities")}</span>`:te}
        ${t.trust_mode==="trusted"?M`<span class="badge">${l("account.channel.trusted")}</span>`:te}</p>
      <p class="muted">${Le("account.channel.online",t.agent_count)} · ${g(`account.retention.${t.retention}`,t.retention)} ·
        ${l("account.created")} ${y(t.created_at)}</p>
    </div>
    <div class="deeds">
      ${$(e,{task:n,label:l("account.channel.open"),of:a,act:()=>at(e,o,t.require_identity)})}
      <button type="button" class="button small" aria-expanded=${s===te?"false":"true"} aria-label=${`${l("account.members")}: ${a}`}
        @click=${()=>Xe(e,o)}>${l("account.members")}</button>
      ${$(e,{task:n,label:l("account.channel.rotate"),of:a,act:()=>Ut(e,o)})}
      ${$(e,{task:n,label:l("account.delete"),of:a,kind:"danger",act:()=>Ft(e,o)})}
    </div>
    ${m(e,n)}
    ${s}
  </li>`}function nt(e){let t={id:"channels",title:l("account.channels"),about:l("account.channels.about"),count:L(e.channels.value?.length,e.summary.value?.limits.channels)};return D(t,M`
    ${S(e.channels,l("account.channels.none"),o=>M`<ul class="rows">${v(o,n=>n.id,n=>zt(e,n))}</ul>`)}
    ${ot(e,o=>jt(e,o))}`)}import{html as k,nothing as H}from"../account/main.js";import{formatTime as he,t as i,tn as $e}from"../account/main.js";import{visible as K}from"../account/main.js";import{confirmDialog as we}from"../chunks/account-later.js";import{keep as st}from"../chunks/account-later.js";import{html as O,nothing as V}from"../account/main.js";import{t as A,tn as Z}from"../account/main.js";import{visible as rt}from"../account/main.js";import{Resource as it}from"../chunks/account-later.js";var Gt=3e4,Ht=700,X=new WeakMap,ct=new WeakMap;function E(e,t){let o=e.get(t)??new Map;return e.set(t,o),o}var ut=async(e,t)=>(await e.call("GET",`/api/account/webhooks/${t}/deliveries`)).deliveries;function mt(e,t){let o=E(X,e);if(o.delete(t))return e.changed();let n=new it(()=>ut(e,t),e.changed);o.set(t,n),n.reload()}function dt(e){for(let t of E(X,e).values())t.reload()}async function pt(e,t){let o=E(ct,e);await e.tasks.run(`test ${t}`,async()=>{o.set(t,null),e.changed();try{let{delivery_id:n}=await e.call("POST",`/api/account/webhooks/${t}/test`),a=await Kt(e,t,n);a===void 0?o.delete(t):o.set(t,a)}catch(n){throw o.delete(t),n}E(X,e).get(t)?.reload(),e.webhooks.reload()})}async function Kt(e,t,o){let n=Date.now()+Gt;for(;;){await new Promise(s=>setTimeout(s,Ht));let a=(await ut(e,t)).find(s=>s.id===o);if(a===void 0||a.status!=="due"||Date.now()>n)return a}}function lt(e,t,o){return e.tasks.run(`replay ${t}`,async()=>{let n=o===void 0?{}:{delivery_id:o},{replayed:a,gone:s}=await e.call("POST",`/api/account/webhooks/${t}/replay`,{body:n});E(ft,e).set(t,s.length>0?Z("account.replay.gone",s.length):Z("account.replay.done",a.length)),await Promise.all([E(X,e).get(t)?.reload(),e.webhooks.reload()])})}var ft=new WeakMap;function bt({status:e,response_status:t,latency_ms:o,failure:n,attempts:a}){let s=[t===void 0?"":A("account.delivery.answer",{status:t}),n===void 0||n==="status"&&t!==void 0?"":g(`account.failure.${n}`,n),o===void 0?"":A("account.delivery.time",{ms:o}),a>1?Z("account.delivery.attempts",a):""].filter(b=>b!=="");return O`<span class="badge ${e==="delivered"?"ok":e==="due"?"":"danger"}">${g(`account.delivery.${e}`,e)}</span> <span class="muted">${s.join(" · ")}</span>`}function ht(e,t){let o=E(ct,e).get(t);return O`<p class="test" role="status">${o===void 0?V:o===null?A("account.webhook.testing"):O`${A("account.webhook.tested")} ${bt(o)}`}</p>`}function $t(e,{id:t}){let o=E(X,e).get(t);if(o===void 0)return V;let n=(o.value??[]).filter(({status:r})=>r==="failed"||r==="dropped").length,a=e.tasks.isBusy(`replay ${t}`)?"true":"false",s=r=>O`<li>
    <div class="who">
      <p>${bt(r)}</p>
      <p class="muted">${g(`account.event.${r.event.replace(".","_")}`,r.event)}
        ${r.channel_id===void 0?V:O` · ${rt(r.channel_id)}`} · ${y(r.due_at)}</p>
    </div>
    ${r.status==="due"?V:O`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${a} @click=${()=>lt(e,t,r.id)}>${A("account.replay")}</button></div>`}
  </li>`;return O`<div class="inside">
    <p role="status" class="muted">${E(ft,e).get(t)??V}</p>
    ${n===0?V:O`<div class="row"><button type="button" class="button small" aria-disabled=${a} @click=${()=>lt(e,t)}>
      ${Z("account.replay.failed",n)}</button></div>`}
    ${m(e,`replay ${t}`)}
    ${S(o,A("account.deliveries.none"),r=>O`<ul class="rows">${v(r,b=>b.id,s)}</ul>`)}
  </div>`}var se=["message.received"];async function wt(e,{id:t,url:o,secret:n},{title:a,about:s}){await Promise.all([e.webhooks.reload(),e.summary.reload(),st({title:a,about:s,file:`rogerrat-webhook-${t}.txt`,items:[{label:i("account.webhook.url"),value:K(o)},{label:i("account.webhook.secret"),value:n}]})])}async function Zt(e,t){t.preventDefault();let o=t.target,n=new FormData(o),a={url:String(n.get("url")??"").trim(),events:se.length===1?se:n.getAll("events"),retry:String(n.get("retry")??"immediate")},s=await e.tasks.run("webhook",()=>e.call("POST","/api/account/webhooks",{body:a}));s!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),await wt(e,s.value,{title:i("account.webhook.made"),about:i("account.webhook.made.about")}))}async function Xt(e,{id:t,url:o}){if(!await we({title:i("account.webhook.rotate.title"),text:i("account.webhook.rotate.about",{url:K(o)}),action:i("account.webhook.rotate")}))return;let a=await e.tasks.run(`webhook ${t}`,()=>e.call("POST",`/api/account/webhooks/${t}/rotate-secret`));a!==null&&await wt(e,a.value,{title:i("account.webhook.rotated"),about:i("account.webhook.rotated.about")})}async function Jt(e,{id:t,url:o}){await we({title:i("account.webhook.delete.title"),text:i("account.webhook.delete.about",{url:K(o)}),action:i("account.delete"),danger:!0})&&await e.tasks.run(`webhook ${t}`,async()=>{await e.call("DELETE",`/api/account/webhooks/${t}`),await Promise.all([e.webhooks.reload(),e.summary.reload()])})}function Qt(e){return e.active?e.failures_in_a_row>0?k`<span class="badge warn">${$e("account.webhook.failing",e.failures_in_a_row)}</span>`:k`<span class="badge ok">${i("account.webhook.on")}</span>`:k`<span class="badge danger">${i("account.webhook.off")}</span>
      <span class="muted">${i("account.webhook.off.about",{time:he(new Date(e.switched_off_at??e.created_at))})}</span>`}function Yt(e,t){let{id:o}=t,n=`webhook ${o}`,a=K(t.url),s=$t(e,t);return k`<li>
    <div class="who">
      <p class="url"><strong>${a}</strong></p>
      <p>${Qt(t)} ${t.due===0?H:k`<span class="badge">${$e("account.webhook.due",t.due)}</span>`}</p>
      <p class="muted">${t.events.map(r=>g(`account.event.${r.replace(".","_")}`,r)).join(", ")} ·
        ${g(`account.retry.${t.retry}`,t.retry)} · ${i("account.created")} ${y(t.created_at)}
        ${t.previous_secret_until===void 0?H:k` · ${i("account.webhook.previous",{time:he(new Date(t.previous_secret_until))})}`}</p>
      ${ht(e,o)}
    </div>
    <div class="deeds">
      ${$(e,{task:`test ${o}`,label:i("account.webhook.test"),of:a,act:()=>pt(e,o)})}
      <button type="button" class="button small" aria-expanded=${s===H?"false":"true"} aria-label=${`${i("account.deliveries")}: ${a}`}
        @click=${()=>mt(e,o)}>${i("account.deliveries")}</button>
      ${$(e,{task:n,label:i("account.webhook.rotate"),of:a,act:()=>Xt(e,t)})}
      ${$(e,{task:n,label:i("account.delete"),of:a,kind:"danger",act:()=>Jt(e,t)})}
    </div>
    ${m(e,n)} ${m(e,`test ${o}`)}
    ${s}
  </li>`}var yt=e=>dt(e);function vt(e){let t={id:"webhooks",title:i("account.webhooks"),about:i("account.webhooks.about"),count:L(e.webhooks.value?.length,e.summary.value?.limits.webhooks)},o=e.tasks.isBusy("webhook");return D(t,k`
    ${S(e.webhooks,i("account.webhooks.none"),n=>k`<ul class="rows">${v(n,a=>a.id,a=>Yt(e,a))}</ul>`)}
    <details class="new"><summary>${i("account.webhook.new")}</summary>
      <form class="stack" @submit=${n=>Zt(e,n)} autocomplete="off">
        <label class="field"><span>${i("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${i("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${se.length===1?H:k`<fieldset><legend>${i("account.webhook.events")}</legend>
          ${se.map(n=>k`<label class="check"><input type="checkbox" name="events" value=${n} checked />
            <span>${g(`account.event.${n.replace(".","_")}`,n)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${i("account.webhook.retry")}</span>
          <select name="retry">${["immediate","persistent"].map(n=>k`<option value=${n}>${i(`account.retry.${n}.about`)}</option>`)}</select></label>
        <p class="hint">${i("account.webhook.about")}</p>
        ${m(e,"webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
          ${o?i("account.webhook.subscribing"):i("account.webhook.subscribe")}</button></div>
      </form>
    </details>`)}import{html as B,nothing as F}from"../account/main.js";import{t as c,tn as gt}from"../account/main.js";import{visible as kt}from"../account/main.js";import{confirmDialog as ye}from"../chunks/account-later.js";import{keep as xt}from"../chunks/account-later.js";var _t=({label:e})=>e===null?c("account.session.unnamed"):kt(e);async function Dt(e,t){let o=t.length===1?c("account.session.end.about",{name:_t(t[0])}):gt("account.session.others.about",t.length);await ye({title:c("account.session.end.title"),text:o,action:c("account.session.end"),danger:!0})&&await e.tasks.run("sessions",async()=>{try{for(let{sid:a}of t)await e.call("DELETE",`/api/account/sessions/${encodeURIComponent(a)}`)}finally{await e.sessions.reload()}})}function eo(e,t){let o=_t(t);return B`<li>
    <div class="who">
      <p><strong>${o}</strong> ${t.current?B`<span class="badge ok">${c("account.session.current")}</span>`:F}</p>
      <p class="muted">${c("account.session.used")} ${y(t.last_used_at)}
        ${t.created_at===null?F:B` · ${c("account.created")} ${y(t.created_at)}`}</p>
    </div>
    ${t.current?F:B`<div class="deeds">
      ${$(e,{task:"sessions",label:c("account.session.end"),of:o,act:()=>Dt(e,[t])})}</div>`}
  </li>`}function St(e){let t=(e.sessions.value??[]).filter(n=>!n.current),o={id:"sessions",title:c("account.sessions"),about:c("account.sessions.about")};return D(o,B`
    ${S(e.sessions,c("account.sessions.none"),n=>B`<ul class="rows">${v(n,a=>a.sid,a=>eo(e,a))}</ul>`)}
    ${m(e,"sessions")}
    ${t.length<2?F:B`<div class="row">
      <button type="button" class="button small" @click=${()=>Dt(e,t)}>${c("account.session.others")}</button></div>`}`)}async function to(e){if(!await ye({title:c("account.recovery.title"),text:c("account.recovery.rotate.about"),action:c("account.recovery.rotate")}))return;let o=await e.tasks.run("recovery",()=>e.call("POST","/api/account/rotate-recovery"));if(o===null)return;let{account_id:n,recovery_token:a}=o.value;await xt({title:c("account.recovery.made"),about:c("account.recovery.made.about"),file:`rogerrat-${n}.txt`,items:[{label:c("account.id"),value:n},{label:c("account.recovery.token"),value:a}]})}function Tt(e){let t=e.tasks.isBusy("recovery")?"true":"false";return D({id:"recovery",title:c("account.recovery"),about:c("account.recovery.about")},B`
    ${m(e,"recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${t} @click=${()=>to(e)}>${c("account.recovery.rotate")}</button></div>`)}var Ot=(e,t)=>F;import{html as ve,nothing as Pt}from"../account/main.js";import{t as R,tn as Ct}from"../account/main.js";async function oo(e,t,o){t.preventDefault();let n=t.target,a=new FormData(n),s=n.elements.namedItem("typed"),r=String(a.get("typed")??"").trim()===e.summary.value?.account_id;if(s.setCustomValidity(r?"":R("account.close.differs")),!n.reportValidity())return;let b=a.get("channels")==="delete"?{channels:"delete"}:{};await e.tasks.run("close",()=>e.call("DELETE","/api/account",{query:b}))!==null&&o()}function Et(e,t){let o=e.summary.value,n=e.tasks.isBusy("close"),a=s=>s.target.setCustomValidity("");return D({id:"close",title:R("account.close"),about:R("account.close.about")},ve`
    <details class="new"><summary>${R("account.close.open")}</summary>
      <form class="stack" @submit=${s=>oo(e,s,t)} autocomplete="off">
        ${o===null||o.channels===0?Pt:ve`<fieldset>
          <legend>${Ct("account.close.channels",o.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${R("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${R("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${R("account.close.typed",{id:o?.account_id??""})}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${a} /></label>
        ${m(e,"close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${n||o===null?"true":"false"}>${R("account.close.do")}</button></div>
      </form>
    </details>`)}var ao=["identities","channels","webhooks","sessions","recovery","close"],Bt=class{#e;#t;constructor(t,o,n){this.#t=n,this.#e=new Se(t,o,()=>n("ended"),()=>{Je(this.#e),yt(this.#e)}),this.#e.start()}stop(){this.#e.stop()}#o=async()=>{let t=this.#e,o=t.summary.value,n=t.sessions.value?.length===1&&o?.identities.length===0&&o.channels===0,a=n?_("account.logout.last"):_("account.logout.about");if(!await De({title:_("account.logout"),text:a,action:_("account.logout"),danger:n}))return;await t.tasks.run("logout",()=>t.call("POST","/api/account/logout"))!==null&&this.#t("out")};view(t){let o=this.#e,n=o.summary.value;return Q`
      <div class="account-head">
        <div>
          <h1>${_("account.title")}</h1>
          ${n===null?xe:Q`<p class="muted id"><code>${n.account_id}</code> ${_e(n.account_id,{name:_("account.id")})}
            <span>${_("account.since")} ${y(n.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#o}>${_("account.logout")}</button>
      </div>
      ${m(o,"logout")}
      <div class="columns">
        <nav class="sections" aria-label=${_("account.sections")}>
          ${ao.map(a=>Q`<a href=${`#${a}`}>${_(`account.${a}`)}</a>`)}
        </nav>
        <div class="cards">
          ${Ne(o)} ${nt(o)} ${vt(o)} ${St(o)} ${Tt(o)}
          ${Ot(o,t)}
          ${Et(o,()=>this.#t("deleted"))}
        </div>
      </div>`}};export{Bt as OpenAccount};
