import{b as l,c as o,d as c}from"./chunk-NULVYSTY.js";import{html as a,nothing as s,render as i}from"../chunks/chat.js";import{t}from"../chunks/chat.js";import{hasOffer as e,takeOffer as f}from"../chunks/chat.js";import{icon_chat_icon_js as m}from"../chunks/chat.js";async function H(h){if(l()||!e()&&o()!==!1||!await c().catch(()=>!1))return;let n=!1,p=async()=>{n=(await f()?.prompt())?.outcome==="accepted",r()},r=()=>i(a`<h3>${t("chat.install")}</h3>
    <p class="muted">${t(o()===!1?"chat.install.ios":"chat.install.about")}</p>
    ${e()?a`<div class="buttons"><button type="button" class="button" @click=${p}>${m("download")}${t("chat.install.do")}</button></div>`:s}
    <p role="status" class="muted">${n?t("chat.install.done"):s}</p>`,h);r()}export{H as a};
