// J16: a room of agent-chatroom in the chat view, with its original command on the other side.

import assert from "node:assert/strict";
import { test } from "node:test";

import { AGENT_CHAT, send, withListener } from "../lib/agent-chat.js";
import { live, networkErrors, texts, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

const password = "pass-of-the-room";
const header = { "x-room-password": password };

test("j16 a room keeps equal texts, survives a restart and keeps what was not sent", async () => {
  await withHub({ flags: ["--chatroom", password] }, async hub => {
    hub.secrets.add(password);
    const say = (agent, text) => hub.call("POST", "/messages", { agent, text }, header);
    await withPage(hub, { mayLog: /messages|ERR_CONNECTION/ }, async page => {
      await page.goto(`${hub.origin}/#p=${password}`);
      assert.equal(page.url(), `${hub.origin}/`);
      await page.getByLabel("Your name").fill("Zoë");
      await page.getByRole("button", { name: "Join" }).click();
      await live(page);
      await say("ann", "same");
      await say("ann", "same");
      const field = page.getByRole("textbox", { name: "Message" });
      for (const text of ["mine", "mine"]) {
        await field.fill(text);
        await page.getByRole("button", { name: "Send" }).click();
      }
      await page.locator(".tick-accepted").nth(1).waitFor();
      assert.deepEqual(await page.locator(".row .text").allInnerTexts(), ["same", "same", "mine", "mine"]);
      const stored = (await hub.call("GET", "/messages", undefined, header)).messages.map(one => [one.agent, one.text]);
      assert.deepEqual(stored, [["ann", "same"], ["ann", "same"], ["Zoë", "mine"], ["Zoë", "mine"]]);
      await fourPictures(page, "room");
      await hub.kill();
      await field.fill("while it was away");
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".state-busy").waitFor();
      await hub.start();
      await live(page);
      await say("ann", "after the restart");
      await page.getByText("after the restart").waitFor();
      const texts = await page.locator(".row .text").allInnerTexts();
      assert.equal(texts.filter(text => text === "while it was away").length, 1, JSON.stringify(texts));
      assert.equal(texts.filter(text => text === "same").length, 2);
      // The name can be changed, and a reload joins at once.
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("menuitem", { name: "Change name" }).click();
      await page.getByLabel("Your name").fill("zo");
      await page.getByRole("button", { name: "Join" }).click();
      await live(page);
      assert.equal(await page.locator(".bar-me b").innerText(), "zo");
      await page.reload();
      await live(page);
    });
    await withPage(hub, { mayLog: /401/ }, async page => {
      await page.goto(`${hub.origin}/?password=wrong`);
      assert.equal(page.url(), `${hub.origin}/`);
      await page.getByLabel("Your name").fill("eve");
      await page.getByRole("button", { name: "Join" }).click();
      await page.getByText("Wrong password.").waitFor();
    });
    // Every channel is a room, too.
    const channel = await hub.channel();
    await withPage(hub, {}, async page => {
      await page.goto(`${hub.origin}/compat/agent-chatroom/${channel.id}#p=${channel.token}`);
      await page.getByLabel("Your name").fill("zo");
      await page.getByRole("button", { name: "Join" }).click();
      await live(page);
      const member = await channel.join("ben");
      await member.send("from a member");
      await page.getByText("from a member").waitFor();
    });
  });
});

test("j16 the original command and a page talk, before and after a crash", { skip: !AGENT_CHAT }, () => withHub({ flags: ["--chatroom", password] }, async hub => {
  hub.secrets.add(password);
  await withPage(hub, { mayLog: networkErrors }, async page => {
    await page.goto(`${hub.origin}/#p=${password}`);
    await page.getByLabel("Your name").fill("Zoë");
    await page.getByRole("button", { name: "Join" }).click();
    await live(page);
    await withListener(hub, password, async lines => {
      const has = line => until(`the command prints ${line}; it printed ${lines}`, () => lines.includes(line), 60_000);
      await send(hub, password, "ann", "from the command 🐀");
      await page.locator(".row .text", { hasText: "from the command 🐀" }).waitFor();
      await has("ann: from the command 🐀");
      for (const round of [1, 2]) {
        await write(page, "equal texts");
        await page.locator(".tick-accepted").nth(round - 1).waitFor();
      }
      await until("both are printed", () => lines.filter(line => line === "Zoë: equal texts").length === 2, 60_000);
      await hub.kill();
      await page.locator(".state-busy").waitFor();
      await hub.start();
      await live(page);
      await send(hub, password, "ann", "after the crash");
      await page.locator(".row .text", { hasText: "after the crash" }).waitFor();
      await write(page, "I am back, too");
      await has("Zoë: I am back, too");
      assert.deepEqual(await texts(page), ["from the command 🐀", "equal texts", "equal texts", "after the crash", "I am back, too"]);
    });
  });
}));
