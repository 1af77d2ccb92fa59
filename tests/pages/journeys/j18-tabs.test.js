// J18: seven tabs of one browser. Over HTTP/1.1 a browser has six connections to a host; over HTTP/2 one is enough.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { live, shows, state, texts, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { withContext } from "../lib/page.js";
import { until } from "../lib/until.js";

const STREAMS = "Messages arrive as they are sent";
const title = page => page.locator(".state").getAttribute("title");

/** Opens seven tabs of one channel, each as another member. */
async function seven(context, channel, origin) {
  const pages = [];
  for (let at = 0; at < 7; at += 1) {
    const page = await context.newPage();
    pages.push(page);
    await page.goto(channel.url(`zoe${at}`).replace(channel.hub.origin, origin));
    await live(page);
  }
  return pages;
}

/** Everybody gets what anybody sends. */
async function allTalk(pages, agent) {
  await agent.send("to all tabs");
  for (const page of pages) await shows(page, "to all tabs");
  for (const [at, page] of pages.entries()) await write(page, `from ${at}`);
  for (const page of pages) {
    for (const at of pages.keys()) await shows(page, `from ${at}`);
    assert.equal((await texts(page)).length, 8, "nothing twice");
  }
}

for (const [where, most, flags, address] of [
  ["on this computer", 3, [], "127.0.0.1"],
  // Without locks the tabs count each other, and one that is busy may not be counted.
  ["in a network without encryption", 5, ["--host", "0.0.0.0", "--token", "token-of-the-hub"],
    Object.values(networkInterfaces()).flat().find(one => one?.family === "IPv4" && !one.internal)?.address],
]) {
  test(`j18 seven tabs over HTTP/1.1 ${where}: some stream, some poll, nobody waits`, { skip: !address }, () => withHub({ flags }, async hub => {
    const channel = await hub.channel({}, flags.length ? { authorization: "Bearer token-of-the-hub" } : {});
    const agent = await channel.join("agent");
    const origin = `http://${address}:${hub.port}`;
    await withContext(hub, { axe: false, origin, mayLog: /Cross-Origin-Opener-Policy/ }, async context => {
      const pages = await seven(context, channel, origin);
      const streaming = [];
      for (const page of pages) streaming.push(await title(page) === STREAMS);
      const count = streaming.filter(Boolean).length;
      assert.ok(count >= 3 && count <= most, `they stream: ${streaming}`);
      await allTalk(pages, agent);
      // Who leaves makes room.
      for (const page of pages.slice(0, 3)) await page.close();
      await until("others stream", async () => {
        const titles = await Promise.all(pages.slice(3).map(title));
        return titles.filter(text => text === STREAMS).length >= 3;
      }, 60_000);
      await agent.send("and now");
      for (const page of pages.slice(3)) await shows(page, "and now");
    });
  }));
}

test("j18 seven tabs of one member: one reads, the others say where", () => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withContext(hub, { axe: false }, async context => {
    const pages = [];
    for (let at = 0; at < 7; at += 1) {
      const page = await context.newPage();
      await page.goto(channel.url("zoe"));
      await page.locator(".state-good, .gate-card").first().waitFor();
      const me = page.getByRole("button", { name: "Yes, that is me" });
      if (await me.isVisible()) await me.click();
      await live(page);
      pages.push(page);
    }
    for (const page of pages.slice(0, 6)) await page.locator(".state").filter({ hasText: "Open elsewhere" }).waitFor();
    await agent.send("to the last");
    await shows(pages[6], "to the last");
    await pages[2].getByRole("button", { name: "Use here" }).click();
    await live(pages[2]);
    await shows(pages[2], "to the last");
    await pages[6].locator(".state").filter({ hasText: "Open elsewhere" }).waitFor();
  });
}));

test("j18 seven tabs over HTTPS and HTTP/2: all stream", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rogerrat-tls-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], { stdio: "ignore" });
  // For the requests of this process: this test has made the certificate itself.
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  try {
    await withHub({ flags: ["--tls-cert", cert, "--tls-key", key], scheme: "https" }, async hub => {
      const channel = await hub.channel();
      const agent = await channel.join("agent");
      await withContext(hub, { axe: false, ignoreHTTPSErrors: true }, async context => {
        const pages = await seven(context, channel, hub.origin);
        for (const page of pages) await state(page, STREAMS);
        assert.equal(await pages[0].evaluate(() => isSecureContext), true);
        const protocols = await pages[0].evaluate(() => performance.getEntriesByType("resource").map(entry => entry.nextHopProtocol).filter(Boolean));
        assert.deepEqual([...new Set(protocols)], ["h2"]);
        await allTalk(pages, agent);
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
