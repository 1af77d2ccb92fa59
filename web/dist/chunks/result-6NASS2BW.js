import{a as k,b as u,c as p}from"./chunk-5O4PJJUV.js";import{html as m,nothing as b}from"../landing/main.js";var L={t:"token",k:"identity_key",cs:"callsign",p:"owner_password",n:"name"};function w(t){let r=Object.entries(L).flatMap(([e,s])=>{let a=t[s];return a?[`${e}=${encodeURIComponent(a)}`]:[]});return r.length?`#${r.join("&")}`:""}import{t as n}from"../landing/main.js";import{icon as d}from"../landing/main.js";function x(t,r,e="text/plain;charset=utf-8"){A(t,new Blob([r],{type:e}))}function A(t,r){let e=document.createElement("a");e.href=URL.createObjectURL(r),e.download=t,e.hidden=!0,document.body.append(e),e.click(),e.remove(),setTimeout(()=>URL.revokeObjectURL(e.href),6e4)}import{html as v}from"../landing/main.js";import{t as f}from"../landing/main.js";import{lasting as h}from"../landing/main.js";import{html as _}from"../landing/main.js";function y({id:t,label:r,items:e,selected:s,select:a}){let o=Math.max(0,e.findIndex(l=>l.id===s)),i=e[o];return _`<div class="tabs">
    <div class="tab-list" role="tablist" aria-label=${r} @keydown=${l=>{let c=e.length-1,$={ArrowRight:o===c?0:o+1,ArrowLeft:o===0?c:o-1,Home:0,End:c}[l.key];$!==void 0&&(l.preventDefault(),a(e[$].id),document.getElementById(`${t}-tab-${e[$].id}`)?.focus())}}>
      ${e.map((l,c)=>_`<button type="button" role="tab" id="${t}-tab-${l.id}" aria-selected=${c===o?"true":"false"}
          aria-controls="${t}-panel" tabindex=${c===o?0:-1} @click=${()=>a(l.id)}>${l.label}</button>`)}
    </div>
    <div class="tab-panel" role="tabpanel" id="${t}-panel" aria-labelledby="${t}-tab-${i.id}" tabindex="0">${i.panel()}</div>
  </div>`}var j="rogerrat.client",E=[["agent_prompt","landing.client.agent_prompt"],["claude_code","Claude Code"],["codex_toml","Codex"],["cursor_json","Cursor"],["claude_desktop_json","Claude Desktop"],["vscode_json","VS Code"],["vscode_cline_json","Cline"],["gemini_json","Gemini CLI"],["opencode_json","OpenCode"],["anthropic_sdk","Anthropic SDK"],["curl_test","curl"],["rest_bash_loop","bash"]];function C(t,r,e){let s=E.filter(([o])=>t[o]).map(([o,i])=>{let g=i.startsWith("landing.")?f(i):i;return{id:o,label:g,panel:()=>v`<p class="muted">${f(`landing.client.${o}.where`)}</p>${p(O(t[o]),{label:g,secrets:r})}`}}),a=o=>{h.set(j,o),e()};return y({id:"client",label:f("landing.clients"),items:s,selected:h.get(j)??"agent_prompt",select:a})}function O(t){if(typeof t!="string")return JSON.stringify(t,null,2);try{return JSON.stringify(JSON.parse(t),null,2)}catch{return t}}function ut(t,{origin:r,is_local:e,draw:s,again:a}){let o=[t.join_token,t.owner_password,t.webhook?.secret],i=`/remote/${encodeURIComponent(t.channel_id)}${w({token:t.join_token})}`;return m`<section class="card result" aria-labelledby="result-title">
    <p class="badge ok">${d("check")} ${n("landing.result.created")}</p>
    <h2 id="result-title" tabindex="-1">${t.channel_id}</h2>
    <p class="muted">${n("landing.result.once")}</p>
    <ol class="steps">
      <li>
        <h3>${n("landing.result.invite")}</h3>
        <p class="muted">${n("landing.result.invite.about")}</p>
        ${p(t.peer_invite,{label:n("landing.result.invitation"),secrets:o,primary:!0,copy:n("landing.result.copy_invitation")})}
      </li>
      <li>
        <h3>${n("landing.result.join")}</h3>
        <div class="beside">
          <div>
            <p class="muted">${n("landing.result.join.about")}</p>
            <a class="button" href=${i} target="_blank" rel="noopener">${d("external")} ${n("landing.result.open")}</a>
          </div>
          ${e?m`<p class="notice">${d("info")}<span>${n("landing.local",{origin:r})}</span></p>`:m`<figure class="code">${k(`${r}${i}`,n("landing.result.qr"),s)}<figcaption class="fine">${n("landing.result.qr")}</figcaption></figure>`}
        </div>
      </li>
      <li>
        <h3>${n("landing.clients")}</h3>
        ${C(t.connect,o,s)}
      </li>
      <li>
        <h3>${n("landing.result.keep")}</h3>
        ${u(t.join_token,{label:n("landing.token")})}
        ${t.owner_password?u(t.owner_password,{label:n("landing.owner_password")}):b}
        ${t.webhook?.secret?u(t.webhook.secret,{label:n("landing.webhook_secret")}):b}
        <div class="row">
          <button type="button" class="button" @click=${()=>x(`channel-${t.channel_id}.txt`,R(t))}>${d("download")} ${n("landing.result.save")}</button>
          <button type="button" class="button quiet" @click=${a}>${d("plus")} ${n("landing.result.again")}</button>
        </div>
      </li>
    </ol>
  </section>`}function R(t){return[`rogerrat channel ${t.channel_id} at ${new URL(t.mcp_url).origin}`,`${n("landing.token")}: ${t.join_token}`,t.owner_password?`${n("landing.owner_password")}: ${t.owner_password}`:"",t.webhook?.secret?`${n("landing.webhook_secret")}: ${t.webhook.secret}`:"","",`${n("landing.result.invitation")}:`,t.peer_invite,""].filter((r,e,s)=>r||s[e-1]).join(`
`)}export{ut as channelResult};
