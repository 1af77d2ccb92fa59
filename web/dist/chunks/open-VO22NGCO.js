import{html as Y,nothing as xe}from"../account/main.js";import{copyButton as _e}from"../chunks/account-later.js";import{confirmDialog as De}from"../chunks/account-later.js";import{t as _}from"../account/main.js";import{Account as Se}from"../chunks/account-later.js";import{html as q,nothing as ie}from"../account/main.js";import{noChange as Te}from"../account/main.js";import{Directive as Oe,PartType as Ce,directive as Pe}from"../chunks/account-later.js";import{getCommittedValue as Ee,insertPart as N,removePart as ee,setChildPartValue as I,setCommittedValue as Be}from"../chunks/account-later.js";var Re=(e,t,o)=>{let a=new Map;for(let n=t;n<=o;n++)a.set(e[n],n);return a},v=Pe(class extends Oe{constructor(e){if(super(e),e.type!==Ce.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,o){let a;o===void 0?o=t:t!==void 0&&(a=t);let n=[],s=[],r=0;for(let b of e)n[r]=a?a(b,r):r,s[r]=o(b,r),r++;return{values:s,keys:n}}render(e,t,o){return this.dt(e,t,o).values}update(e,[t,o,a]){let n=Ee(e),{values:s,keys:r}=this.dt(t,o,a);if(!Array.isArray(n))return this.ut=r,s;let b=this.ut??=[],x=[],Q,ge,p=0,h=n.length-1,f=0,w=s.length-1;for(;p<=h&&f<=w;)if(n[p]===null)p++;else if(n[h]===null)h--;else if(b[p]===r[f])x[f]=I(n[p],s[f]),p++,f++;else if(b[h]===r[w])x[w]=I(n[h],s[w]),h--,w--;else if(b[p]===r[w])x[w]=I(n[p],s[w]),N(e,x[w+1],n[p]),p++,w--;else if(b[h]===r[f])x[f]=I(n[h],s[f]),N(e,n[p],n[h]),h--,f++;else if(Q===void 0&&(Q=Re(r,f,w),ge=Re(b,p,h)),Q.has(b[p]))if(Q.has(b[h])){let C=ge.get(r[f]),re=C!==void 0?n[C]:null;if(re===null){let ke=N(e,n[p]);I(ke,s[f]),x[f]=ke}else x[f]=I(re,s[f]),N(e,n[p],re),n[C]=null;f++}else ee(n[h]),h--;else ee(n[p]),p++;for(;f<=w;){let C=N(e,x[w+1]);I(C,s[f]),x[f++]=C}for(;p<=h;){let C=n[p++];C!==null&&ee(C)}return this.ut=r,Be(e,x),Te}});import{t as u}from"../account/main.js";import{visible as Ie}from"../account/main.js";import{confirmDialog as le}from"../chunks/account-later.js";import{keyName as ce}from"../chunks/account-later.js";import{html as P,nothing as z}from"../account/main.js";import{ago as Me,formatTime as Ve,t as te}from"../account/main.js";import{fault as ue}from"../account/main.js";function D({id:e,title:t,about:o,count:a="",aside:n=z},s){return P`<section class="card" id=${e} aria-labelledby=${`${e}-title`} tabindex="-1">
    <div class="head">
      <h2 id=${`${e}-title`}>${t}${a===""?z:P` <span class="count">${a}</span>`}</h2>
      ${n}
    </div>
    <p class="muted about">${o}</p>
    ${s}
  </section>`}function S(e,t,o){let a=e.value;return P`
    ${e.error===null?z:me(e)}
    ${a===null?e.error===null?P`<div class="skeleton" role="status"><span class="visually-hidden">${te("account.loading")}</span></div>`:z:a.length===0?P`<p class="nothing">${t}</p>`:o(a)}`}function me(e){return P`<div class="failed">
    ${ue(e.error)}
    <button type="button" class="button small" aria-disabled=${e.loading?"true":"false"} @click=${()=>e.reload()}>${te("account.retry")}</button>
  </div>`}function $(e,{task:t,label:o,of:a,kind:n="",act:s}){let r=e.tasks.isBusy(t);return P`<button type="button" class="button small ${n}" aria-label=${`${o}: ${a}`} aria-disabled=${r?"true":"false"}
    @click=${()=>{r||s()}}>${o}</button>`}var m=(e,t)=>ue(e.tasks.error(t)),y=e=>P`<time datetime=${new Date(e).toISOString()} title=${Ve(new Date(e))}>${Me(new Date(e))}</time>`;function L(e,t){return e===void 0?"":t==null?String(e):te("account.of",{count:e,limit:t})}import{keep as Ae}from"../chunks/account-later.js";async function qe(e,{callsign:t,identity_key:o}){e.known.set(ce(t),o),await Promise.all([e.summary.reload(),Ae({title:u("account.identity.made",{callsign:t}),about:u("account.identity.made.about"),file:`rogerrat-identity-${t}.txt`,items:[{label:u("account.identity.callsign"),value:t},{label:u("account.identity.key"),value:o}]})])}async function It(e,t){t.preventDefault();let o=t.target,a=String(new FormData(o).get("callsign")??"").trim(),n=a===""?{}:{callsign:a},s=await e.tasks.run("identity",()=>e.call("POST","/api/account/identities",{body:n}));s!==null&&(o.reset(),await qe(e,s.value))}async function Mt(e,t){if(!await le({title:u("account.identity.rotate.title",{callsign:t}),text:u("account.identity.rotate.about"),action:u("account.identity.rotate")}))return;let a=`/api/account/identities/${encodeURIComponent(t)}/rotate-key`,n=await e.tasks.run(`identity ${t}`,()=>e.call("POST",a));n!==null&&await qe(e,n.value)}async function Vt(e,t){await le({title:u("account.identity.delete.title",{callsign:t}),text:u("account.identity.delete.about"),typed:t,action:u("account.delete"),danger:!0})&&await e.tasks.run(`identity ${t}`,async()=>{await e.call("DELETE",`/api/account/identities/${encodeURIComponent(t)}`),e.known.delete(ce(t)),await e.summary.reload()})}function At(e,{callsign:t,created_at:o}){let a=`identity ${t}`,n=Ie(t);return q`<li>
    <div class="who"><p><strong>${n}</strong></p><p class="muted">${u("account.created")} ${y(o)}</p></div>
    <div class="deeds">
      ${$(e,{task:a,label:u("account.identity.open"),of:n,act:async()=>(await import("./open-as-ZTNIXEZM.js")).openAs(e,{callsign:t})})}
      ${$(e,{task:a,label:u("account.identity.rotate"),of:n,act:()=>Mt(e,t)})}
      ${$(e,{task:a,label:u("account.delete"),of:n,kind:"danger",act:()=>Vt(e,t)})}
    </div>
    ${m(e,a)}
  </li>`}function Ne(e){let t=e.summary.value,o=t?.identities??[],a={id:"identities",title:u("account.identities"),about:u("account.identities.about"),count:L(t?.identities.length,t?.limits.identities)},n=e.tasks.isBusy("identity");return D(a,q`
    ${e.summary.error===null?ie:me(e.summary)}
    ${t===null?e.summary.error===null?q`<div class="skeleton"></div>`:ie:o.length===0?q`<p class="nothing">${u("account.identities.none")}</p>`:q`<ul class="rows">${v(o,s=>s.callsign,s=>At(e,s))}</ul>`}
    <form class="inline" @submit=${s=>It(e,s)}>
      <label class="field"><span>${u("account.identity.wish")}</span>
        <input name="callsign" maxlength="32" pattern="\\s*[A-Za-z0-9][A-Za-z0-9_\\-]{0,31}\\s*" title=${u("account.identity.pattern")}
          autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="wish-about" /></label>
      <button type="submit" class="button primary" aria-disabled=${n?"true":"false"}>${u("account.identity.create")}</button>
    </form>
    <p class="hint" id="wish-about">${u("account.identity.wish.about")}</p>
    ${m(e,"identity")}`)}import{html as M,nothing as oe}from"../account/main.js";import{t as l,tn as Le}from"../account/main.js";import{visible as de}from"../account/main.js";import{has as We,t as je}from"../account/main.js";import{visible as Ue}from"../account/main.js";var g=(e,t)=>We(e)?je(e):Ue(t);import{confirmDialog as pe}from"../chunks/account-later.js";import{tokenName as G}from"../chunks/account-later.js";import{keep as fe}from"../chunks/account-later.js";import{openChat as Fe}from"../chunks/account-later.js";import{html as W,nothing as ne}from"../account/main.js";import{ago as ze,t as T,tn as Ge}from"../account/main.js";import{visible as be}from"../account/main.js";import{confirmDialog as He}from"../chunks/account-later.js";import{Resource as Ke}from"../chunks/account-later.js";var Ze=new WeakMap;function H(e){let t=Ze.get(e)??new Map;return Ze.set(e,t),t}function Xe(e,t){let o=H(e);if(o.delete(t))return e.changed();let a=async()=>(await e.call("GET",`/api/account/channels/${encodeURIComponent(t)}`)).roster_all,n=new Ke(a,e.changed);o.set(t,n),n.reload()}function Je(e,{id:t,agent_count:o}){return H(e).get(t)?.value?.filter(n=>n.online).length??o}function Qe(e){for(let t of H(e).values())t.reload()}async function qt(e,t,{callsign:o}){await He({title:T("account.kick.title",{callsign:o}),text:T("account.kick.about"),action:T("account.kick"),danger:!0})&&await e.tasks.run(`members ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}/sessions/${encodeURIComponent(o)}`),await Promise.all([H(e).get(t)?.reload(),e.channels.reload()])})}function Nt({online:e,reach:t,seen_at:o}){return e?t!==void 0&&t!=="away"?g(`account.members.${t}`,t):o==null?T("account.members.online"):T("account.members.seen",{time:ze(new Date(o))}):T("account.members.offline")}function Ye(e,t){let o=H(e).get(t);if(o===void 0)return ne;let a=n=>W`<li>
    <div class="who"><p><strong>${be(n.callsign)}</strong> <span class="muted">#${n.idx}</span>
      <span class="badge ${n.online?"ok":""}">${Nt(n)}</span></p>
      ${n.unread===void 0||n.unread===0?ne:W`<p class="muted">${Ge("account.members.unread",n.unread)}</p>`}</div>
    ${n.online?W`<div class="deeds"><button type="button" class="button small" aria-label=${`${T("account.kick")}: ${be(n.callsign)}`}
      @click=${()=>qt(e,t,n)}>${T("account.kick")}</button></div>`:ne}
  </li>`;return W`<div class="inside">
    ${S(o,T("account.members.none"),n=>W`<ul class="rows">${v(n,s=>s.callsign,a)}</ul>`)}
    ${m(e,`members ${t}`)}
  </div>`}import{html as j,nothing as et}from"../account/main.js";import{t as d}from"../account/main.js";import{channelBody as tt}from"../chunks/account-later.js";var Lt=["none","metadata","prompts","full"],Wt=["prompts","full"],U={retention:"none",trust:"untrusted",visibility:"channel"};async function jt(e,t,o){t.preventDefault();let a=t.target,n=tt(new FormData(a)),s=await e.tasks.run("channel",()=>e.call("POST","/api/channels",{body:n}));s!==null&&(a.reset(),a.closest("details")?.removeAttribute("open"),Object.assign(U,{retention:"none",trust:"untrusted",visibility:"channel"}),e.changed(),o(s.value))}function ae(e,t,o,a=()=>{}){return j`<label class="field"><span>${o}</span>
    <select name=${e} @change=${n=>a(n.target.value)}>
      ${t.map(n=>j`<option value=${n}>${d(`account.${e}.${n||"auto"}`)}</option>`)}
    </select></label>`}function ot(e,t,{isForced:o=!1}={}){return j`<label class="check"><input type="checkbox" name=${e} ?disabled=${o} /><span>${t}
    ${o?j`<span class="muted">${d("account.channel.forced")}</span>`:et}</span></label>`}function nt(e,t){let o=e.tasks.isBusy("channel"),a=s=>{Object.assign(U,s),e.changed()},n=Wt.includes(U.retention)?["","disk"]:["","memory","disk"];return j`<details class="new"><summary>${d("account.channel.new")}</summary>
    <form class="stack" @submit=${s=>jt(e,s,t)} autocomplete="off">
      ${ae("retention",Lt,d("account.channel.retention"),s=>a({retention:s}))}
      <p class="hint">${d(`account.retention.${U.retention}.about`)}</p>
      ${ot("require_identity",d("account.channel.require"))}
      <details class="more"><summary>${d("account.channel.more")}</summary><div class="stack">
        ${ae("trust_mode",["untrusted","trusted"],d("account.channel.trust"),s=>a({trust:s}))}
        <p class="hint">${d(`account.trust.${U.trust}.about`)}</p>
        <label class="field"><span>${d("account.channel.password")}</span>
          <input name="owner_password" minlength="6" maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
        <p class="hint">${d("account.channel.password.about")}</p>
        ${ae("dm_visibility",["channel","private"],d("account.channel.dm"),s=>a({visibility:s}))}
        ${ot("claim_callsigns",d("account.channel.claim"),{isForced:U.visibility==="private"})}
        ${ae("durability",n,d("account.channel.durability"))}
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
  </details>`}async function Ut(e,t){let o=t.channel_id;e.known.set(G(o),t.join_token);let a=[{label:l("account.channel.id"),value:o},{label:l("account.channel.token"),value:t.join_token},...t.owner_password?[{label:l("account.channel.password"),value:t.owner_password}]:[],...t.webhook?[{label:l("account.webhook.secret"),value:t.webhook.secret,note:t.webhook.url}]:[],...t.peer_invite?[{label:l("account.channel.invite"),value:t.peer_invite,note:l("account.channel.invite.about")}]:[]];await Promise.all([e.channels.reload(),e.summary.reload(),fe({title:l("account.channel.made"),about:l("account.channel.made.about"),file:`rogerrat-channel-${o}.txt`,items:a,more:n=>M`<button type="button" class="button small" @click=${()=>{n(),at(e,o,t.require_identity===!0)}}>${l("account.channel.open")}</button>`})])}async function at(e,t,o){let a=e.known.get(G(t))??"";(e.summary.value?.identities.length??0)>0&&(o||a==="")?(await import("./open-as-ZTNIXEZM.js")).openAs(e,{channel:t}):Fe(t,{token:a})}async function Ft(e,t){if(!await pe({title:l("account.channel.rotate.title",{id:de(t)}),text:l("account.channel.rotate.about"),action:l("account.channel.rotate")}))return;let a=`/api/account/channels/${encodeURIComponent(t)}/rotate-token`,n=await e.tasks.run(`channel ${t}`,()=>e.call("POST",a));if(n===null)return;let{channel_id:s,join_token:r}=n.value;e.known.set(G(s),r),await fe({title:l("account.channel.rotated"),about:l("account.channel.rotated.about"),file:`rogerrat-channel-${s}.txt`,items:[{label:l("account.channel.id"),value:s},{label:l("account.channel.token"),value:r}]})}async function zt(e,t){await pe({title:l("account.channel.delete.title"),text:l("account.channel.delete.about"),typed:t,action:l("account.delete"),danger:!0})&&await e.tasks.run(`channel ${t}`,async()=>{await e.call("DELETE",`/api/account/channels/${encodeURIComponent(t)}`),e.known.delete(G(t)),await Promise.all([e.channels.reload(),e.summary.reload()])})}function Gt(e,t){let{id:o}=t,a=`channel ${o}`,n=de(o),s=Ye(e,o);return M`<li>
    <div class="who">
      <p><strong>${n}</strong>
        ${t.require_identity?M`<span class="badge">${l("account.channel.identities")}</span>`:oe}
        ${t.trust_mode==="trusted"?M`<span class="badge">${l("account.channel.trusted")}</span>`:oe}</p>
      <p class="muted">${Le("account.channel.online",Je(e,t))} · ${g(`account.retention.${t.retention}`,t.retention)} ·
        ${l("account.created")} ${y(t.created_at)}</p>
    </div>
    <div class="deeds">
      ${$(e,{task:a,label:l("account.channel.open"),of:n,act:()=>at(e,o,t.require_identity)})}
      <button type="button" class="button small" aria-expanded=${s===oe?"false":"true"} aria-label=${`${l("account.members")}: ${n}`}
        @click=${()=>Xe(e,o)}>${l("account.members")}</button>
      ${$(e,{task:a,label:l("account.channel.rotate"),of:n,act:()=>Ft(e,o)})}
      ${$(e,{task:a,label:l("account.delete"),of:n,kind:"danger",act:()=>zt(e,o)})}
    </div>
    ${m(e,a)}
    ${s}
  </li>`}function st(e){let t={id:"channels",title:l("account.channels"),about:l("account.channels.about"),count:L(e.channels.value?.length,e.summary.value?.limits.channels)};return D(t,M`
    ${S(e.channels,l("account.channels.none"),o=>M`<ul class="rows">${v(o,a=>a.id,a=>Gt(e,a))}</ul>`)}
    ${nt(e,o=>Ut(e,o))}`)}import{html as k,nothing as K}from"../account/main.js";import{formatTime as he,t as i,tn as $e}from"../account/main.js";import{visible as Z}from"../account/main.js";import{confirmDialog as we}from"../chunks/account-later.js";import{keep as rt}from"../chunks/account-later.js";import{html as O,nothing as V}from"../account/main.js";import{t as A,tn as X}from"../account/main.js";import{visible as it}from"../account/main.js";import{Resource as lt}from"../chunks/account-later.js";var Ht=3e4,Kt=700,J=new WeakMap,ut=new WeakMap;function E(e,t){let o=e.get(t)??new Map;return e.set(t,o),o}var mt=async(e,t)=>(await e.call("GET",`/api/account/webhooks/${t}/deliveries`)).deliveries;function dt(e,t){let o=E(J,e);if(o.delete(t))return e.changed();let a=new lt(()=>mt(e,t),e.changed);o.set(t,a),a.reload()}function pt(e){for(let t of E(J,e).values())t.reload()}async function ft(e,t){let o=E(ut,e);await e.tasks.run(`test ${t}`,async()=>{o.set(t,null),e.changed();try{let{delivery_id:a}=await e.call("POST",`/api/account/webhooks/${t}/test`),n=await Zt(e,t,a);n===void 0?o.delete(t):o.set(t,n)}catch(a){throw o.delete(t),a}E(J,e).get(t)?.reload(),e.webhooks.reload()})}async function Zt(e,t,o){let a=Date.now()+Ht;for(;;){await new Promise(s=>setTimeout(s,Kt));let n=(await mt(e,t)).find(s=>s.id===o);if(n===void 0||n.status!=="due"||Date.now()>a)return n}}function ct(e,t,o){return e.tasks.run(`replay ${t}`,async()=>{let a=o===void 0?{}:{delivery_id:o},{replayed:n,gone:s}=await e.call("POST",`/api/account/webhooks/${t}/replay`,{body:a});E(bt,e).set(t,s.length>0?X("account.replay.gone",s.length):X("account.replay.done",n.length)),await Promise.all([E(J,e).get(t)?.reload(),e.webhooks.reload()])})}var bt=new WeakMap;function ht({status:e,response_status:t,latency_ms:o,failure:a,attempts:n}){let s=[t===void 0?"":A("account.delivery.answer",{status:t}),a===void 0||a==="status"&&t!==void 0?"":g(`account.failure.${a}`,a),o===void 0?"":A("account.delivery.time",{ms:o}),n>1?X("account.delivery.attempts",n):""].filter(b=>b!=="");return O`<span class="badge ${e==="delivered"?"ok":e==="due"?"":"danger"}">${g(`account.delivery.${e}`,e)}</span> <span class="muted">${s.join(" · ")}</span>`}function $t(e,t){let o=E(ut,e).get(t);return O`<p class="test" role="status">${o===void 0?V:o===null?A("account.webhook.testing"):O`${A("account.webhook.tested")} ${ht(o)}`}</p>`}function wt(e,{id:t}){let o=E(J,e).get(t);if(o===void 0)return V;let a=(o.value??[]).filter(({status:r})=>r==="failed"||r==="dropped").length,n=e.tasks.isBusy(`replay ${t}`)?"true":"false",s=r=>O`<li>
    <div class="who">
      <p>${ht(r)}</p>
      <p class="muted">${g(`account.event.${r.event.replace(".","_")}`,r.event)}
        ${r.channel_id===void 0?V:O` · ${it(r.channel_id)}`} · ${y(r.due_at)}</p>
    </div>
    ${r.status==="due"?V:O`<div class="deeds">
      <button type="button" class="button small" aria-disabled=${n} @click=${()=>ct(e,t,r.id)}>${A("account.replay")}</button></div>`}
  </li>`;return O`<div class="inside">
    <p role="status" class="muted">${E(bt,e).get(t)??V}</p>
    ${a===0?V:O`<div class="row"><button type="button" class="button small" aria-disabled=${n} @click=${()=>ct(e,t)}>
      ${X("account.replay.failed",a)}</button></div>`}
    ${m(e,`replay ${t}`)}
    ${S(o,A("account.deliveries.none"),r=>O`<ul class="rows">${v(r,b=>b.id,s)}</ul>`)}
  </div>`}var se=["message.received"];async function yt(e,{id:t,url:o,secret:a},{title:n,about:s}){await Promise.all([e.webhooks.reload(),e.summary.reload(),rt({title:n,about:s,file:`rogerrat-webhook-${t}.txt`,items:[{label:i("account.webhook.url"),value:Z(o)},{label:i("account.webhook.secret"),value:a}]})])}async function Xt(e,t){t.preventDefault();let o=t.target,a=new FormData(o),n={url:String(a.get("url")??"").trim(),events:se.length===1?se:a.getAll("events"),retry:String(a.get("retry")??"immediate")},s=await e.tasks.run("webhook",()=>e.call("POST","/api/account/webhooks",{body:n}));s!==null&&(o.reset(),o.closest("details")?.removeAttribute("open"),await yt(e,s.value,{title:i("account.webhook.made"),about:i("account.webhook.made.about")}))}async function Jt(e,{id:t,url:o}){if(!await we({title:i("account.webhook.rotate.title"),text:i("account.webhook.rotate.about",{url:Z(o)}),action:i("account.webhook.rotate")}))return;let n=await e.tasks.run(`webhook ${t}`,()=>e.call("POST",`/api/account/webhooks/${t}/rotate-secret`));n!==null&&await yt(e,n.value,{title:i("account.webhook.rotated"),about:i("account.webhook.rotated.about")})}async function Qt(e,{id:t,url:o}){await we({title:i("account.webhook.delete.title"),text:i("account.webhook.delete.about",{url:Z(o)}),action:i("account.delete"),danger:!0})&&await e.tasks.run(`webhook ${t}`,async()=>{await e.call("DELETE",`/api/account/webhooks/${t}`),await Promise.all([e.webhooks.reload(),e.summary.reload()])})}function Yt(e){return e.active?e.failures_in_a_row>0?k`<span class="badge warn">${$e("account.webhook.failing",e.failures_in_a_row)}</span>`:k`<span class="badge ok">${i("account.webhook.on")}</span>`:k`<span class="badge danger">${i("account.webhook.off")}</span>
      <span class="muted">${i("account.webhook.off.about",{time:he(new Date(e.switched_off_at??e.created_at))})}</span>`}function eo(e,t){let{id:o}=t,a=`webhook ${o}`,n=Z(t.url),s=wt(e,t);return k`<li>
    <div class="who">
      <p class="url"><strong>${n}</strong></p>
      <p>${Yt(t)} ${t.due===0?K:k`<span class="badge">${$e("account.webhook.due",t.due)}</span>`}</p>
      <p class="muted">${t.events.map(r=>g(`account.event.${r.replace(".","_")}`,r)).join(", ")} ·
        ${g(`account.retry.${t.retry}`,t.retry)} · ${i("account.created")} ${y(t.created_at)}
        ${t.previous_secret_until===void 0?K:k` · ${i("account.webhook.previous",{time:he(new Date(t.previous_secret_until))})}`}</p>
      ${$t(e,o)}
    </div>
    <div class="deeds">
      ${$(e,{task:`test ${o}`,label:i("account.webhook.test"),of:n,act:()=>ft(e,o)})}
      <button type="button" class="button small" aria-expanded=${s===K?"false":"true"} aria-label=${`${i("account.deliveries")}: ${n}`}
        @click=${()=>dt(e,o)}>${i("account.deliveries")}</button>
      ${$(e,{task:a,label:i("account.webhook.rotate"),of:n,act:()=>Jt(e,t)})}
      ${$(e,{task:a,label:i("account.delete"),of:n,kind:"danger",act:()=>Qt(e,t)})}
    </div>
    ${m(e,a)} ${m(e,`test ${o}`)}
    ${s}
  </li>`}var vt=e=>pt(e);function gt(e){let t={id:"webhooks",title:i("account.webhooks"),about:i("account.webhooks.about"),count:L(e.webhooks.value?.length,e.summary.value?.limits.webhooks)},o=e.tasks.isBusy("webhook");return D(t,k`
    ${S(e.webhooks,i("account.webhooks.none"),a=>k`<ul class="rows">${v(a,n=>n.id,n=>eo(e,n))}</ul>`)}
    <details class="new"><summary>${i("account.webhook.new")}</summary>
      <form class="stack" @submit=${a=>Xt(e,a)} autocomplete="off">
        <label class="field"><span>${i("account.webhook.url")}</span>
          <input name="url" type="url" required maxlength="2048" placeholder=${i("account.webhook.example")} autocomplete="off" spellcheck="false" /></label>
        ${se.length===1?K:k`<fieldset><legend>${i("account.webhook.events")}</legend>
          ${se.map(a=>k`<label class="check"><input type="checkbox" name="events" value=${a} checked />
            <span>${g(`account.event.${a.replace(".","_")}`,a)}</span></label>`)}</fieldset>`}
        <label class="field"><span>${i("account.webhook.retry")}</span>
          <select name="retry">${["immediate","persistent"].map(a=>k`<option value=${a}>${i(`account.retry.${a}.about`)}</option>`)}</select></label>
        <p class="hint">${i("account.webhook.about")}</p>
        ${m(e,"webhook")}
        <div class="row"><button type="submit" class="button primary" aria-disabled=${o?"true":"false"}>
          ${o?i("account.webhook.subscribing"):i("account.webhook.subscribe")}</button></div>
      </form>
    </details>`)}import{html as B,nothing as F}from"../account/main.js";import{t as c,tn as kt}from"../account/main.js";import{visible as xt}from"../account/main.js";import{confirmDialog as ye}from"../chunks/account-later.js";import{keep as _t}from"../chunks/account-later.js";var Dt=({label:e})=>e===null?c("account.session.unnamed"):xt(e);async function St(e,t){let o=t.length===1?c("account.session.end.about",{name:Dt(t[0])}):kt("account.session.others.about",t.length);await ye({title:c("account.session.end.title"),text:o,action:c("account.session.end"),danger:!0})&&await e.tasks.run("sessions",async()=>{try{for(let{sid:n}of t)await e.call("DELETE",`/api/account/sessions/${encodeURIComponent(n)}`)}finally{await e.sessions.reload()}})}function to(e,t){let o=Dt(t);return B`<li>
    <div class="who">
      <p><strong>${o}</strong> ${t.current?B`<span class="badge ok">${c("account.session.current")}</span>`:F}</p>
      <p class="muted">${c("account.session.used")} ${y(t.last_used_at)}
        ${t.created_at===null?F:B` · ${c("account.created")} ${y(t.created_at)}`}</p>
    </div>
    ${t.current?F:B`<div class="deeds">
      ${$(e,{task:"sessions",label:c("account.session.end"),of:o,act:()=>St(e,[t])})}</div>`}
  </li>`}function Tt(e){let t=(e.sessions.value??[]).filter(a=>!a.current),o={id:"sessions",title:c("account.sessions"),about:c("account.sessions.about")};return D(o,B`
    ${S(e.sessions,c("account.sessions.none"),a=>B`<ul class="rows">${v(a,n=>n.sid,n=>to(e,n))}</ul>`)}
    ${m(e,"sessions")}
    ${t.length<2?F:B`<div class="row">
      <button type="button" class="button small" @click=${()=>St(e,t)}>${c("account.session.others")}</button></div>`}`)}async function oo(e){if(!await ye({title:c("account.recovery.title"),text:c("account.recovery.rotate.about"),action:c("account.recovery.rotate")}))return;let o=await e.tasks.run("recovery",()=>e.call("POST","/api/account/rotate-recovery"));if(o===null)return;let{account_id:a,recovery_token:n}=o.value;await _t({title:c("account.recovery.made"),about:c("account.recovery.made.about"),file:`rogerrat-${a}.txt`,items:[{label:c("account.id"),value:a},{label:c("account.recovery.token"),value:n}]})}function Ot(e){let t=e.tasks.isBusy("recovery")?"true":"false";return D({id:"recovery",title:c("account.recovery"),about:c("account.recovery.about")},B`
    ${m(e,"recovery")}
    <div class="row"><button type="button" class="button small" aria-disabled=${t} @click=${()=>oo(e)}>${c("account.recovery.rotate")}</button></div>`)}var Ct=(e,t)=>F;import{html as ve,nothing as Pt}from"../account/main.js";import{t as R,tn as Et}from"../account/main.js";async function no(e,t,o){t.preventDefault();let a=t.target,n=new FormData(a),s=a.elements.namedItem("typed"),r=String(n.get("typed")??"").trim()===e.summary.value?.account_id;if(s.setCustomValidity(r?"":R("account.close.differs")),!a.reportValidity())return;let b=n.get("channels")==="delete"?{channels:"delete"}:{};await e.tasks.run("close",()=>e.call("DELETE","/api/account",{query:b}))!==null&&o()}function Bt(e,t){let o=e.summary.value,a=e.tasks.isBusy("close"),n=s=>s.target.setCustomValidity("");return D({id:"close",title:R("account.close"),about:R("account.close.about")},ve`
    <details class="new"><summary>${R("account.close.open")}</summary>
      <form class="stack" @submit=${s=>no(e,s,t)} autocomplete="off">
        ${o===null||o.channels===0?Pt:ve`<fieldset>
          <legend>${Et("account.close.channels",o.channels)}</legend>
          <label class="check"><input type="radio" name="channels" value="keep" required /><span>${R("account.close.keep")}</span></label>
          <label class="check"><input type="radio" name="channels" value="delete" required /><span>${R("account.close.delete")}</span></label>
        </fieldset>`}
        <label class="field"><span>${R("account.close.typed",{id:o?.account_id??""})}</span>
          <input name="typed" required maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off" @input=${n} /></label>
        ${m(e,"close")}
        <div class="row"><button type="submit" class="button danger" aria-disabled=${a||o===null?"true":"false"}>${R("account.close.do")}</button></div>
      </form>
    </details>`)}var ao=["identities","channels","webhooks","sessions","recovery","close"],Rt=class{#e;#t;constructor(t,o,a){this.#t=a,this.#e=new Se(t,o,()=>a("ended"),()=>{Qe(this.#e),vt(this.#e)}),this.#e.start()}stop(){this.#e.stop()}#o=async()=>{let t=this.#e,o=t.summary.value,a=t.sessions.value?.length===1&&o?.identities.length===0&&o.channels===0,n=a?_("account.logout.last"):_("account.logout.about");if(!await De({title:_("account.logout"),text:n,action:_("account.logout"),danger:a}))return;await t.tasks.run("logout",()=>t.call("POST","/api/account/logout"))!==null&&this.#t("out")};view(t){let o=this.#e,a=o.summary.value;return Y`
      <div class="account-head">
        <div>
          <h1>${_("account.title")}</h1>
          ${a===null?xe:Y`<p class="muted id"><code>${a.account_id}</code> ${_e(a.account_id,{name:_("account.id")})}
            <span>${_("account.since")} ${y(a.created_at)}</span></p>`}
        </div>
        <button type="button" class="button" @click=${this.#o}>${_("account.logout")}</button>
      </div>
      ${m(o,"logout")}
      <div class="columns">
        <nav class="sections" aria-label=${_("account.sections")}>
          ${ao.map(n=>Y`<a href=${`#${n}`}>${_(`account.${n}`)}</a>`)}
        </nav>
        <div class="cards">
          ${Ne(o)} ${st(o)} ${gt(o)} ${Tt(o)} ${Ot(o)}
          ${Ct(o,t)}
          ${Bt(o,()=>this.#t("deleted"))}
        </div>
      </div>`}};export{Rt as OpenAccount};
