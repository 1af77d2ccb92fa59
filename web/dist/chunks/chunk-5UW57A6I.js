import{html as o,render as h}from"../chunks/shared.js";import{request as c}from"../chunks/shared.js";var i=4;async function d(r,s="QR"){let{size:e,rows:a}=await c("POST","/api/qr",{body:{text:r}}),t=e+2*i,l=document.createElement("div");return h(o`<svg class="qr" viewBox="0 0 ${t} ${t}" role="img" aria-label=${s} shape-rendering="crispEdges">
      <path class="qr-light" d="M0 0h${t}v${t}H0z"></path>
      <path class="qr-dark" d=${a.map(m).join("")}></path>
    </svg>`,l),l.firstElementChild}function m(r,s){return[...r.matchAll(/1+/g)].map(e=>`M${e.index+i} ${s+i}h${e[0].length}v1h-${e[0].length}z`).join("")}var n=new Map;function v(r,s,e){return n.has(r)||(n.set(r,null),d(r,s).then(a=>n.set(r,a).size&&e(),()=>{})),o`<div class="qr-box">${n.get(r)??""}</div>`}export{d as a,v as b};
