// The start page: a channel is created with the keyboard only, its secrets are masked, tabs, errors, languages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withHub } from "../lib/hub.js";
import { tabTo } from "../lib/keyboard.js";
import { fourPictures, withPage } from "../lib/page.js";

const heading = (page) => page.getByRole("heading", { name: /^[a-z]+-[a-z]+-[0-9a-f]{4}$/ });

test("a channel is created by keyboard, and its invitation works", async () => {
  await withHub({}, async (hub) => {
    await withPage(hub, { width: 1280, height: 800 }, async (page) => {
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.goto(`${hub.origin}/`);
      await tabTo(page, page.getByRole("radio", { name: /^Standard/ }));
      await page.keyboard.press("ArrowDown");
      assert.equal(await page.getByRole("radio", { name: /^Live/ }).isChecked(), true);
      await tabTo(page, page.getByRole("button", { name: "Create a channel" }));
      const answer = page.waitForResponse("**/api/channels");
      await page.keyboard.press("Enter");
      const created = await (await answer).json();
      hub.secrets.add(created.join_token);
      await heading(page).waitFor();
      assert.equal(await heading(page).textContent(), created.channel_id);
      assert.equal(created.session_ttl_seconds, 300);
      assert.equal(await heading(page).evaluate((element) => element === document.activeElement), true, "the focus is on the result");
      // The token is in the document only after it was revealed.
      assert.ok(!(await page.locator("main").innerText()).includes(created.join_token));
      await tabTo(page, page.getByRole("button", { name: "Copy the invitation: Invitation" }));
      await page.keyboard.press("Enter");
      await page.getByText("Copied: Invitation").waitFor({ state: "attached" });
      const invitation = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(invitation, created.peer_invite);
      await page.getByRole("button", { name: "Show the secrets in: Invitation" }).click();
      assert.ok((await page.locator("main").innerText()).includes(created.join_token));
      // It leads into the channel.
      const callsign = /as callsign `([^`]+)`/.exec(invitation)?.[1];
      const joined = await hub.call("POST", `/api/channels/${created.channel_id}/join`, { callsign }, { authorization: `Bearer ${created.join_token}` });
      assert.equal(joined.callsign, callsign);
      const link = await page.getByRole("link", { name: "Open here" }).getAttribute("href");
      assert.equal(link, `/remote/${created.channel_id}#t=${created.join_token}`);
      await fourPictures(page, "landing-result");
    });
  });
});

test("the client tabs follow the arrow keys and remember the choice", async () => {
  await withHub({}, async (hub) => {
    await withPage(hub, { width: 900, height: 800 }, async (page) => {
      const create = async () => {
        await page.goto(`${hub.origin}/start`);
        await page.getByRole("button", { name: "Create a channel" }).click();
        await heading(page).waitFor();
      };
      await create();
      const selected = page.getByRole("tab", { selected: true });
      await selected.focus();
      assert.equal(await selected.textContent(), "Prompt");
      for (const [key, name] of [["ArrowRight", "Claude Code"], ["End", "bash"], ["ArrowRight", "Prompt"], ["ArrowLeft", "bash"], ["Home", "Prompt"], ["ArrowRight", "Claude Code"]]) {
        await page.keyboard.press(key);
        assert.equal(await selected.textContent(), name, key);
        assert.equal(await selected.evaluate((element) => element === document.activeElement), true);
      }
      const panel = page.getByRole("tabpanel", { name: "Claude Code" });
      assert.match(await panel.locator("pre").innerText(), /export ROGERRAT_TOKEN='•+'\nclaude mcp add/);
      await create();
      assert.equal(await selected.textContent(), "Claude Code");
    });
  });
});

test("a hub with a token asks for it, and errors are beside their fields", async () => {
  const mayLog = /status of (400|401)/;
  await withHub({ flags: ["--token", "the-token-of-this-hub"] }, async (hub) => {
    hub.secrets.add("the-token-of-this-hub");
    await withPage(hub, { width: 390, mayLog }, async (page) => {
      await page.goto(`${hub.origin}/start`);
      const token = page.locator("#hub_token");
      await token.fill("wrong");
      await page.getByRole("button", { name: "Create a channel" }).click();
      await page.getByText("The hub did not accept this token.").waitFor();
      assert.equal(await token.getAttribute("aria-invalid"), "true");
      assert.equal(await token.evaluate((element) => element === document.activeElement), true);
      assert.match((await token.getAttribute("aria-describedby")) ?? "", /hub_token-error/);
      await token.fill("the-token-of-this-hub");
      await page.getByRole("radio", { name: /^Go/ }).check();
      const password = page.getByLabel("Owner password");
      assert.match(await password.inputValue(), /^[0-9a-f]{16}$/, "generated, as by the preset");
      await password.fill("short");
      await page.getByRole("button", { name: "Create a channel" }).click();
      await page.getByText("A trusted channel needs a password of at least 6 characters.").waitFor();
      await password.fill("long enough");
      hub.secrets.add("long enough");
      await page.getByText("More settings").click();
      await page.getByLabel("Webhook").fill("ftp://example.org");
      await page.getByRole("button", { name: "Create a channel" }).click();
      await page.locator("#webhook-error").waitFor();
      await page.getByLabel("Webhook").fill("");
      await page.getByLabel("Transcript").selectOption("full");
      await page.getByRole("button", { name: "Create a channel" }).click();
      await heading(page).waitFor();
      const id = (await heading(page).textContent()) ?? "";
      const channel = await hub.call("GET", `/api/channels/${id}`);
      assert.deepEqual([channel.trust_mode, channel.retention, channel.has_owner_password], ["trusted", "full", true]);
      await page.getByRole("button", { name: "Create another" }).click();
      await page.getByRole("radio", { name: /^Standard/ }).waitFor();
    });
  });
});

test("header, theme, language, bands and counters", async () => {
  await withHub({}, async (hub) => {
    await (await hub.channel()).join("ann");
    await withPage(hub, { width: 1280, height: 800 }, async (page) => {
      await page.goto(`${hub.origin}/start`);
      await page.getByRole("heading", { name: "general" }).waitFor();
      await fourPictures(page, "landing");
      assert.equal(await page.locator(".counters dd").first().textContent(), "1");
      assert.equal(await page.getByRole("link", { name: "Listen in: general" }).getAttribute("href"), "/remote/general");
      assert.equal(await page.getByRole("link", { name: "Start" }).getAttribute("aria-current"), "page");
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await background();
      await page.getByRole("button", { name: "Theme and language" }).click();
      await page.getByRole("radio", { name: "Dark" }).check();
      assert.notEqual(await background(), light);
      await page.reload();
      assert.notEqual(await background(), light, "the choice lasts");
      await page.getByRole("button", { name: "Theme and language" }).click();
      await page.getByRole("radio", { name: "Español" }).click();
      await page.getByRole("heading", { name: "Un walkie-talkie para agentes de IA" }).waitFor();
      assert.equal(await page.locator("html").getAttribute("lang"), "es");
      for (const path of ["/account", "/docs", "/policy"]) {
        await page.goto(hub.origin + path);
        await page.getByRole("link", { name: "Inicio" }).waitFor();
        assert.equal(await page.locator("#header a[aria-current=page]").count(), 1, path);
      }
    });
  });
});

test("without scripts the page says what to do", async () => {
  await withHub({}, async (hub) => {
    await withPage(hub, { axe: false }, async (page) => {
      await page.route("**/*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
      await page.goto(`${hub.origin}/`);
      await page.getByText(`Read ${hub.origin}/llms.txt`).waitFor();
      await page.getByRole("link", { name: "Docs" }).waitFor();
    });
  });
});

test("every text is translated, and long texts fit", async () => {
  await withHub({}, async (hub) => {
    await withPage(hub, { width: 320, height: 568 }, async (page) => {
      await page.addInitScript(() => localStorage.setItem("rogerrat.language", "qps"));
      await page.goto(`${hub.origin}/start`);
      await page.getByRole("heading", { name: /^\[Á wálkíé/ }).waitFor();
      const plain = await page.evaluate(() => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const found = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const text = node.textContent?.trim() ?? "";
          const isOwn = node.parentElement?.closest("script, noscript, pre, footer, .brand, .band, .bubble b, dd, [lang], .number");
          if (text && !isOwn && !text.startsWith("[")) found.push(text);
        }
        return found;
      });
      assert.deepEqual(plain, []);
    });
  });
});
