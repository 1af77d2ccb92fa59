import{html as r,nothing as a}from"../account/main.js";import{ApiError as c,request as n}from"../account/main.js";import{fault as l}from"../account/main.js";import{t}from"../account/main.js";import{load as u}from"../account/main.js";import{visible as p}from"../account/main.js";import{Tasks as d}from"../account/main.js";var m=class{#i;#t;#o;#s;#e=null;constructor(i,e,o,s){this.#i=i,this.#t=new d(e),this.#o=o,this.#s=s}#r=async()=>{let i={code:this.#i.secret};await this.#t.run("link",async()=>{let{email:o}=await n("POST","/api/account/email/verify",{body:i});this.#e=o})!==null&&document.querySelector("#app .primary")?.focus()};#n=async()=>{let{keep:i}=await u(import("../chunks/account-later.js")),e={token:this.#i.secret},o=await this.#t.run("link",()=>n("POST","/api/account/recover/email/confirm",{body:e}));if(o===null)return;let{account_id:s,session_token:f,recovery_token:h}=o.value;this.#s(f),await i({title:t("account.link.recovered"),about:t("account.link.recovered.about"),file:`rogerrat-${s}.txt`,items:[{label:t("account.recovery.token"),value:h,note:t("account.made.recovery")},{label:t("account.id"),value:s}]})};#a(i){return i instanceof c&&(i.status===401||i.status===404)?r`<p class="error" role="alert">${t("account.link.spent")}</p>`:l(i)}view(){let{kind:i}=this.#i;if(this.#e!==null)return r`<h1>${t("account.title")}</h1>
        <section class="card" aria-labelledby="link-title">
          <h2 id="link-title">${t("account.link.verified")}</h2>
          <p role="status">${t("account.link.verified.about",{address:p(this.#e)})}</p>
          <div class="row"><button type="button" class="button primary" @click=${this.#o}>${t("account.link.on")}</button></div>
        </section>`;let e=this.#t.isBusy("link"),o=this.#t.error("link");return r`<h1>${t("account.title")}</h1>
      <section class="card" aria-labelledby="link-title">
        <h2 id="link-title">${t(`account.link.${i}`)}</h2>
        <div class="stack"><p>${t(`account.link.${i}.about`)}</p>
        ${o===null?a:this.#a(o)}
        <div class="row">
          <button type="button" class="button primary" aria-disabled=${e?"true":"false"}
            @click=${()=>{e||(i==="verify"?this.#r:this.#n)()}}>${t(`account.link.${i}.do`)}</button>
          <button type="button" class="button" @click=${this.#o}>${t("account.link.on")}</button>
        </div></div>
      </section>`}};export{m as MailLink};
