import{html as n,nothing as a}from"../account/main.js";import{ApiError as c,request as r}from"../account/main.js";import{fault as l}from"../account/main.js";import{t}from"../account/main.js";import{visible as u}from"../account/main.js";import{Tasks as p}from"../account/main.js";var d=class{#i;#t;#e;#s;#o=null;constructor(i,o,e,s){this.#i=i,this.#t=new p(o),this.#e=e,this.#s=s}#n=async()=>{let i={code:this.#i.secret};await this.#t.run("link",async()=>{let{email:e}=await r("POST","/api/account/email/verify",{body:i});this.#o=e})!==null&&document.querySelector("#app .primary")?.focus()};#r=async()=>{let{keep:i}=await import("../chunks/account-later.js"),o={token:this.#i.secret},e=await this.#t.run("link",()=>r("POST","/api/account/recover/email/confirm",{body:o}));if(e===null)return;let{account_id:s,session_token:h,recovery_token:f}=e.value;this.#s(h),await i({title:t("account.link.recovered"),about:t("account.link.recovered.about"),file:`rogerrat-${s}.txt`,items:[{label:t("account.recovery.token"),value:f,note:t("account.made.recovery")},{label:t("account.id"),value:s}]})};#a(i){return i instanceof c&&(i.status===401||i.status===404)?n`<p class="error" role="alert">${t("account.link.spent")}</p>`:l(i)}view(){let{kind:i}=this.#i;if(this.#o!==null)return n`<h1>${t("account.title")}</h1>
        <section class="card" aria-labelledby="link-title">
          <h2 id="link-title">${t("account.link.verified")}</h2>
          <p role="status">${t("account.link.verified.about",{address:u(this.#o)})}</p>
          <div class="row"><button type="button" class="button primary" @click=${this.#e}>${t("account.link.on")}</button></div>
        </section>`;let o=this.#t.isBusy("link"),e=this.#t.error("link");return n`<h1>${t("account.title")}</h1>
      <section class="card" aria-labelledby="link-title">
        <h2 id="link-title">${t(`account.link.${i}`)}</h2>
        <div class="stack"><p>${t(`account.link.${i}.about`)}</p>
        ${e===null?a:this.#a(e)}
        <div class="row">
          <button type="button" class="button primary" aria-disabled=${o?"true":"false"}
            @click=${()=>{o||(i==="verify"?this.#n:this.#r)()}}>${t(`account.link.${i}.do`)}</button>
          <button type="button" class="button" @click=${this.#e}>${t("account.link.on")}</button>
        </div></div>
      </section>`}};export{d as MailLink};
