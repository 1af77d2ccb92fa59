import{html as c,nothing as d,render as $}from"../chunks/shared.js";import{ApiError as i,request as n}from"../chunks/shared.js";import{mountHeader as T}from"../chunks/shared.js";import{start as _,t}from"../chunks/shared.js";import{fault as h}from"../chunks/shared.js";import{Tasks as x}from"../chunks/shared.js";var O="rr_sess_",p=class{notice="";info={};#t;#e;#o=!1;constructor(o,a){this.#t=new x(o),this.#e=a}#a=async o=>{o.preventDefault();let a=E(o,"hub_token"),{keep:r}=await import("./keep.js"),k=await this.#t.run("create",async()=>{try{return await n("POST","/api/account",a===""?{}:{token:a})}catch(m){throw this.#o||=m instanceof i&&m.status===401,m}});if(k===null)return;let{account_id:y,recovery_token:I,session_token:w}=k.value;this.#e(w),await r({title:t("account.made"),about:t("account.made.about"),file:`rogerrat-${y}.txt`,items:[{label:t("account.recovery.token"),value:I,note:t("account.made.recovery")},{label:t("account.session.token"),value:w,note:t("account.made.session")},{label:t("account.id"),value:y}]})};#r=async o=>{o.preventDefault();let a=E(o,"recovery_token"),r=await this.#t.run("recover",async()=>a.startsWith(O)?(await n("GET","/api/account",{token:a}),a):(await n("POST","/api/account/recover",{body:{recovery_token:a}})).session_token);r!==null&&this.#e(r.value)};view(){let o=this.#o||this.info.token_needed_for?.includes("accounts")===!0,a=r=>this.#t.isBusy(r)?"true":"false";return c`
      <h1>${t("account.title")}</h1>
      <p class="lead">${t("account.lead")}</p>
      ${this.notice===""?d:c`<p class="notice" role="status">${t(`account.notice.${this.notice}`)}</p>`}
      <div class="gate">
        <section class="card" aria-labelledby="create-title">
          <h2 id="create-title">${t("account.gate.create")}</h2>
          <p class="muted">${t("account.gate.create.about")}</p>
          <form class="stack" @submit=${this.#a} autocomplete="off">
            ${o?c`<label class="field"><span>${t("account.gate.hub_token")}</span>
              <input name="hub_token" type="password" required maxlength="256" autocomplete="off" spellcheck="false" autocapitalize="off" /></label>
              <p class="hint">${t("account.gate.hub_token.about")}</p>`:d}
            ${h(this.#t.error("create"))}
            <div class="row"><button type="submit" class="button primary" aria-disabled=${a("create")}>
              ${this.#t.isBusy("create")?t("account.gate.creating"):t("account.gate.create.do")}</button></div>
          </form>
        </section>
        <section class="card" aria-labelledby="recover-title">
          <h2 id="recover-title">${t("account.gate.recover")}</h2>
          <p class="muted">${t("account.gate.recover.about")}</p>
          <form class="stack" @submit=${this.#r} autocomplete="off">
            <label class="field"><span>${t("account.recovery.token")}</span>
              <input name="recovery_token" type="password" required maxlength="128" autocomplete="current-password" spellcheck="false" autocapitalize="off" /></label>
            ${P(this.#t.error("recover"))}
            <div class="row"><button type="submit" class="button" aria-disabled=${a("recover")}>
              ${this.#t.isBusy("recover")?t("account.gate.recovering"):t("account.gate.recover.do")}</button></div>
          </form>
        </section>
      </div>`}},P=e=>e instanceof i&&e.status===401?c`<p class="error" role="alert">${t("account.gate.recover.wrong")}</p>`:h(e),E=(e,o)=>String(new FormData(e.target).get(o)??"").trim();import{ofTab as f}from"../chunks/shared.js";var v="rogerrat-account-session",b=()=>f.get(v)??"",q=e=>f.set(v,e),S=()=>f.remove(v);var u=null,g=!1;function l(){g||(g=!0,queueMicrotask(()=>{g=!1,B()}))}var s=new p(l,A);async function A(e){q(e),s.notice="";try{let{OpenAccount:o}=await import("./open.js");u=new o(e,l,D)}catch{s.notice="incomplete"}l()}function D(e){u?.stop(),u=null,S(),document.querySelectorAll("dialog").forEach(o=>o.close()),s.notice=e,l()}function B(){let e=document.getElementById("app");e!==null&&$(u===null?s.view():u.view(s.info.features??{}),e)}async function F(){try{s.info=await n("GET","/api/v1/info"),l()}catch(e){if(!(e instanceof i))throw e}}async function H(){await _("account"),document.title=`${t("account.title")} · rogerrat`,T(),b()===""?B():A(b()),F()}H();
