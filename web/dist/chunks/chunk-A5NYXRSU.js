import{a as l}from"./chunk-OQ32KB4W.js";import{html as n}from"../chunks/shared.js";import{copyButton as m}from"../chunks/shared.js";import{t as u}from"../chunks/shared.js";import{icon as $}from"../chunks/shared.js";var d="••••••••";function T(t,{label:e}){return l(t,n`<div class="secret">
    <span class="secret-label">${e}</span>
    <code class="secret-text" .textContent=${d}></code>
    ${v(u("secret.reveal",{name:e}),".secret",".secret-text",t,d)}
    ${m(t,{name:e})}
  </div>`)}function _(t,{label:e,secrets:c,primary:a=!1,copy:i}){let o=c.reduce((r,s)=>s?r.replaceAll(s,d):r,t),p=o===t?"":v(u("secret.reveal_in",{name:e}),".snippet","pre",t,o);return l(t,n`<div class="snippet">
    <pre tabindex="0" role="region" aria-label=${e} .textContent=${o}></pre>
    <div class="snippet-actions">${p}${m(t,{name:e,label:i,primary:a})}</div>
  </div>`)}function v(t,e,c,a,i){return n`<button type="button" class="button small round" aria-pressed="false" aria-label=${t} title=${t} @click=${p=>{let r=p.currentTarget,s=r.closest(e)?.querySelector(c),f=r.getAttribute("aria-pressed")!=="true";r.setAttribute("aria-pressed",String(f)),s.textContent=f?a:i}}>${$("eye")}</button>`}export{T as a,_ as b};
