function m(t){return t.normalize("NFD").replace(/\p{Mn}/gu,"").toLowerCase()}function h(t,{text:s="",from:a,thread:i,unread:u=!1,files:n=!1}){let e=m(s).split(/\s+/u).filter(Boolean),c=[];for(let l=t.length-1;l>=0&&c.length<200;l-=1){let r=t[l];if(r.type!=="message")continue;let{message:o}=r;if(!(a&&o.from!==a||i&&o.thread!==i)&&!(u&&r.seen||n&&!o.attachments?.length)){if(e.length){let g=(o.attachments??[]).map(p=>p.filename??""),$=m([o.text,o.from,o.display??"",o.thread??"",...g].join(`
`));if(!e.every(p=>$.includes(p)))continue}c.push(r)}}return c}function S(t,s,a){let i=t.filter(n=>n.type==="message"?n.id!==null:n.type==="gap");if(a==="json"){let n=i.map(e=>e.type==="message"?e.message:e.type==="gap"?{gap:{from:e.from,to:e.to,reason:e.reason}}:null);return`${JSON.stringify({channel:s,messages:n},null,2)}
`}return`${i.map(n=>n.type==="message"?d(n):"--- messages are missing here").join(`
`)}
`}function d({message:t}){let s=new Date(t.at).toISOString(),a=t.to==="all"?"":` to ${t.to}`,i=(t.attachments??[]).map(n=>`
    [file ${f(n.filename??"")} ${n.mime}, ${n.bytes} bytes]`),u=t.text.split(/\r\n|[\r\n\u2028\u2029\u0085]/u).map(f).join(`
    `);return`${s} ${f(t.display??t.from)}${a}: ${u}${i.join("")}`}function f(t){return t.replace(/(?!\t)\p{Cc}|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu,s=>`\\u{${s.codePointAt(0)?.toString(16)}}`)}export{h as a,S as b};
