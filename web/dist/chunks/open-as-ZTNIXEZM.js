import{html as i}from"../account/main.js";import{nothing as $}from"../account/main.js";import{Directive as v,directive as x}from"../chunks/account-later.js";import{setCommittedValue as w}from"../chunks/account-later.js";var D=x(class extends v{constructor(){super(...arguments),this.key=$}render(o,n){return this.key=o,n}update(o,[n,r]){return n!==this.key&&(w(o),this.key=n),r}});var c=["general","help","random"];import{t}from"../account/main.js";import{visible as N}from"../account/main.js";import{showDialog as C}from"../chunks/account-later.js";import{keyName as k,tokenName as h}from"../chunks/account-later.js";import{openChat as S}from"../chunks/account-later.js";function re(o,n){let r=o.summary.value?.identities??[],b=o.channels.value??[],s=n.callsign??r[0]?.callsign??"",a=n.channel??b[0]?.id??c[0],g=e=>o.known.get(e)??"",B=e=>{e.preventDefault();let f=new FormData(e.target),l=p=>String(f.get(p)??"").trim();o.known.set(k(s),l("key")),u()||o.known.set(h(a),l("token")),S(a,{token:u()?"":l("token"),identity_key:l("key"),callsign:s}),m.close()},u=()=>c.includes(a),y=(e,f,l,p,V)=>D(e,i`<label class="field"><span>${l}</span>
      <input name=${f} type="password" required .value=${p} maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
    <p class="hint">${p===""?V:t("account.open.known")}</p>`),m=C({title:t("account.open.title"),body:""}),d=()=>m.update(i`<form class="stack" @submit=${B} autocomplete="off">
      <label class="field"><span>${t("account.open.as")}</span>
        <select @change=${e=>{s=A(e),d()}}>
          ${r.map(e=>i`<option value=${e.callsign} ?selected=${e.callsign===s}>${e.callsign}</option>`)}
        </select></label>
      ${y(s,"key",t("account.identity.key"),g(k(s)),t("account.open.key.about"))}
      <label class="field"><span>${t("account.open.channel")}</span>
        <select @change=${e=>{a=A(e),d()}}>
          ${[...b.map(e=>e.id),...c].map(e=>i`<option value=${e} ?selected=${e===a}>
            ${c.includes(e)?t("account.open.band",{name:e}):N(e)}</option>`)}
        </select></label>
      ${u()?i`<p class="hint">${t("account.open.band.about")}</p>`:y(a,"token",t("account.channel.token"),g(h(a)),t("account.open.token.about"))}
      <div class="dialog-actions">
        <button type="button" class="button" @click=${()=>m.close()}>${t("common.cancel")}</button>
        <button type="submit" class="button primary">${t("account.open.do")}</button>
      </div>
  </form>`);d(),m.element.querySelector("select")?.focus()}var A=o=>o.target.value;export{re as openAs};
