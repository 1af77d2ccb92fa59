// J5: the hub restarts in the middle. The page says so, comes back, and nothing is missing, doubled or sent twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import { allSent, live, networkErrors, shows, texts, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

for (const [name, signal, says] of [["drained", "SIGTERM", /Hub restarting|Reconnecting/], ["killed", "SIGKILL", /Reconnecting/]]) {
  test(`j05 a hub that is ${name} comes back, and so does the page`, async () => withHub({}, async hub => {
    const channel = await hub.channel({ durability: "disk" });
    const agent = await channel.join("agent");
    await withPage(hub, { mayLog: networkErrors }, async page => {
      await page.goto(channel.url("zoe"));
      await live(page);
      const wanted = ["a1", "b1"];
      await agent.send("a1");
      await shows(page, "a1");
      await write(page, "b1");
      await allSent(page);
      for (let round = 2; round < 4; round += 1) {
        const stopped = hub.stop(signal);
        await page.locator(".state").filter({ hasText: says }).waitFor();
        if (round === 2) await picture(page, `chat-hub-${name}`);
        await stopped;
        await write(page, `while down ${round}`);
        await page.locator(".row .text").getByText(`while down ${round}`).waitFor();
        await hub.start();
        // The agent writes before the page is back.
        await agent.send(`a${round}`);
        await live(page);
        await shows(page, `a${round}`);
        await allSent(page);
        wanted.push(`a${round}`, `while down ${round}`);
      }
      const shown = await texts(page);
      assert.deepEqual([...shown].sort(), [...wanted].sort());
      const { history } = await agent.history("?n=100");
      assert.deepEqual(history.map(({ text }) => text), shown, "the hub has the same, in the same order, once");
      assert.equal(await page.locator(".gap-line").count(), 0);
      await page.reload();
      await live(page);
      await until("the same after a reload", async () => (await texts(page)).join() === shown.join());
    });
  }));
}

test("j05 a memory channel that was lost is reported as a gap", async () => withHub({}, async hub => {
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { mayLog: networkErrors }, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    await agent.send("before");
    await shows(page, "before");
    await hub.kill();
    await page.locator(".state").filter({ hasText: "Reconnecting" }).waitFor();
    await hub.start();
    await agent.send("after");
    await shows(page, "after");
    assert.deepEqual(await texts(page), ["before", "after"]);
    await until("the gap", async () => (await page.locator(".gap-line").count()) === 1);
    await picture(page, "chat-gap");
  });
}));
