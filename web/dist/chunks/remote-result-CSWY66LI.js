import{a as s,b as c,c as i}from"./chunk-5O4PJJUV.js";import{html as l,nothing as p}from"../landing/main.js";import{copyButton as d}from"../landing/main.js";import{formatDuration as m,t as n}from"../landing/main.js";import{icon as a}from"../landing/main.js";function R(t,{draw:r,again:o}){let e=[t.channel_token,t.owner_password,t.agent.identity_key,t.phone.identity_key];return l`<section class="card result" aria-labelledby="result-title">
    <p class="badge ok">${a("check")} ${n("landing.remote.ready")}</p>
    <h2 id="result-title" tabindex="-1">${n("landing.remote.result")}</h2>
    <p class="muted">${n("landing.remote.key",{time:m(t.expires_in_seconds??t.session_ttl_seconds)})}</p>
    ${t.notice?l`<p class="notice warn">${a("warning")}<span>${t.notice}</span></p>`:p}
    <ol class="steps">
      <li>
        <h3>${n("landing.remote.scan")}</h3>
        <div class="beside">
          <div>
            <p class="muted">${n("landing.remote.scan.about")}</p>
            <div class="row">
              <a class="button" href=${t.mobile_url} target="_blank" rel="noopener">${a("external")} ${n("landing.remote.open")}</a>
              ${d(t.mobile_url,{label:n("landing.remote.copy_link")})}
            </div>
          </div>
          <figure class="code">${s(t.mobile_url,n("landing.remote.qr"),r)}<figcaption class="fine">${n("landing.remote.qr")}</figcaption></figure>
        </div>
      </li>
      <li>
        <h3>${n("landing.remote.agent")}</h3>
        <p class="muted">${n("landing.remote.agent.about")}</p>
        ${i(u(t),{label:n("landing.remote.agent_text"),secrets:e,primary:!0,copy:n("landing.remote.copy_agent")})}
      </li>
      <li>
        <h3>${n("landing.remote.share")}</h3>
        <p class="muted">${n("landing.remote.share.about")}</p>
        ${i(t.mobile_url_protected,{label:n("landing.remote.protected"),secrets:e})}
        ${c(t.owner_password,{label:n("landing.remote.pin")})}
        <button type="button" class="button quiet" @click=${o}>${a("plus")} ${n("landing.remote.again")}</button>
      </li>
    </ol>
  </section>`}function u(t){let o=[["landing.remote.agent.setup",t.setup_command],["landing.remote.agent.wait",t.waiter_command_template],["landing.remote.agent.reply",t.reply_command_template]].filter(([,e])=>e).map(([e,g])=>`${n(e)}

${g}`);return[n("landing.remote.agent.intro",{channel:t.channel_id,phone:t.phone.callsign}),...o].join(`

`)}export{R as remoteResult};
