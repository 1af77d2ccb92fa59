import{a as p,b as u}from"../chunks/chunk-A5NYXRSU.js";import{b as h}from"../chunks/chunk-5UW57A6I.js";import"../chunks/chunk-OQ32KB4W.js";import{html as m,nothing as f}from"../chunks/shared.js";import{makeFragment as v}from"../chunks/shared.js";import{t as e}from"../chunks/shared.js";import{icon as c}from"../chunks/shared.js";import{saveText as w}from"../chunks/shared.js";import{html as x}from"../chunks/shared.js";import{t as $}from"../chunks/shared.js";import{lasting as _}from"../chunks/shared.js";import{html as k}from"../chunks/shared.js";function y({id:t,label:i,items:n,selected:l,select:a}){let o=Math.max(0,n.findIndex(s=>s.id===l)),r=n[o];return k`<div class="tabs">
    <div class="tab-list" role="tablist" aria-label=${i} @keydown=${s=>{let d=n.length-1,b={ArrowRight:o===d?0:o+1,ArrowLeft:o===0?d:o-1,Home:0,End:d}[s.key];b!==void 0&&(s.preventDefault(),a(n[b].id),document.getElementById(`${t}-tab-${n[b].id}`)?.focus())}}>
      ${n.map((s,d)=>k`<button type="button" role="tab" id="${t}-tab-${s.id}" aria-selected=${d===o?"true":"false"}
          aria-controls="${t}-panel" tabindex=${d===o?0:-1} @click=${()=>a(s.id)}>${s.label}</button>`)}
    </div>
    <div class="tab-panel" role="tabpanel" id="${t}-panel" aria-labelledby="${t}-tab-${r.id}" tabindex="0">${r.panel()}</div>
  </div>`}var j="rogerrat.client",T=[["agent_prompt","landing.client.agent_prompt"],["claude_code","Claude Code"],["codex_toml","Codex"],["cursor_json","Cursor"],["claude_desktop_json","Claude Desktop"],["vscode_json","VS Code"],["vscode_cline_json","Cline"],["gemini_json","Gemini CLI"],["opencode_json","OpenCode"],["anthropic_sdk","Anthropic SDK"],["curl_test","curl"],["rest_bash_loop","bash"]];function C(t,i,n){let l=T.filter(([o])=>t[o]).map(([o,r])=>{let g=r.startsWith("landing.")?$(r):r;return{id:o,label:g,panel:()=>x`<p class="muted">${$(`landing.client.${o}.where`)}</p>${u(S(t[o]),{label:g,secrets:i})}`}}),a=o=>{_.set(j,o),n()};return y({id:"client",label:$("landing.clients"),items:l,selected:_.get(j)??"agent_prompt",select:a})}function S(t){if(typeof t!="string")return JSON.stringify(t,null,2);try{return JSON.stringify(JSON.parse(t),null,2)}catch{return t}}function pt(t,{origin:i,is_local:n,draw:l,again:a}){let o=[t.join_token,t.owner_password,t.webhook?.secret],r=`/remote/${encodeURIComponent(t.channel_id)}${v({token:t.join_token})}`;return m`<section class="card result" aria-labelledby="result-title">
    <p class="badge ok">${c("check")} ${e("landing.result.created")}</p>
    <h2 id="result-title" tabindex="-1">${t.channel_id}</h2>
    <p class="muted">${e("landing.result.once")}</p>
    <ol class="steps">
      <li>
        <h3>${e("landing.result.invite")}</h3>
        <p class="muted">${e("landing.result.invite.about")}</p>
        ${u(t.peer_invite,{label:e("landing.result.invitation"),secrets:o,primary:!0,copy:e("landing.result.copy_invitation")})}
      </li>
      <li>
        <h3>${e("landing.result.join")}</h3>
        <div class="beside">
          <div>
            <p class="muted">${e("landing.result.join.about")}</p>
            <a class="button" href=${r} target="_blank" rel="noopener">${c("external")} ${e("landing.result.open")}</a>
          </div>
          ${n?m`<p class="notice">${c("info")}<span>${e("landing.local",{origin:i})}</span></p>`:m`<figure class="code">${h(`${i}${r}`,e("landing.result.qr"),l)}<figcaption class="fine">${e("landing.result.qr")}</figcaption></figure>`}
        </div>
      </li>
      <li>
        <h3>${e("landing.clients")}</h3>
        ${C(t.connect,o,l)}
      </li>
      <li>
        <h3>${e("landing.result.keep")}</h3>
        ${p(t.join_token,{label:e("landing.token")})}
        ${t.owner_password?p(t.owner_password,{label:e("landing.owner_password")}):f}
        ${t.webhook?.secret?p(t.webhook.secret,{label:e("landing.webhook_secret")}):f}
        <div class="row">
          <button type="button" class="button" @click=${()=>w(`channel-${t.channel_id}.txt`,I(t))}>${c("download")} ${e("landing.result.save")}</button>
          <button type="button" class="button quiet" @click=${a}>${c("plus")} ${e("landing.result.again")}</button>
        </div>
      </li>
    </ol>
  </section>`}function I(t){return[`rogerrat channel ${t.channel_id} at ${new URL(t.mcp_url).origin}`,`${e("landing.token")}: ${t.join_token}`,t.owner_password?`${e("landing.owner_password")}: ${t.owner_password}`:"",t.webhook?.secret?`${e("landing.webhook_secret")}: ${t.webhook.secret}`:"","",`${e("landing.result.invitation")}:`,t.peer_invite,""].filter((i,n,l)=>i||l[n-1]).join(`
`)}export{pt as channelResult};
