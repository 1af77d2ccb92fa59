import{a as u}from"./chunk-VQB3XURC.js";import{html as n,nothing as h,render as d}from"../chunks/chat.js";import{live as p}from"../chunks/chat.js";import{t as r,tn as $}from"../chunks/chat.js";import{visible as c}from"../chunks/chat.js";import{formatClock as g,formatDay as x,sameDay as b}from"../chunks/chat.js";import{icon_chat_icon_js as m}from"../chunks/chat.js";var v=class{constructor(e,s){this.model=e,this.context=s,this.filter={},this.element=document.createElement("div"),this.element.className="panel-content search",this.timer=void 0}open(e){e&&(this.filter=e),this.draw(),queueMicrotask(()=>this.element.querySelector("input")?.focus())}#t(e){this.filter={...this.filter,...e},clearTimeout(this.timer),this.timer=setTimeout(()=>this.draw(),120)}draw(){let{filter:e,model:s}=this,a=new Set(s.entries.flatMap(t=>t.type==="message"?[t.message.from]:[])),l=new Set(s.entries.flatMap(t=>t.type==="message"&&t.message.thread?[t.message.thread]:[])),o=!!(e.text?.trim()||e.from||e.thread||e.unread||e.files),i=o?u(s.entries,{...e,text:e.text?.trim()??""}):[];d(n`
      <form role="search" @submit=${t=>t.preventDefault()}>
        <label class="visually-hidden" for="search-text">${r("chat.search")}</label>
        <input id="search-text" type="search" autocomplete="off" enterkeyhint="search" placeholder=${r("chat.search.placeholder")} .value=${p(e.text??"")}
          @input=${t=>this.#t({text:t.target.value})}>
        <div class="filters">
          ${this.#e("from",r("chat.search.from"),r("chat.search.from_any"),[...a].sort())}
          ${l.size?this.#e("thread",r("chat.search.thread"),r("chat.search.thread_any"),[...l].sort()):h}
          ${this.#s("unread",r("chat.search.unread"))}
          ${this.#s("files",r("chat.search.files"))}
        </div>
      </form>
      <p class="muted found" role="status">${o?i.length?$("chat.search.found",i.length):r("chat.search.nothing"):r("chat.search.scope")}</p>
      <ol class="results">${i.map(t=>n`<li><button type="button" @click=${()=>{t.id!==null&&this.context.reveal(t.id)}}>
        <span class="result-head"><b><bdi>${t.mine?r("chat.you"):c(t.message.display??t.message.from)}</bdi></b>
          <time datetime=${new Date(t.message.at).toISOString()}>${b(t.message.at,Date.now())?"":`${x(t.message.at)}, `}${g(t.message.at)}</time></span>
        <span class="result-text">${t.message.attachments?.length?m("attach"):h} ${k(t.message.text,e.text??"")}</span></button></li>`)}</ol>`,this.element)}#e(e,s,a,l){let o=this.filter[e]??"";return n`<label class="select"><span class="visually-hidden">${s}</span><span class="select-text" aria-hidden="true">${o?c(o):a}</span>
      <select .value=${p(o)} @change=${i=>this.#t({[e]:i.target.value||void 0})}>
        <option value="">${a}</option>${l.map(i=>n`<option value=${i} ?selected=${i===o}>${c(i)}</option>`)}</select>${m("down")}</label>`}#s(e,s){let a=!!this.filter[e];return n`<button type="button" class="toggle" aria-pressed=${a} @click=${()=>{this.#t({[e]:!a})}}>${a?m("check"):h}${s}</button>`}};function k(f,e){let s=e.trim().split(/\s+/u).filter(Boolean).map(t=>t.replace(/[\\^$.*+?()[\]{}|]/gu,"\\$&")),a=f.replace(/\s+/gu," ");if(!s.length)return c(a.slice(0,160));let l=new RegExp(`(${s.join("|")})`,"giu"),o=Math.max(0,a.search(l)-40);return`${o?"…":""}${a.slice(o,o+180)}`.split(l).map((t,w)=>w%2?n`<mark>${c(t)}</mark>`:c(t))}export{v as SearchPanel};
