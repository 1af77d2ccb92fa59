import{html as n,nothing as l,render as p}from"../chunks/shared.js";import{repeat as h}from"../chunks/shared.js";import{ago as u,t as a,tn as r}from"../chunks/shared.js";import{visible as f}from"../chunks/shared.js";import{formatFull as $,hue as g}from"../chunks/chat.js";import{icon as i,labelled as d}from"../chunks/chat.js";var v=10*6e4,_=class{constructor(t,s){this.model=t,this.context=s,this.element=document.createElement("div"),this.element.className="panel-content roster"}draw(){let{roster:t,channel:s}=this.model,o=t.filter(e=>e.online),c=t.filter(e=>!e.online);p(n`
      ${this.#a()}
      <h3>${r("chat.roster.online",o.length)}</h3>
      <ul>${h(o,e=>e.callsign,e=>this.#t(e))}</ul>
      ${c.length?n`<h3>${r("chat.roster.away",c.length)}</h3><ul>${h(c,e=>e.callsign,e=>this.#t(e))}</ul>`:l}
      <div class="panel-foot">${s.is_band?l:n`<button type="button" @click=${()=>this.context.invite()}>${i("qr")} ${a("chat.invite")}</button>`}</div>`,this.element)}#a(){let{channel:t}=this.model;if(!t.trust_posture)return l;let s=t.trust_posture==="trusted-authorized";return n`<p class=${s?"trust good":"trust"}>${i(s?"verified":"alert")} <span><b>${a(`chat.trust.${t.trust_posture}`)}</b> ${a(`chat.trust.${t.trust_posture}.long`)}</span></p>`}#t(t){let s=f(t.callsign),o=t.oldest_unread_at!==null&&Date.now()-t.oldest_unread_at>v&&(t.unread??0)>0;return n`<li class=${t.online?"member":"member off"}>
      <span class="avatar hue-${g(t.callsign)}" aria-hidden="true">${s.charAt(0).toUpperCase()}</span>
      <div class="member-text">
        <p class="member-name"><bdi>${s}</bdi>${t.me?n` <small>${a("chat.you_small")}</small>`:l}
          ${t.verified?n`<span class="verified" title=${a("chat.verified.long")}>${d("verified",a("chat.verified"))}</span>`:l}</p>
        <p class="member-facts"><span class="reach reach-${t.online?t.reach??"unknown":"off"}"></span>${this.#s(t,o)}</p>
        ${o?n`<p class="member-waits">${i("clock")} ${a("chat.roster.deaf",{count:t.unread??0,ago:u(t.oldest_unread_at)})}</p>`:l}
      </div>
      ${t.me||!this.model.abilities.direct?l:n`<button type="button" class="icon-button" title=${a("chat.roster.write")} @click=${()=>this.context.writeTo(t.callsign)}>${d("edit",a("chat.roster.write_to",{name:s}))}</button>`}
    </li>`}#s(t,s){let o=[t.online?a(`chat.reach.${t.reach??"unknown"}`):a("chat.reach.off")];return t.seen_at!==null&&!(t.online&&t.reach==="stream")&&o.push(a("chat.roster.seen",{ago:u(t.seen_at)})),t.unread&&!t.me&&!s&&o.push(r("chat.roster.unread",t.unread)),n`<span title=${t.seen_at===null?"":$(t.seen_at)}>${o.join(" · ")}</span>`}};export{_ as RosterPanel};
