import{a as s}from"./chunk-B3FYAB6E.js";import"./chunk-KD6CQUTY.js";import{html as t,render as o}from"../chunks/chat.js";import{t as e}from"../chunks/chat.js";import{icon_chat_icon_js as h}from"../chunks/chat.js";function b(){let r=s(e("chat.help")),i=[[["Enter"],"send"],[["Shift","Enter"],"line"],[["Alt","↑"],"up"],[["Alt","↓"],"down"],[["/"],"search"],[["Esc"],"escape"],[["?"],"help"]],p=[["clock","waiting"],["check","accepted"],["checks","delivered"],["checks","read"],["verified","verified"],["lock","direct"]];o(t`<h3>${e("chat.help.keys")}</h3>
    <dl class="keys">${i.map(([d,c])=>t`<div><dt>${d.map((n,a)=>t`${a?" + ":""}<kbd>${n}</kbd>`)}</dt><dd>${e(`chat.help.key.${c}`)}</dd></div>`)}</dl>
    <p class="muted">${e("chat.help.touch")}</p>
    <h3>${e("chat.help.signs")}</h3>
    <dl class="keys">${p.map(([d,c])=>t`<div><dt><span class=${`sign tick-${c}`}>${h(d)}</span></dt><dd>${e(`chat.help.sign.${c}`)}</dd></div>`)}</dl>`,r.body)}export{b as openHelp};
