import{html as r,nothing as b,render as p}from"../chunks/chat.js";import{t as d}from"../chunks/chat.js";import{icon_lib_icon_js as g}from"../chunks/chat.js";var $=0;function h({title:a,body:i,sheet:l=!1,className:u="",canClose:n=()=>!0}){let t=document.createElement("dialog"),s=`dialog-${++$}`;t.className=`dialog ${l?"sheet":""} ${u}`.trim(),t.setAttribute("aria-labelledby",s);let o=(e="")=>{n()&&t.close(e)},c=e=>p(r`<div class="dialog-head">
          <h2 id=${s}>${a}</h2>
          ${n()?r`<button type="button" class="button quiet round" aria-label=${d("common.close")} @click=${()=>o()}>${g("close")}</button>`:b}
        </div>
        <div class="dialog-body">${e}</div>`,t),m=new Promise(e=>{t.addEventListener("close",()=>{if(!n())return t.showModal();t.remove(),e(t.returnValue)})});return t.addEventListener("cancel",e=>{n()||e.preventDefault()}),t.addEventListener("click",e=>{e.target===t&&v(t,e)&&o()}),c(i),document.body.append(t),t.showModal(),{element:t,close:o,closed:m,update:c}}function v(a,i){let l=a.getBoundingClientRect();return i.clientX<l.left||i.clientX>l.right||i.clientY<l.top||i.clientY>l.bottom}async function M({title:a,text:i,action:l,danger:u=!1,typed:n,cancel:t=d("common.cancel")}){let s="",o,c=()=>n===void 0||s.trim()===n,m=f=>{f.preventDefault(),c()&&o.close("yes")},e=()=>r`<form @submit=${m}>
    <div class="dialog-text">${i}</div>
    ${n===void 0?"":r`<label class="field"><span>${d("dialog.type_name",{name:n})}</span>
          <input autocomplete="off" autocapitalize="off" spellcheck="false" @input=${f=>{s=f.target.value,o.update(e())}} /></label>`}
    <div class="dialog-actions">
      <button type="button" class="button" @click=${()=>o.close()}>${t}</button>
      <button class="button ${u?"danger":"primary"}" ?disabled=${!c()}>${l}</button>
    </div>
  </form>`;return o=h({title:a,body:""}),o.update(e()),o.element.querySelector("form input, form .button")?.focus(),await o.closed==="yes"}export{h as a,M as b};
