import{a as s,b as c,c as r}from"./chunk-5O4PJJUV.js";import{html as l,nothing as p}from"../landing/main.js";import{copyButton as d}from"../landing/main.js";import{formatDuration as m,t}from"../landing/main.js";import{icon as i}from"../landing/main.js";function S(n,{draw:a,again:o}){let e=[n.channel_token,n.owner_password,n.agent.identity_key,n.phone.identity_key];return l`<section class="card result" aria-labelledby="result-title">
    <p class="badge ok">${i("check")} ${t("landing.remote.ready")}</p>
    <h2 id="result-title" tabindex="-1">${t("landing.remote.result")}</h2>
    <p class="muted">${t("landing.remote.key",{time:m(n.expires_in_seconds??n.session_ttl_seconds)})}</p>
    ${n.notice?l`<p class="notice warn">${i("warning")}<span>${u(n.notice)}</span></p>`:p}
    <ol class="steps">
      <li>
        <h3>${t("landing.remote.scan")}</h3>
        <div class="beside">
          <div>
            <p class="muted">${t("landing.remote.scan.about")}</p>
            <div class="row">
              <a class="button small" href=${n.mobile_url} target="_blank" rel="noopener">${i("external")} ${t("landing.remote.open")}</a>
              ${d(n.mobile_url,{label:t("landing.remote.copy_link")})}
            </div>
          </div>
          <figure class="code">${s(n.mobile_url,t("landing.remote.qr"),a)}<figcaption class="fine">${t("landing.remote.qr")}</figcaption></figure>
        </div>
      </li>
      <li>
        <h3>${t("landing.remote.agent")}</h3>
        <p class="muted">${t("landing.remote.agent.about")}</p>
        ${r($(n),{label:t("landing.remote.agent_text"),secrets:e,primary:!0,copy:t("landing.remote.copy_agent")})}
      </li>
      <li>
        <h3>${t("landing.remote.share")}</h3>
        <p class="muted">${t("landing.remote.share.about")}</p>
        ${r(n.mobile_url_protected,{label:t("landing.remote.protected"),secrets:e})}
        ${c(n.owner_password,{label:t("landing.remote.pin")})}
        <button type="button" class="button quiet" @click=${o}>${i("plus")} ${t("landing.remote.again")}</button>
      </li>
    </ol>
  </section>`}var u=n=>String(n).split("`").map((a,o)=>o%2?l`<code>${a}</code>`:a);function $(n){let o=[["landing.remote.agent.setup",n.setup_command],["landing.remote.agent.wait",n.waiter_command_template],["landing.remote.agent.reply",n.reply_command_template]].filter(([,e])=>e).map(([e,g])=>`${t(e)}

${g}`);return[t("landing.remote.agent.intro",{channel:n.channel_id,phone:n.phone.callsign}),...o].join(`

`)}export{S as remoteResult};
