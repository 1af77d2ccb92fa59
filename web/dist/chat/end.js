import{html as s,nothing as c,render as h}from"../chunks/shared.js";import{t as e}from"../chunks/shared.js";import{icon as d}from"../chunks/chat.js";import{HubError as b}from"../chunks/chat.js";import{problemText as u}from"../chunks/chat.js";import{openSheet as $}from"../chunks/chat.js";function K(n){let g=$(e("chat.end"),{className:"end-sheet"}),i=!1,l=!1,a="",{id:f}=n.channel,x=()=>location.assign("/remote"),m=async t=>{l=!0,a="",r();try{await t(),x()}catch(o){a=o instanceof b?u(o.problem):e("chat.problem.network"),l=!1,r()}},v=t=>{t.preventDefault();let o=new FormData(t.target);if(String(o.get("name")).trim()!==f){a=e("chat.end.delete.mismatch"),r();return}m(()=>n.deleteChannel(String(o.get("session")).trim()))},p=(t,o,y,w=!1)=>s`
    <button type="button" class=${w?"end-choice danger-text":"end-choice"} ?disabled=${l} @click=${y}>${d(o)}<span><b>${e(`chat.end.${t}`)}</b><small>${e(`chat.end.${t}.long`)}</small></span></button>`,r=()=>h(s`
    ${p("leave","exit",()=>{m(()=>n.leave())})}
    ${p("forget","lock",()=>{m(()=>n.forget())})}
    ${n.abilities.delete_channel&&!n.channel.is_band?p("delete","trash",()=>{i=!i,r()},!0):c}
    ${i?s`<form class="delete-form" @submit=${v}>
      <label class="field"><span>${e("chat.end.delete.session")}</span><input name="session" type="password" autocomplete="off" required spellcheck="false"></label>
      <label class="field"><span>${e("chat.end.delete.name",{name:f})}</span><input name="name" autocomplete="off" autocapitalize="off" required spellcheck="false"></label>
      <button class="button danger" ?disabled=${l}>${e("chat.end.delete.yes")}</button></form>`:c}
    ${a?s`<p class="bad" role="alert">${d("alert")} ${a}</p>`:c}`,g.body);r()}export{K as openEnd};
