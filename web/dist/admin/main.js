import{html as o,nothing as c,render as z,svg as Q}from"../chunks/shared.js";import{ApiError as h,request as M}from"../chunks/shared.js";import{announce as Y}from"../chunks/shared.js";import{confirmDialog as U,showDialog as J}from"../chunks/shared.js";import{fault as E}from"../chunks/shared.js";import{mountHeader as V}from"../chunks/shared.js";import{ago as f,formatBytes as X,formatNumber as b,formatTime as $,start as Z,t as s,tn as g}from"../chunks/shared.js";import{ofTab as I}from"../chunks/shared.js";import{Tasks as tt}from"../chunks/shared.js";import{visible as u}from"../chunks/shared.js";import{repeat as v}from"../chunks/shared.js";var S=[["id",!1],["agent_count",!0],["member_count",!0],["message_count",!0],["held_count",!0],["created_at",!0],["last_activity_at",!0]];function at(e,t){return e.by===t?{by:t,descending:!e.descending}:{by:t,descending:S.find(([n])=>n===t)?.[1]??!1}}function j(e,{text:t,online:n,bands:a}){let i=t.trim().toLowerCase();return(i===""||e.id.includes(i)||e.roster.some(l=>l.includes(i)))&&(!n||e.agent_count>0)&&(a||!e.is_band)}function nt(e,{by:t,descending:n},a){let i=n?-1:1,r=(l,d)=>l<d?-1:l>d?1:0;return e.filter(l=>j(l,a)).sort((l,d)=>i*r(l[t],d[t])||r(l.id,d.id)).map(l=>l.id)}function st(e,t){let n=new Set(t);return[...e.filter(i=>n.delete(i)),...n]}var N=240,C=48,et=2,it=6e5,Tt=120,ot=2e4;function rt(e,t){return[...e.filter(n=>n.at>t.at-it&&n.at<t.at),t].slice(-Tt)}function lt(e){return e.slice(1).flatMap((t,n)=>{let a=e[n],i=t.at-a.at;return i<=0||i>ot||t.value<a.value?[]:[{at:t.at,value:(t.value-a.value)*6e4/i}]})}function dt(e,t){let n=Math.max(1,...e.map(i=>i.value)),a=[];return e.forEach((i,r)=>{let l=Math.max(0,N-(t-i.at)*N/it),d=C-et-i.value/n*(C-2*et);(r===0||i.at-e[r-1].at>ot)&&a.push([]),a[a.length-1].push(`${l.toFixed(1)},${d.toFixed(1)}`)}),a.map(i=>(i.length===1?[i[0],i[0]]:i).join(" "))}function ct({kind:e,target:t,channel:n,seconds:a,reason:i}){return{[e==="here"?"callsign":e]:t.trim(),...e==="here"?{channel_id:n.trim()}:{},...a>0?{seconds:a}:{},...i.trim()===""?{}:{reason:i.trim()}}}var At=["here","callsign","identity","address"],Mt=[3600,86400,604800,2592e3,0],Ut=200,It=()=>new h({code:"own_address",message:s("admin.ban.own.refused")});async function ut(e,t){let n=t.kind,a=null,i=!1,r="",l=J({title:s("admin.ban.title"),body:""}),d=()=>l.update(Et()),p=async m=>{if(m.preventDefault(),i)return;let St=new FormData(m.target),A=y=>String(St.get(y)??"");i=!0,a=null,d();try{let y=ct({kind:n,target:A("target"),channel:A("channel"),seconds:Number(A("seconds")),reason:A("reason")});if(y.address!==void 0&&y.address===e.address)throw It();let Dt=await e.call("POST","/api/admin/bans",{body:y});r=g("admin.banned",Dt.sessions_ended),l.close()}catch(y){a=y}finally{i=!1,d()}},B=m=>{n=m.target.value,d()},Et=()=>o`<form class="stack" @submit=${p}>
    <fieldset><legend>${s("admin.ban.what")}</legend>
      ${At.map(m=>o`<label class="check"><input type="radio" name="kind" value=${m} ?checked=${m===t.kind} @change=${B} />
        <span>${s(`admin.ban.${m}`)}</span></label>`)}
    </fieldset>
    <label class="field"><span>${s(`admin.ban.target.${n}`)}</span>
      <input name="target" required maxlength="64" value=${t.name} autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
    ${n==="here"?o`<label class="field"><span>${s("admin.ban.channel")}</span>
      <input name="channel" required maxlength="64" value=${t.channel} autocomplete="off" spellcheck="false" autocapitalize="off" /></label>`:c}
    ${n==="address"?o`<p class="hint">${s("admin.ban.address.about")}
      ${e.address===""?c:s("admin.ban.own",{address:e.address})}</p>`:c}
    <label class="field"><span>${s("admin.ban.long")}</span>
      <select name="seconds">${Mt.map(m=>o`<option value=${m} ?selected=${m===86400}>${s(`admin.ban.for.${m}`)}</option>`)}</select></label>
    <label class="field"><span>${s("admin.ban.why")}</span>
      <textarea name="reason" rows="2" maxlength=${Ut}></textarea></label>
    <p class="hint">${s("admin.ban.why.about")}</p>
    ${E(a)}
    <div class="dialog-actions">
      <button type="button" class="button" @click=${()=>l.close()}>${s("common.cancel")}</button>
      <button type="submit" class="button danger" aria-disabled=${i?"true":"false"}>${s("admin.ban.do")}</button>
    </div>
  </form>`;return d(),l.element.querySelector("input")?.focus(),await l.closed,r}var R=e=>u(e.callsign??e.identity??e.address??"");function Nt(e){if(e.address!==void 0)return o`${s("admin.ban.is.address")} <strong>${u(e.address)}</strong>`;if(e.identity!==void 0)return o`${s("admin.ban.is.identity")} <strong>${u(e.identity)}</strong>`;let t=o`<strong>${u(e.callsign??"")}</strong>`;return e.channel_id===void 0?o`${s("admin.ban.is.callsign")} ${t}`:o`${s("admin.ban.is.callsign")} ${t} ${s("admin.ban.is.on",{channel:u(e.channel_id)})}`}function mt(e,t){let n=e.bans??[],a=Date.now();return o`<section class="card" aria-labelledby="bans-title">
    <div class="head"><h2 id="bans-title">${s("admin.bans")}</h2>
      <button type="button" class="button small" @click=${()=>t.ban({kind:"callsign",name:"",channel:""})}>${s("admin.bans.new")}</button></div>
    ${e.bans!==null&&n.length===0?o`<p class="muted">${s("admin.bans.none")}</p>`:c}
    ${n.length===0?c:o`<ul class="rows">${v(n,i=>i.id,i=>o`<li>
      <div class="who">
        <p>${Nt(i)}</p>
        ${i.reason===void 0?c:o`<p class="reason" dir="auto">${u(i.reason)}</p>`}
        <p class="muted">${s("admin.bans.since",{time:f(new Date(i.created_at))})} ·
          ${i.expires_at===void 0?s("admin.bans.forever"):i.expires_at<=a?s("admin.bans.over"):s("admin.bans.until",{time:$(new Date(i.expires_at))})}</p>
      </div>
      <div class="deeds"><button type="button" class="button small" aria-label=${`${s("admin.lift")}: ${R(i)}`} @click=${()=>t.lift(i)}>${s("admin.lift")}</button></div>
    </li>`)}</ul>`}
  </section>`}var H=class{notice="";busy=!1;waitUntil=0;#t;#a;#e;constructor(t,n){this.#t=t,this.#a=n}get waitSeconds(){return Math.max(0,Math.ceil((this.waitUntil-Date.now())/1e3))}async open(t){if(!(this.busy||this.waitSeconds>0)){this.busy=!0,this.notice="",this.#t();try{await M("GET","/api/admin/counters",{token:t,timeout_ms:1e4}),this.#a(t)}catch(n){this.refused(n)}finally{this.busy=!1,this.#t()}}}refused(t){if(!(t instanceof h))throw t;t.status===429?this.#i(t.retry_after_ms||6e4):t.status===401?this.notice="wrong":t.status===403?this.notice="disabled":this.notice=t.network?"network":"failed",this.#t()}#i(t){this.notice="",this.waitUntil=Date.now()+t,clearInterval(this.#e),this.#e=setInterval(()=>{this.waitSeconds===0&&clearInterval(this.#e),this.#t()},1e3)}#n=t=>{t.preventDefault();let n=t.target,a=String(new FormData(n).get("token")??"").trim();a!==""&&this.open(a)};view(){let t=this.waitSeconds;return o`
      <section class="gate card" aria-labelledby="gate-title">
        <h1 id="gate-title">${s("admin.gate.title")}</h1>
        <p class="muted">${s("admin.gate.about")}</p>
        <form @submit=${this.#n} autocomplete="off">
          <label class="field" for="token"><span>${s("admin.gate.token")}</span></label>
          <input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false"
            autocapitalize="off" aria-describedby="gate-notice" />
          <button class="button primary" type="submit" aria-disabled=${this.busy||t>0?"true":"false"}>
            ${this.busy?s("admin.gate.checking"):s("admin.gate.open")}
          </button>
        </form>
        <p id="gate-notice" class="gate-notice ${this.notice===""||this.notice==="locked"?"":"error"}" role="status">${this.#s(t)}</p>
      </section>`}#s(t){return t>0?o`<span>${s("admin.gate.wait")}</span> <span class="countdown" aria-hidden="true">${t} s</span>`:this.waitUntil>0&&this.notice===""?s("admin.gate.again"):this.notice===""?c:s(`admin.gate.${this.notice}`)}};function pt(e,t){let n=new AbortController,a=Date.now(),i=()=>{a=Date.now()};for(let p of["pointerdown","pointermove","keydown","wheel","touchstart"])document.addEventListener(p,i,{passive:!0,capture:!0,signal:n.signal});let r=()=>{clearInterval(d),n.abort()},l=()=>{Date.now()-a<e||(r(),t())},d=setInterval(l,15e3);return document.addEventListener("visibilitychange",l,{signal:n.signal}),r}var ht=5e3,Ct=1e4,Ht=100,F=1e3,L=class{counters=null;samples=[];channels=null;total=0;limit=Ht;bans=null;address="";error=null;updatedAt=0;paused=!1;#t;#a;#e;#i;#n=null;#s=new AbortController;constructor(t,n,a){this.#t=t,this.#a=n,this.#e=a}start(){document.addEventListener("visibilitychange",()=>this.#l(),{signal:this.#s.signal}),this.#o()}stop(){clearTimeout(this.#i),this.#s.abort()}refresh(){return clearTimeout(this.#i),this.#n??=this.#d().finally(()=>{this.#n=null,this.#o()}),this.#n}async reload(){await this.#n,await this.refresh()}pause(t){this.paused=t,this.#a(),t||this.refresh()}show(t){return this.limit=Math.min(F,t),this.reload()}async call(t,n,a={}){try{let i=this.#s.signal;return await M(t,n,{token:this.#t,signal:i,timeout_ms:Ct,...a})}catch(i){throw i instanceof h&&i.status===401&&!this.#s.signal.aborted&&this.#e(i),i}}#o(){clearTimeout(this.#i),!this.#s.signal.aborted&&(this.#i=setTimeout(()=>this.#r()?this.#o():this.refresh(),ht))}#l(){!this.#r()&&Date.now()-this.updatedAt>=ht&&this.refresh()}#r(){return this.paused||document.hidden||document.querySelector("dialog[open], :popover-open")!==null}async#d(){try{let[t,n,a]=await Promise.all([this.call("GET","/api/admin/counters"),this.call("GET","/api/admin/channels",{query:{limit:this.limit}}),this.call("GET","/api/admin/bans")]);this.#c(t,n,a)}catch(t){if(this.#s.signal.aborted)return;if(this.error=t instanceof h?t:null,this.error===null)throw t;this.error.status===403&&this.#e(this.error)}this.#a()}#c(t,n,a){this.counters!==null&&this.counters.started_at!==t.started_at&&(this.samples=[]),this.updatedAt=Date.now(),this.counters=t,this.channels=n.channels,this.total=n.total,this.bans=a.bans,this.address=a.client_address??"",this.error=null;let i=Object.values(t.refused).reduce((p,B)=>p+B,0),{messages_total:r,joins_total:l,members_live:d}=t;this.samples=rt(this.samples,{at:this.updatedAt,messages:r,joins:l,members:d,refusals:i})}};function ft(e,t,n){return e.length===0?o`<div class="spark" aria-hidden="true"></div>`:o`<svg class="spark" viewBox="0 0 ${N} ${C}" preserveAspectRatio="none" role="img" aria-label=${n}>
    ${dt(e,t).map(a=>Q`<polyline points=${a} />`)}
  </svg>`}function D(e,t,n,a=c){return o`<div class="tile">
    <dt>${e}</dt>
    <dd><strong>${t}</strong><span class="muted">${n}</span>${a}</dd>
  </div>`}function G(e,t,n){let a=lt(e.samples.map(i=>({at:i.at,value:i[t]})));return bt(e,s(`admin.tile.${t}`),a,n)}function bt(e,t,n,a){let i=p=>b(Math.round(p)),r=n.length===0?"–":i(n[n.length-1].value),l=i(Math.max(0,...n.map(p=>p.value))),d=s("admin.spark",{name:t,last:r,most:l});return D(t,r,a,ft(n,e.updatedAt,d))}function $t(e){let t=e.counters;if(t===null)return o`<div class="tiles" aria-hidden="true">${[0,1,2,3].map(()=>o`<div class="tile empty"></div>`)}</div>`;let n=e.samples.map(i=>({at:i.at,value:i.members})),a=b;return o`<dl class="tiles">
    ${bt(e,s("admin.tile.members"),n,s("admin.tile.members.note",{all:a(t.members)}))}
    ${G(e,"messages",s("admin.tile.total",{total:a(t.messages_total)}))}
    ${G(e,"joins",s("admin.tile.total",{total:a(t.joins_total)}))}
    ${G(e,"refusals",g("admin.tile.bans",t.bans))}
    ${D(s("admin.tile.channels"),a(t.channels_live),s("admin.tile.channels.note",{all:a(t.channels)}))}
    ${D(s("admin.tile.reading"),a(t.polls+t.streams),s("admin.tile.reading.note",{polls:a(t.polls),streams:a(t.streams)}))}
    ${D(s("admin.tile.held"),a(t.held),X(t.held_bytes))}
    ${D(s("admin.tile.created"),a(t.channels_created),s("admin.tile.created.note"))}
  </dl>`}function gt(e){let t=Object.entries(e.counters?.refused??{}).sort(([a,i],[r,l])=>l-i||(a<r?-1:1)),n=t[0]?.[1]??1;return o`<section class="card" aria-labelledby="refusals-title">
    <h2 id="refusals-title">${s("admin.refusals")}</h2>
    ${t.length===0?o`<p class="muted">${s("admin.refusals.none")}</p>`:o`<p class="muted">${s("admin.refusals.about")}</p>
        <dl class="bars">${v(t,([a])=>a,([a,i])=>o`<div>
          <dt><code>${a}</code></dt>
          <dd><meter min="0" max=${n} value=${i} aria-hidden="true"></meter><span>${b(i)}</span></dd>
        </div>`)}</dl>`}
  </section>`}import{word as T}from"../chunks/shared.js";function wt(e,t){return o`<div class="inside">
    <dl class="facts">
      ${_("retention",T(`admin.retention.${e.retention}`,e.retention))}
      ${_("durability",T(`admin.durability.${e.durability}`,e.durability))}
      ${_("trust_mode",T(`admin.trust.${e.trust_mode}`,e.trust_mode))}
      ${_("dm_visibility",T(`admin.dm.${e.dm_visibility}`,e.dm_visibility))}
      ${_("created_at",$(new Date(e.created_at)))}
      ${_("first_joined_at",e.first_joined_at===null?s("admin.never"):$(new Date(e.first_joined_at)))}
    </dl>
    <h3>${s("admin.sessions")}</h3>
    ${e.sessions.length===0?o`<p class="muted">${s("admin.sessions.none")}</p>`:o`<ul class="rows">${v(e.sessions,n=>n.idx,n=>Lt(e,n,t))}</ul>`}
    ${e.is_band?o`<p class="muted">${s("admin.band.kept")}</p>`:o`
      <p class="foot"><button type="button" class="button danger" @click=${()=>t.remove(e)}>${s("admin.delete")}</button></p>`}
  </div>`}var _=(e,t)=>o`<div><dt>${s(`admin.fact.${e}`)}</dt><dd>${t}</dd></div>`;function Lt(e,t,n){let a=t.callsign,i={kind:"here",name:a,channel:e.id};return o`<li>
    <div class="who">
      <p><strong>${u(a)}</strong> <span class="muted">#${t.idx}</span>
        <span class="badge ${t.is_waiting?"ok":""}">${t.is_waiting?s("admin.waiting"):s("admin.away")}</span></p>
      <p class="muted">
        ${s("admin.seen",{time:f(Date.now()-t.seen_seconds_ago*1e3)})} ·
        ${s("admin.joined",{time:f(new Date(t.joined_at))})} ·
        ${g("admin.consumers",t.consumer_count)}
        ${t.held_count===0?c:o` · ${g("admin.held",t.held_count)}`}
      </p>
    </div>
    <div class="deeds">
      <button type="button" class="button small" aria-label=${`${s("admin.end")}: ${u(a)}`} @click=${()=>n.endSession(e,t)}>${s("admin.end")}</button>
      <button type="button" class="button small" aria-label=${`${s("admin.ban")}: ${u(a)}`} @click=${()=>n.ban(i)}>${s("admin.ban")}</button>
    </div>
  </li>`}var O=class{sorting={by:"last_activity_at",descending:!0};filter={text:"",online:!1,bands:!0};open=new Set;lookedUp=null;unknown="";#t=[];#a;constructor(t){this.#a=t}rows(t){let n=t.channels??[],i=this.lookedUp!==null&&!n.some(d=>d.id===this.lookedUp?.id)&&this.lookedUp!==null?[this.lookedUp,...n]:n,r=nt(i,this.sorting,this.filter);this.#t=Ot()?st(this.#t,r):r;let l=new Map(i.map(d=>[d.id,d]));return this.#t.flatMap(d=>l.get(d)??[])}forget(t){this.open.delete(t),this.lookedUp?.id===t&&(this.lookedUp=null)}#e(){this.#t=[],this.#a()}#i(t){this.sorting=at(this.sorting,t),this.#e()}#n(t){this.filter={...this.filter,...t},this.unknown="",this.#e()}#s(t){this.open.delete(t)||this.open.add(t),this.#a()}view(t,n){let a=this.rows(t);return o`<section class="card channels" aria-labelledby="channels-title">
      <h2 id="channels-title">${s("admin.channels")}</h2>
      ${this.#l()}
      <p class="muted" role="status">${t.channels===null?c:this.#o(a.length,t)}</p>
      ${this.#r(a,n)}
      ${a.length===0&&t.channels!==null?this.#u(t,n):c}
      ${t.total>t.limit&&t.limit<F?o`<button type="button" class="button small" @click=${()=>t.show(t.limit*4)}>${s("admin.more")}</button>`:c}
    </section>`}#o(t,n){let a=n.channels?.length??0;return n.total>a?s("admin.count.cut",{shown:t,listed:a,total:n.total}):t===a?g("admin.count",a):s("admin.count.filtered",{shown:t,listed:a})}#l(){return o`<form class="filters" role="search" @submit=${t=>t.preventDefault()}>
      <label class="field"><span>${s("admin.filter")}</span>
        <input type="search" name="filter" maxlength="64" autocomplete="off" spellcheck="false" autocapitalize="off"
          @input=${t=>this.#n({text:yt(t)})} /></label>
      <label class="check"><input type="checkbox" .checked=${this.filter.online}
        @change=${t=>this.#n({online:_t(t)})} /><span>${s("admin.filter.online")}</span></label>
      <label class="check"><input type="checkbox" .checked=${this.filter.bands}
        @change=${t=>this.#n({bands:_t(t)})} /><span>${s("admin.filter.bands")}</span></label>
      <label class="field sort-phone"><span>${s("admin.sort")}</span>
        <select @change=${t=>this.#i(yt(t))}>
          ${S.map(([t])=>o`<option value=${t} ?selected=${t===this.sorting.by}>${s(`admin.column.${t}`)}</option>`)}
        </select></label>
    </form>`}#r(t,n){return o`<table class="channel-table" role="table" aria-labelledby="channels-title" ?hidden=${t.length===0}>
      <thead role="rowgroup"><tr role="row">${S.map(([a])=>this.#d(a))}</tr></thead>
      ${v(t,a=>a.id,a=>o`<tbody role="rowgroup" class=${this.open.has(a.id)?"open":""}>
        ${this.#c(a)}
        ${this.open.has(a.id)?o`<tr role="row" class="detail"><td role="cell" colspan=${S.length}>${wt(a,n)}</td></tr>`:c}
      </tbody>`)}
    </table>`}#d(t){let n=t!==this.sorting.by?"none":this.sorting.descending?"descending":"ascending";return o`<th role="columnheader" scope="col" aria-sort=${n} class=${t==="id"?"":"number"}>
      <button type="button" class="sort" @click=${()=>this.#i(t)}>${s(`admin.column.${t}`)}<span class="arrow" aria-hidden="true"></span></button>
    </th>`}#c(t){let n=this.open.has(t.id),a=(i,r)=>o`<td role="cell" class=${i.endsWith("_at")?"number time":"number"}><span class="label" aria-hidden="true">${s(`admin.column.${i}`)}</span> ${r}</td>`;return o`<tr role="row">
      <td role="cell" class="name">
        <button type="button" class="opener" aria-expanded=${n?"true":"false"}
          @click=${()=>this.#s(t.id)}><span class="chevron" aria-hidden="true"></span><span>${u(t.id)}</span></button>
        ${t.is_band?o`<span class="badge">${s("admin.band")}</span>`:c}
      </td>
      ${a("agent_count",b(t.agent_count))}
      ${a("member_count",b(t.member_count))}
      ${a("message_count",b(t.message_count))}
      ${a("held_count",b(t.held_count))}
      ${a("created_at",vt(t.created_at))}
      ${a("last_activity_at",vt(t.last_activity_at))}
    </tr>`}#u(t,n){let a=this.filter.text.trim(),i=this.filter.online||!this.filter.bands||a!=="";return o`<div class="nothing">
      <p>${i?s("admin.none.match"):s("admin.none")}</p>
      ${a===""?c:o`
        <p class="hint">${s("admin.lookup.about")}</p>
        <button type="button" class="button small" @click=${()=>this.#m(a,t,n)}>${s("admin.lookup",{id:u(a)})}</button>`}
      ${this.unknown===""?c:o`<p class="error" role="alert">${s("admin.lookup.unknown",{id:u(this.unknown)})}</p>`}
    </div>`}async#m(t,n,a){let i=await a.lookUp(t.toLowerCase());i!==void 0&&(this.unknown=i===null?t:"",this.lookedUp=i,i!==null&&(this.filter={...this.filter,online:!1,bands:!0},j(i,this.filter)&&this.open.add(i.id)),this.#e())}},vt=e=>o`<time datetime=${new Date(e).toISOString()} title=${$(new Date(e))}>${f(new Date(e))}</time>`,yt=e=>e.target.value,_t=e=>e.target.checked;function Ot(){let e=document.querySelector(".channel-table");if(e===null)return!1;let t=document.getSelection();return t!==null&&!t.isCollapsed&&t.containsNode(e,!0)||e.contains(document.activeElement)||e.matches(":hover")}var K="rogerrat-admin-token",qt=18e5,w=null,W=!1;function k(){W||(W=!0,queueMicrotask(()=>{W=!1,xt()}))}var x=new H(k,kt);function kt(e){I.set(K,e),x.notice="";let t=new L(e,k,n=>{P(""),x.refused(n),x.notice==="wrong"&&(x.notice="ended")});w={monitor:t,table:new O(k),tasks:new tt(k),done:"",stopWatching:pt(qt,()=>P("locked"))},t.start(),t.refresh(),k()}function P(e){w?.stopWatching(),w?.monitor.stop(),w=null,I.remove(K),document.querySelectorAll("dialog").forEach(t=>t.close()),x.notice=e,k()}async function q(e){let t=w;t!==null&&await t.tasks.run("act",async()=>{t.done="",t.done=await e(),t.done!==""&&Y(t.done),await t.monitor.reload()})}function Bt(e){let t=n=>`/api/admin/channels/${encodeURIComponent(n)}`;return{endSession:async(n,{callsign:a})=>{let i={callsign:u(a),id:u(n.id)};await U({title:s("admin.end.title",i),text:s("admin.end.about"),action:s("admin.end"),danger:!0})&&q(async()=>{let{ended:r}=await e.call("DELETE",`${t(n.id)}/sessions/${encodeURIComponent(a)}`);return s(r?"admin.ended":"admin.ended.not",i)})},remove:async({id:n})=>{let a=s("admin.delete.about");await U({title:s("admin.delete.title"),text:a,action:s("admin.delete.do"),danger:!0,typed:n})&&q(async()=>(await e.call("DELETE",t(n)),w?.table.forget(n),s("admin.deleted",{id:u(n)})))},ban:async n=>{let a=await ut(e,n);a!==""&&q(async()=>a)},lift:async n=>{let a=R(n);await U({title:s("admin.lift.title",{name:a}),text:s("admin.lift.about"),action:s("admin.lift")})&&q(async()=>(await e.call("DELETE",`/api/admin/bans/${encodeURIComponent(n.id)}`),s("admin.lifted",{name:a})))},lookUp:async n=>(await w?.tasks.run("act",()=>e.call("GET",t(n)).catch(i=>{if(i instanceof h&&i.status===404)return null;throw i})))?.value}}function jt(e){return e.error!==null?o`<span class="state bad">${s("admin.stale",{time:e.updatedAt===0?"–":$(e.updatedAt)})}</span>`:e.paused?o`<span class="state">${s("admin.paused")}</span>`:e.updatedAt===0?o`<span class="state">${s("admin.loading")}</span>`:o`<span class="state ok">${s("admin.live")}</span>`}function Rt({monitor:e,table:t,tasks:n,done:a}){let i=Bt(e),r=e.counters;return o`
    <div class="admin-head">
      <div>
        <h1>${s("admin.title")}</h1>
        <p class="muted">${jt(e)} ${r===null?c:o`· ${s("admin.up",{time:f(r.started_at)})}`}</p>
      </div>
      <div class="row">
        <button type="button" class="button" aria-pressed=${e.paused?"true":"false"} @click=${()=>e.pause(!e.paused)}>${s("admin.pause")}</button>
        <button type="button" class="button" @click=${()=>P("locked")}>${s("admin.lock")}</button>
      </div>
    </div>
    ${e.error===null?c:o`<div class="failed">${E(e.error)}
      <button type="button" class="button small" @click=${()=>e.refresh()}>${s("admin.retry")}</button></div>`}
    ${E(n.error("act"))}
    ${a===""?c:o`<p class="notice">${a}</p>`}
    ${$t(e)}
    ${t.view(e,i)}
    <div class="pair">${mt(e,i)} ${gt(e)}</div>`}function xt(){let e=document.getElementById("app");e!==null&&z(w===null?x.view():Rt(w),e)}async function Ft(){await Z("admin"),document.title=`${s("admin.title")} · rogerrat`,V();let e=I.get(K)??"";e===""?xt():kt(e)}Ft();
