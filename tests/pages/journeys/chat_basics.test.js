// J1 to J4: two people talk, an agent asks and is answered, links that ask, what stays and what goes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, shows, texts } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withContext, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

test("j01 two people talk and a taken name is asked about", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    await withPage(hub, { width: 1280, height: 800 }, async ann => {
      await ann.goto(channel.url("ann"));
      await live(ann);
      await ann.getByRole("heading", { name: "You are the only one here" }).waitFor();
      await withPage(hub, { width: 390, touch: true }, async ben => {
        await ben.goto(channel.url("ben"));
        await live(ben);
        // By keyboard only: the field, then Enter.
        await ann.getByRole("textbox", { name: "Message" }).focus();
        await ann.keyboard.type("hello ben");
        await ann.keyboard.press("Enter");
        await shows(ben, "hello ben");
        // On a touch screen Enter is a new line and the button sends.
        await ben.getByRole("textbox", { name: "Message" }).tap();
        await ben.keyboard.type("hello");
        await ben.keyboard.press("Enter");
        await ben.keyboard.type("ann");
        await ben.getByRole("button", { name: "Send" }).tap();
        await shows(ann, "hello\nann");
        assert.deepEqual(await texts(ann), ["hello ben", "hello\nann"]);
        assert.deepEqual(await texts(ben), ["hello ben", "hello\nann"]);
        await until("ann sees that it was read", async () => (await ann.locator(".tick").innerText()).includes("Read"));
      });
      await withPage(hub, {}, async other => {
        await other.goto(`${hub.origin}/remote/${channel.id}#t=${channel.token}`);
        await other.getByLabel("Your name here").fill("Ann");
        await other.getByRole("button", { name: "Join", exact: true }).click();
        await other.getByRole("heading", { name: "Is ann you?" }).waitFor();
        await picture(other, "chat-collision");
        await other.getByRole("button", { name: "Choose another name" }).click();
        await other.getByLabel("Your name here").fill("anna");
        await other.getByRole("button", { name: "Join", exact: true }).click();
        await live(other);
        assert.equal(await other.locator(".bar-me b").innerText(), "anna");
      });
    });
  });
});

test("j02 one tap on a suggested reply sends one message, though the tap is doubled and the answer is cut", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel({ trust_mode: "trusted", owner_password: "123456" });
    hub.secrets.delete("123456");
    const agent = await channel.join("agent");
    await withPage(hub, { width: 375, touch: true, mayLog: /send/ }, async page => {
      await page.goto(channel.url("miguel", { p: "123456" }));
      await live(page);
      assert.equal(page.url(), `${hub.origin}/remote/${channel.id}`);
      await agent.send({ kind: "status", message: "reading the logs" });
      await page.getByText("reading the logs").waitFor();
      await agent.send({ to: "miguel", message: "Which one?", suggested_replies: ["The first", "Delete the second"] });
      await page.getByText("Which one?").waitFor();
      await page.locator(".statuses").getByText("reading the logs").waitFor({ state: "hidden" });
      await picture(page, "chat-approval");
      const boxes = await page.locator(".answer").evaluateAll(all => all.map(one => one.getBoundingClientRect().toJSON()));
      assert.ok(boxes.every(box => box.height >= 43.9 && box.width >= 43.9), `a target is too small: ${JSON.stringify(boxes)}`);
      assert.ok(boxes[1].left - boxes[0].right >= 16 || boxes[1].top - boxes[0].bottom >= 16, "targets are too close");
      // The first answer to the send is lost after the hub has taken it.
      let cut = 0;
      await page.route("**/send", async route => {
        if ((cut += 1) > 1) return route.continue();
        await route.fetch();
        return route.abort("connectionreset");
      });
      const first = page.getByRole("button", { name: "The first" });
      await first.evaluate(button => { button.click(); button.click(); });
      const answer = await agent.receive("the answer", message => message.text === "The first");
      assert.equal(answer.to, "agent");
      assert.ok(answer.reply_to > 0);
      await page.getByText("Answered").waitFor();
      assert.equal(await page.getByRole("button", { name: "Delete the second" }).getAttribute("aria-disabled"), "true");
      assert.equal((await agent.history()).history.filter(message => message.text === "The first").length, 1);
      // A destructive answer can be taken back.
      await agent.send({ to: "miguel", message: "And now?", suggested_replies: ["Delete it", "Keep it"] });
      await page.getByRole("button", { name: "Delete it" }).tap();
      await page.getByRole("button", { name: "Undo" }).tap();
      await page.getByRole("button", { name: "Keep it" }).tap();
      await agent.receive("the second answer", message => message.text === "Keep it");
      assert.ok(!(await agent.history()).history.some(message => message.text === "Delete it"));
    });
  });
});

test("j03 a protected link asks for the password, and mangled links work or say what is missing", async () => {
  await withHub({ limits: true }, async hub => {
    const channel = await hub.channel({ trust_mode: "trusted", owner_password: "271828" });
    await withPage(hub, { mayLog: /401|429/ }, async page => {
      await page.goto(channel.url("miguel"));
      const field = page.getByLabel("Password or PIN");
      await field.waitFor();
      await picture(page, "chat-pin");
      for (let round = 0; round < 5; round += 1) {
        await field.fill(`11111${round}`);
        await page.getByRole("button", { name: "Join", exact: true }).click();
        await page.getByText(/Wrong password or PIN|Too many/).first().waitFor();
      }
      await field.fill("111119");
      const join = page.getByRole("button", { name: "Join", exact: true });
      if (await join.isEnabled()) await join.click();
      await page.getByText(/Too many tries\. Try again in \d+ seconds?\./).waitFor();
      await picture(page, "chat-pin-wait");
    });
    const open = await hub.channel();
    const { id, token } = open;
    for (const fragment of [`t=${token}&amp;cs=zoe`, `t=${token}&amp;amp;cs=zoe`, `t=${token}%26cs=zoe`, `cs=zoe;t=${token}`, `x=1&cs=zoe&t=${token}&y`]) {
      await withPage(hub, { axe: false }, async page => {
        await page.goto(`${hub.origin}/remote/${id}#${fragment}`);
        await live(page);
        assert.equal(await page.locator(".bar-me b").innerText(), "zoe");
      });
    }
    await withPage(hub, {}, async page => {
      await page.goto(`${hub.origin}/remote/${id}#t=&cs=zoe`);
      await page.getByText("Missing: Token of the channel").waitFor();
    });
    await withPage(hub, {}, async page => {
      await page.goto(`${hub.origin}/remote/${id}#${"x".repeat(3000)}`);
      await page.getByText("too long to be an invitation").waitFor();
    });
    await withPage(hub, { mayLog: /404/ }, async page => {
      await page.goto(`${hub.origin}/remote/no-such-channel-0000#t=x&cs=zoe`);
      await page.getByText("There is no such channel").waitFor();
    });
  });
});

test("j04 the fragment is gone, a reload keeps the chat, a new tab asks, and forgetting forgets", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    await withContext(hub, {}, async context => {
      const page = await context.newPage();
      await page.goto(channel.url("zoe"));
      await live(page);
      assert.equal(await page.evaluate(() => location.hash), "");
      // What a script can read. The browser's own record of the navigation keeps the address as it was opened: only
      // scripts of this very document can read it, and they have the tab's storage, too.
      const readable = () => page.evaluate(() => JSON.stringify([
        performance.getEntries().filter(entry => entry.entryType !== "navigation"), history.state, document.URL, document.baseURI,
        document.referrer, window.name, "navigation" in window ? window.navigation.entries().map(entry => entry.url) : [],
      ]));
      const session = await context.newCDPSession(page);
      const visited = async () => JSON.stringify((await session.send("Page.getNavigationHistory")).entries.map(({ url, title }) => [url, title]));
      for (const where of [readable, visited]) assert.ok(!(await where()).includes(channel.token), "the token is in the address, the history or an entry");
      // Away and back: the chat is there again, without its secrets in the address.
      await page.goto(`${hub.origin}/start`);
      await page.goBack();
      await live(page);
      assert.equal(page.url(), `${hub.origin}/remote/${channel.id}`);
      // A link that is opened in the tab which shows its channel already is taken, too.
      await page.evaluate(url => { location.href = url; }, channel.url("zoey"));
      await page.locator(".bar-me b", { hasText: /^zoey$/ }).waitFor();
      await live(page);
      assert.equal(page.url(), `${hub.origin}/remote/${channel.id}`);
      await page.evaluate(url => { location.href = url; }, channel.url("zoe"));
      await page.locator(".bar-me b", { hasText: /^zoe$/ }).waitFor();
      await live(page);
      for (const where of [readable, visited]) assert.ok(!(await where()).includes(channel.token), "the token is in the address, the history or an entry");
      await page.reload();
      await live(page);
      assert.equal(await page.locator(".bar-me b").innerText(), "zoe");
      const other = await context.newPage();
      await other.goto(`${hub.origin}/remote/${channel.id}`);
      await other.getByLabel("Token of the channel").waitFor();
      // Remembered, the next tab joins by itself.
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("menuitem", { name: "Settings" }).click();
      await page.getByLabel("Remember on this device").check();
      await page.keyboard.press("Escape");
      await other.goto(`${hub.origin}/remote`);
      await other.getByRole("link", { name: new RegExp(channel.id) }).click();
      await live(other);
      await other.getByRole("button", { name: "Menu" }).click();
      await other.getByRole("menuitem", { name: "End" }).click();
      await picture(other, "chat-end");
      await other.getByRole("button", { name: /Leave the channel/ }).click();
      await other.getByRole("heading", { name: "Remembered on this device" }).waitFor();
      await other.getByText("None. Tick").waitFor();
      await other.goto(`${hub.origin}/remote/${channel.id}`);
      await other.getByLabel("Token of the channel").waitFor();
      const kept = await other.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }));
      assert.ok(!kept.includes(channel.token), "the token is still kept");
    });
  });
});
