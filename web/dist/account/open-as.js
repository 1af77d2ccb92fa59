import{a as v}from"../chunks/chunk-OQ32KB4W.js";import{b as f,c as d}from"../chunks/chunk-CUTHTLTI.js";import{b as h}from"../chunks/chunk-EKLRJPSP.js";import{html as s}from"../chunks/shared.js";import{BANDS as c}from"../chunks/shared.js";import{t}from"../chunks/shared.js";import{visible as w}from"../chunks/shared.js";import{showDialog as x}from"../chunks/shared.js";function Q(o,b){let k=o.summary.value?.identities??[],$=o.channels.value??[],a=b.callsign??k[0]?.callsign??"",n=b.channel??$[0]?.id??c[0],g=e=>o.known.get(e)??"",N=e=>{e.preventDefault();let u=new FormData(e.target),l=p=>String(u.get(p)??"").trim();o.known.set(f(a),l("key")),m()||o.known.set(d(n),l("token")),h(n,{token:m()?"":l("token"),identity_key:l("key"),callsign:a}),i.close()},m=()=>c.includes(n),y=(e,u,l,p,S)=>v(e,s`<label class="field"><span>${l}</span>
      <input name=${u} type="password" required .value=${p} maxlength="128" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
    <p class="hint">${p===""?S:t("account.open.known")}</p>`),i=x({title:t("account.open.title"),body:""}),r=()=>i.update(s`<form class="stack" @submit=${N} autocomplete="off">
      <label class="field"><span>${t("account.open.as")}</span>
        <select @change=${e=>{a=D(e),r()}}>
          ${k.map(e=>s`<option value=${e.callsign} ?selected=${e.callsign===a}>${e.callsign}</option>`)}
        </select></label>
      ${y(a,"key",t("account.identity.key"),g(f(a)),t("account.open.key.about"))}
      <label class="field"><span>${t("account.open.channel")}</span>
        <select @change=${e=>{n=D(e),r()}}>
          ${[...$.map(e=>e.id),...c].map(e=>s`<option value=${e} ?selected=${e===n}>
            ${c.includes(e)?t("account.open.band",{name:e}):w(e)}</option>`)}
        </select></label>
      ${m()?s`<p class="hint">${t("account.open.band.about")}</p>`:y(n,"token",t("account.channel.token"),g(d(n)),t("account.open.token.about"))}
      <div class="dialog-actions">
        <button type="button" class="button" @click=${()=>i.close()}>${t("common.cancel")}</button>
        <button type="submit" class="button primary">${t("account.open.do")}</button>
      </div>
  </form>`);r(),i.element.querySelector("select")?.focus()}var D=o=>o.target.value;export{Q as openAs};
