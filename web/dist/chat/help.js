import{html as t,render as c}from"../chunks/shared.js";import{t as e}from"../chunks/shared.js";import{icon as o}from"../chunks/chat.js";import{openSheet as p}from"../chunks/chat.js";function E(){let r=p(e("chat.help")),h=[[["Enter"],"send"],[["Shift","Enter"],"line"],[["Alt","↑"],"up"],[["Alt","↓"],"down"],[["/"],"search"],[["Esc"],"escape"],[["?"],"help"]],i=[["clock","waiting"],["check","accepted"],["checks","delivered"],["checks","read"],["verified","verified"],["lock","direct"]];c(t`<h3>${e("chat.help.keys")}</h3>
    <dl class="keys">${h.map(([s,d])=>t`<div><dt>${s.map((n,a)=>t`${a?" + ":""}<kbd>${n}</kbd>`)}</dt><dd>${e(`chat.help.key.${d}`)}</dd></div>`)}</dl>
    <p class="muted">${e("chat.help.touch")}</p>
    <h3>${e("chat.help.signs")}</h3>
    <dl class="keys">${i.map(([s,d])=>t`<div><dt><span class=${`sign tick-${d}`}>${o(s)}</span></dt><dd>${e(`chat.help.sign.${d}`)}</dd></div>`)}</dl>`,r.body)}export{E as openHelp};
