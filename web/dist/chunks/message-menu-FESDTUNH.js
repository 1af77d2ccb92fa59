import{a as f,b as p}from"./chunk-BVG4MN7F.js";import{a as $}from"./chunk-B3FYAB6E.js";import{a as m}from"./chunk-VSRTOVW6.js";import"./chunk-KD6CQUTY.js";import{html as i,nothing as n,render as x}from"../chunks/chat.js";import{t}from"../chunks/chat.js";import{visible as c}from"../chunks/chat.js";import{formatFull as s}from"../chunks/chat.js";function E(o,l,d){let{message:e}=o,{abilities:h}=d.model,r=c(e.display??e.from);m(l,t("chat.more"),[...h.replies?[{icon:"reply",text:t("chat.reply"),act:()=>d.replyTo(o)}]:[],{icon:"copy",text:t("chat.copy_text"),act:()=>{p(e.text).then(a=>a&&f(t("copy.copied")))}},...h.direct&&!o.mine?[{icon:"lock",text:t("chat.roster.write_to",{name:r}),act:()=>d.writeTo(e.from)}]:[],{icon:"search",text:t("chat.roster.show_of",{name:r}),act:()=>d.search({from:e.from})},...e.thread?[{icon:"thread",text:t("chat.thread.show"),act:()=>d.search({thread:e.thread})}]:[],null,{icon:"help",text:t("chat.details"),act:()=>u(o)}])}function u({message:o,receipts:l,id:d,mine:e}){let h=$(t("chat.details")),r=(a,b)=>i`<div><dt>${t(a)}</dt><dd>${b}</dd></div>`;x(i`<dl class="facts">
    ${r("chat.details.from",i`<bdi>${c(o.display??o.from)}</bdi> ${o.verified?`(${t("chat.verified.long")})`:n}`)}
    ${r("chat.details.to",o.to==="all"?t("chat.to.all"):i`<bdi>${c(o.to)}</bdi>`)}
    ${r("chat.details.at",s(o.at))}
    ${o.thread?r("chat.details.thread",i`<bdi>${c(o.thread)}</bdi>`):n}
    ${r("chat.details.id",i`<code>${d}</code>`)}
  </dl>
  ${e&&l.length?i`<h3>${t("chat.details.receipts")}</h3><ul class="receipts">${l.map(a=>i`<li><bdi>${c(a.to)}</bdi>
    <span class="muted">${t(`chat.receipt.${a.state}`)}${a.acked_at??a.delivered_at?` · ${s(a.acked_at??a.delivered_at)}`:""}</span></li>`)}</ul>`:n}`,h.body)}export{E as openMessageMenu};
