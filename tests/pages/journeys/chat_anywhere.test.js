// J18 and J19: bands, plain http in a network; languages, zoom, forced colours, reduced motion, screen readers.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";

import { live } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, picture, withPage } from "../lib/page.js";

test("j18 a band needs a name only", async () => {
  await withHub({}, async hub => {
    await withPage(hub, {}, async page => {
      await page.goto(`${hub.origin}/remote/general`);
      await page.getByLabel("Your name here").fill("zoe");
      await page.getByRole("button", { name: "Join", exact: true }).click();
      await live(page);
      await page.getByText("This is a public band: anybody can read").waitFor();
      await page.getByRole("textbox", { name: "Message" }).fill("hello band");
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".tick-accepted").waitFor();
    });
  });
});

test("j18 over plain http in a network the page says so and still works", async () => {
  const address = Object.values(networkInterfaces()).flat().find(one => one?.family === "IPv4" && !one.internal)?.address;
  if (!address) return;
  await withHub({ flags: ["--host", "0.0.0.0", "--token", "token-of-the-hub"] }, async hub => {
    const channel = await hub.channel({}, { authorization: "Bearer token-of-the-hub" });
    const origin = `http://${address}:${hub.port}`;
    // The browser ignores this header where the origin is not secure, and says so on the console.
    await withPage(hub, { origin, mayLog: /Cross-Origin-Opener-Policy/ }, async page => {
      await page.goto(`${origin}/remote/${channel.id}#t=${channel.token}&cs=zoe`);
      await live(page);
      assert.equal(await page.evaluate(() => isSecureContext), false);
      await page.getByText("This connection is not encrypted").waitFor();
      await page.getByRole("textbox", { name: "Message" }).fill("a `code`");
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".tick-accepted").waitFor();
      await picture(page, "chat-plain-http");
    });
  });
});

/** A channel with all that a log can show. */
async function fill(channel) {
  const agent = await channel.join("claude-laptop");
  const other = await channel.join("codex");
  await agent.send("I have looked at the failing test. The **parser** drops the last field.\n\n1. keep the empty field\n2. trim the comma first\n\n```rust\nfn fields(line: &str) -> Vec<&str> {\n    line.split(',').map(str::trim).collect()\n}\n```\n\n| suite | passed |\n|---|---|\n| unit | 412 |");
  await other.send("On it.", { thread: "release" });
  await other.send({ to: "zoe", message: "Only for you: run the migration on production?", priority: "urgent", suggested_replies: ["Run it", "Wait for me", "Show me the plan first"] });
  return { agent, other };
}

test("j19 Spanish, a pseudo-language, large text, forced colours and reduced motion", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    await channel.join("zoe");
    const { other } = await fill(channel);
    const options = [
      ["es", { locale: "es-ES", width: 320, height: 640 }, "En vivo"],
      ["forced", { forcedColors: /** @type {const} */ ("active"), width: 1280, height: 800 }, "Live"],
      ["still", { motion: /** @type {const} */ ("reduce") }, "Live"],
    ];
    for (const [name, option, word] of options) {
      await withPage(hub, /** @type {any} */ (option), async page => {
        await page.goto(channel.url("zoe"));
        await live(page);
        await page.getByText("On it.").waitFor();
        assert.equal((await page.locator(".state").innerText()).trim(), word);
        await other.send({ kind: "status", message: "running tests" });
        await page.getByText("running tests").waitFor();
        if (name === "still") {
          const moving = await page.evaluate(() => document.getAnimations().filter(one => one.playState === "running").length);
          assert.equal(moving, 0);
        }
        await picture(page, `chat-${name}`);
      });
    }
    await withPage(hub, { width: 320, height: 640 }, async page => {
      await page.addInitScript(() => localStorage.setItem("rogerrat.language", "qps"));
      await page.goto(channel.url("zoe"));
      await live(page);
      await page.getByText("On it.").waitFor();
      // What has no accent is not translated: only what peers wrote, names and keys.
      const plain = await page.evaluate(() => [...document.querySelectorAll("button, label, h2, h3, p")]
        .filter(one => one.checkVisibility() && !one.closest(".text, .marks, .answers, .top, .by") && !one.querySelector("*"))
        .map(one => one.textContent.trim()).filter(text => /[a-z]{3}/i.test(text) && !text.startsWith("[")));
      assert.deepEqual(plain, []);
      await picture(page, "chat-pseudo");
    });
    // 200 % text, and 400 % zoom of a 1,280 px window.
    await withPage(hub, { width: 390, height: 844 }, async page => {
      await page.goto(channel.url("zoe"));
      await live(page);
      await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways at 200 %");
      const ends = await page.locator(".send").evaluate(button => button.getBoundingClientRect().bottom);
      assert.ok(ends <= 844, `the button to send ends at ${ends} px`);
      assert.ok(await page.locator(".log").evaluate(log => log.clientHeight) >= 100, "the log has no room");
      await picture(page, "chat-200-percent");
    });
    await withPage(hub, { width: 320, height: 256 }, async page => {
      await page.goto(channel.url("zoe"));
      await live(page);
      await page.getByRole("textbox", { name: "Message" }).scrollIntoViewIfNeeded();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways at 400 %");
      await picture(page, "chat-400-percent");
    });
  });
});

test("j19 a screen reader gets names, roles and each new message once", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    await channel.join("zoe");
    const { agent } = await fill(channel);
    await withPage(hub, { width: 1280, height: 800 }, async page => {
      await page.goto(channel.url("zoe"));
      await live(page);
      await page.getByText("On it.").waitFor();
      await fourPictures(page, "chat");
      await page.evaluate(() => {
        window.said = [];
        const log = document.querySelector("[role=log]");
        new MutationObserver(changes => {
          for (const change of changes) for (const node of change.addedNodes) window.said.push(node.textContent);
        }).observe(log, { childList: true });
      });
      await agent.send("the first");
      await page.waitForFunction(() => window.said.length === 1);
      for (let n = 0; n < 5; n += 1) await agent.send(`burst ${n}`);
      await page.waitForFunction(() => window.said.length === 2);
      assert.deepEqual(await page.evaluate(() => window.said), ["claude-laptop: the first", "5 new messages"]);
      const session = await page.context().newCDPSession(page);
      const { nodes } = await session.send("Accessibility.getFullAXTree");
      const known = nodes.filter(node => !node.ignored).map(node => `${node.role?.value}: ${node.name?.value ?? ""}`);
      for (const wanted of [/^list: Messages$/, /^article: Message of claude-laptop, /, /^heading: codex$/, /^textbox: Message$/, /^status: ?/, /^button: Send$/, /^button: Run it$/, /^complementary: People and agents$/, /^main: ?/]) {
        assert.ok(known.some(name => wanted.test(name)), `${wanted} is not in ${known.filter(name => !/^(StaticText|InlineTextBox|generic)/.test(name)).join(" | ")}`);
      }
      const nameless = nodes.filter(node => !node.ignored && ["button", "textbox", "combobox", "link"].includes(node.role?.value) && !node.name?.value);
      assert.deepEqual(nameless.map(node => node.role.value), []);
      // By keyboard: between messages, to the search and back.
      await page.getByRole("textbox", { name: "Message" }).focus();
      await page.keyboard.press("Alt+ArrowUp");
      assert.match(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), /^Message of claude-laptop/);
      await page.keyboard.press("/");
      await page.waitForFunction(() => document.activeElement?.id === "search-text");
      await page.keyboard.type("parser");
      await page.locator(".results li").first().waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".side").waitFor({ state: "hidden" });
      await page.keyboard.press("?");
      await page.getByRole("heading", { name: "Help" }).waitFor();
    });
  });
});
