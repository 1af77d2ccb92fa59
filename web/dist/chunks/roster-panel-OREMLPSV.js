import{a as p}from"./chunk-AEEHGE6K.js";import{html as a,nothing as l,render as _}from"../chunks/chat.js";import{ago as $,formatTime as v,has as b,t as e,tn as c}from"../chunks/chat.js";import{visible as u}from"../chunks/chat.js";import{formatFull as w,hue as x}from"../chunks/chat.js";import{icon_chat_icon_js as d,labelled as f}from"../chunks/chat.js";var k=10*6e4,y=class{constructor(t,n){this.model=t,this.context=n,this.element=document.createElement("div"),this.element.className="panel-content roster"}draw(){let{roster:t,channel:n}=this.model,o=t.filter(s=>s.online),r=t.filter(s=>!s.online);_(a`
      ${this.#s()}
      <h3>${c("chat.roster.online",o.length)}</h3>
      <ul>${p(o,s=>s.callsign,s=>this.#t(s))}</ul>
      ${r.length?a`<h3>${c("chat.roster.away",r.length)}</h3><ul>${p(r,s=>s.callsign,s=>this.#t(s))}</ul>`:l}
      <div class="panel-foot">${n.is_band?l:a`<button type="button" @click=${()=>this.context.invite()}>${d("qr")} ${e("chat.invite")}</button>`}</div>`,this.element)}#s(){let{channel:t}=this.model;if(!t.trust_posture)return l;let n=t.trust_posture==="trusted-authorized";return a`<p class=${n?"trust good":"trust"}>${d(n?"verified":"alert")} <span><b>${e(`chat.trust.${t.trust_posture}`)}</b> ${e(`chat.trust.${t.trust_posture}.long`)}</span></p>`}#t(t){let n=u(t.callsign),o=t.oldest_unread_at!==null&&Date.now()-t.oldest_unread_at>k&&(t.unread??0)>0;return a`<li class=${t.online?"member":"member off"}>
      <span class="avatar hue-${x(t.callsign)}" aria-hidden="true">${n.charAt(0).toUpperCase()}</span>
      <div class="member-text">
        <p class="member-name"><bdi>${n}</bdi>${t.me?a` <small>${e("chat.you_small")}</small>`:l}
          ${t.verified?a`<span class="verified" title=${e("chat.verified.long")}>${f("verified",e("chat.verified"))}</span>`:l}</p>
        <p class="member-facts"><span class="reach reach-${t.online?t.reach??"unknown":"off"}"></span>${this.#e(t,o)}</p>
        ${this.#a(t)}
        ${o?a`<p class="member-waits">${d("clock")} ${e("chat.roster.deaf",{count:t.unread??0,ago:$(t.oldest_unread_at)})}</p>`:l}
      </div>
      ${t.me||!this.model.abilities.direct?l:a`<button type="button" class="icon-button" title=${e("chat.roster.write")} @click=${()=>this.context.writeTo(t.callsign)}>${f("edit",e("chat.roster.write_to",{name:n}))}</button>`}
    </li>`}#a({callsign:t,online:n,state:o,note:r,until:s}){let m=this.model.tasks.filter(h=>h.state==="held"&&h.holder===t).length,g=s!==null&&s<Date.now(),i=[];if(n&&o){let h=b(`chat.member.${o}`)?e(`chat.member.${o}`):u(o);i.push(a`<b>${h}</b>${r?a` <bdi>${u(r)}</bdi>`:l}${s===null?l:a` <span class=${g?"bad":""}>${e(g?"chat.member.overdue":"chat.member.until",{time:v(s)})}</span>`}`)}return m&&i.push(a`${i.length?" · ":l}${c("chat.member.holds",m)}`),i.length?a`<p class="member-facts member-says">${i}</p>`:l}#e(t,n){let o=[t.online?e(`chat.reach.${t.reach??"unknown"}`):e("chat.reach.off")];return t.seen_at!==null&&!(t.online&&t.reach==="stream")&&o.push(e("chat.roster.seen",{ago:$(t.seen_at)})),t.unread&&!t.me&&!n&&o.push(c("chat.roster.unread",t.unread)),a`<span title=${t.seen_at===null?"":w(t.seen_at)}>${o.join(" · ")}</span>`}};export{y as RosterPanel};
