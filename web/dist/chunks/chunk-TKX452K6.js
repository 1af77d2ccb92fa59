import{c as d}from"./chunk-EKLRJPSP.js";import{html as s,nothing as n}from"../chunks/shared.js";import{formatTime as i,t as c}from"../chunks/shared.js";import{showDialog as p}from"../chunks/shared.js";import{copyButton as m}from"../chunks/shared.js";import{icon as u}from"../chunks/shared.js";import{saveText as f}from"../chunks/shared.js";var v=e=>e.preventDefault();async function J({title:e,about:b,file:$,items:l,more:k=()=>n}){let t=!1;addEventListener("beforeunload",v);let h=()=>f($,d(e,location.origin,i(new Date),l)),x=o=>{t=o.target.checked,r()},a=p({title:e,body:"",className:"keep",canClose:()=>t}),r=()=>a.update(s`<div class="stack">
    <p>${b}</p>
    <dl class="secrets">${l.map(o=>s`<div>
      <dt>${o.label}</dt>
      <dd><code>${o.value}</code>${m(o.value,{name:o.label})}</dd>
      ${o.note===void 0?n:s`<dd class="muted">${o.note}</dd>`}
    </div>`)}</dl>
    <div class="row"><button type="button" class="button" @click=${h}>${u("download")}<span>${c("account.keep.save")}</span></button></div>
    <label class="check"><input type="checkbox" .checked=${t} @change=${x} /><span>${c("account.keep.kept")}</span></label>
    <div class="dialog-actions">
      ${t?k(()=>a.close()):n}
      <button type="button" class="button primary" ?disabled=${!t} @click=${()=>a.close()}>${c("account.keep.done")}</button>
    </div>
  </div>`);r(),await a.closed,removeEventListener("beforeunload",v)}export{J as a};
