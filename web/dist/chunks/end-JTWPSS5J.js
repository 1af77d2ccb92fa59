import{a as h}from"./chunk-B3FYAB6E.js";import"./chunk-KD6CQUTY.js";import{html as s,nothing as c,render as b}from"../chunks/chat.js";import{t as e}from"../chunks/chat.js";import{icon_chat_icon_js as p}from"../chunks/chat.js";import{HubError as u}from"../chunks/chat.js";import{problemText as $}from"../chunks/chat.js";function I(a){let g=h(e("chat.end"),{className:"end-sheet"}),i=!1,l=!1,n="",{id:f}=a.channel,x=()=>location.assign("/remote"),m=async t=>{l=!0,n="",r();try{await t(),x()}catch(o){n=o instanceof u?$(o.problem):e("chat.problem.network"),l=!1,r()}},v=t=>{t.preventDefault();let o=new FormData(t.target);if(String(o.get("name")).trim()!==f){n=e("chat.end.delete.mismatch"),r();return}m(()=>a.deleteChannel(String(o.get("session")).trim()))},d=(t,o,y,w=!1)=>s`
    <button type="button" class=${w?"end-choice danger-text":"end-choice"} ?disabled=${l} @click=${y}>${p(o)}<span><b>${e(`chat.end.${t}`)}</b><small>${e(`chat.end.${t}.long`)}</small></span></button>`,r=()=>b(s`
    ${d("leave","exit",()=>{m(()=>a.leave())})}
    ${d("forget","lock",()=>{m(()=>a.forget())})}
    ${a.abilities.delete_channel&&!a.channel.is_band?d("delete","trash",()=>{i=!i,r()},!0):c}
    ${i?s`<form class="delete-form" @submit=${v}>
      <label class="field"><span>${e("chat.end.delete.session")}</span><input name="session" type="password" autocomplete="off" required spellcheck="false"></label>
      <label class="field"><span>${e("chat.end.delete.name",{name:f})}</span><input name="name" autocomplete="off" autocapitalize="off" required spellcheck="false"></label>
      <button class="button danger" ?disabled=${l}>${e("chat.end.delete.yes")}</button></form>`:c}
    ${n?s`<p class="bad" role="alert">${p("alert")} ${n}</p>`:c}`,g.body);r()}export{I as openEnd};
