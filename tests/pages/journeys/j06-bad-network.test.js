// J6: networks as they are: none for a while, slow, cut again and again, and proxies that hold streams back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { allSent, live, networkErrors, shows, state, texts, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";
import { withProxy } from "../lib/proxy.js";
import { until } from "../lib/until.js";

const polls = /by polling/, streams = "Messages arrive as they are sent";
const numbered = count => Array.from({ length: count }, (_, at) => `m${at}`);

test("j06 without a network the page says so, keeps what is written, and catches up", async () => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { mayLog: networkErrors }, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    await page.context().setOffline(true);
    // An open stream is not ended by that alone: the browser only refuses new requests.
    await write(page, "written without a network");
    await agent.send("sent meanwhile");
    await hub.kill();
    await page.locator(".state").filter({ hasText: "Offline" }).waitFor();
    await page.locator(".row .text").getByText("written without a network").waitFor();
    await picture(page, "chat-offline");
    await hub.start();
    await agent.send("after");
    await page.context().setOffline(false);
    const back = Date.now();
    await live(page);
    assert.ok(Date.now() - back < 10_000, `back after ${Date.now() - back} ms`);
    await shows(page, "after");
    await allSent(page);
    assert.equal((await agent.history()).history.filter(({ text }) => text === "written without a network").length, 1);
  });
}));

test("j06 on a slow network everything arrives once, in order", async () => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { mayLog: networkErrors }, async page => {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await page.goto(channel.url("zoe"));
    await live(page);
    await session.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 });
    await page.reload();
    await live(page);
    for (const text of numbered(20)) await agent.send(text);
    for (let count = 0; count < 3; count += 1) await write(page, `own ${count}`);
    await shows(page, "m19");
    await allSent(page);
    const shown = await texts(page);
    assert.deepEqual(shown.filter(text => text.startsWith("m")), numbered(20));
    assert.deepEqual(shown.filter(text => text.startsWith("own")), ["own 0", "own 1", "own 2"]);
  });
}));

test("j06 a stream that is cut every 2 s: the page polls; nothing is lost or doubled", async () => withHub({}, async hub => withProxy(hub, async proxy => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { origin: proxy.origin, mayLog: networkErrors }, async page => {
    proxy.cutAfter_ms = 2_000;
    await page.goto(channel.url("zoe").replace(hub.origin, proxy.origin));
    await live(page);
    const wanted = [];
    const begun = Date.now();
    // Messages all the while, over the cuts.
    await until("it polls", async () => {
      wanted.push(`m${wanted.length}`);
      await agent.send(wanted.at(-1));
      await shows(page, wanted.at(-1));
      return polls.test(await page.locator(".state").getAttribute("title") ?? "");
    }, 60_000);
    assert.ok(Date.now() - begun < 30_000);
    assert.deepEqual(await texts(page), wanted);
    proxy.cutAfter_ms = 0;
    await write(page, "from here");
    await allSent(page);
    await agent.receive("what was written", ({ text }) => text === "from here");
  });
})));

test("j06 a proxy that holds back streams by GET: they pass by POST", async () => withHub({}, async hub => withProxy(hub, async proxy => {
  proxy.holdsBack = request => request.method === "GET" && /\/stream/.test(request.url ?? "");
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { origin: proxy.origin }, async page => {
    await page.goto(channel.url("zoe").replace(hub.origin, proxy.origin));
    await state(page, streams);
    await agent.send("over a stream");
    await shows(page, "over a stream");
    assert.ok(!proxy.requests.some(request => /^GET \/api\/.*\/stream/.test(request)));
  });
})));

test("j06 a proxy that holds back every stream: the page polls, and loses nothing", async () => withHub({}, async hub => withProxy(hub, async proxy => {
  proxy.holdsBack = request => /\/stream/.test(request.url ?? "");
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { origin: proxy.origin, mayLog: networkErrors }, async page => {
    await page.goto(channel.url("zoe").replace(hub.origin, proxy.origin));
    await until("joined", async () => (await agent.call("GET", "/roster")).roster.includes("zoe"));
    // Held back by the proxy with the stream, and due again when the stream ends.
    const { id } = await agent.send("into the stream", { to: "zoe" });
    await state(page, polls);
    await shows(page, "into the stream");
    await until("read", async () => (await agent.receipts(id)).receipts[0].state === "acked");
    for (const text of numbered(10)) await agent.send(text);
    await shows(page, "m9");
    assert.deepEqual(await texts(page), ["into the stream", ...numbered(10)]);
  });
})));
