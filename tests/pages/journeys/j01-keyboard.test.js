// J1: from the start page to a conversation by keyboard only, in two browsers; a third person takes another name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, shows, texts } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { tabTo } from "../lib/keyboard.js";
import { picture, withContext, withPage } from "../lib/page.js";

/** Enters a name in the form that has the focus, and joins. */
async function joinAs(page, name) {
  const field = page.getByLabel("Your name here");
  await field.waitFor();
  await tabTo(page, field);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
}

async function say(page, text) {
  await tabTo(page, page.getByRole("textbox", { name: "Message" }));
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

test("j01 by keyboard only: create, open, invite, and talk both ways", () => withHub({}, hub => withContext(hub, { width: 1280, height: 800 }, async ours => {
  await ours.grantPermissions(["clipboard-read", "clipboard-write"]);
  const start = await ours.newPage();
  await start.goto(`${hub.origin}/`);
  await tabTo(start, start.getByRole("button", { name: "Create a channel" }));
  const answer = start.waitForResponse("**/api/channels");
  await start.keyboard.press("Enter");
  hub.secrets.add((await (await answer).json()).join_token);
  const open = start.getByRole("link", { name: "Open here" });
  await open.waitFor();
  await tabTo(start, open);
  const opened = ours.waitForEvent("page");
  await start.keyboard.press("Enter");
  const ann = await opened;
  await joinAs(ann, "ann");
  await live(ann);
  assert.ok(!ann.url().includes("#"));

  await tabTo(ann, ann.getByRole("button", { name: "Menu" }));
  await ann.keyboard.press("Enter");
  const invite = ann.getByRole("menuitem", { name: "Invite" });
  await invite.waitFor();
  await tabTo(ann, invite);
  await ann.keyboard.press("Enter");
  const agent = ann.getByRole("radio", { name: "An agent" });
  await agent.waitFor();
  await tabTo(ann, agent);
  await ann.keyboard.press("ArrowRight");
  const copy = ann.getByRole("button", { name: "Copy link" });
  await copy.waitFor();
  await picture(ann, "chat-invite-covered");
  await tabTo(ann, ann.getByRole("button", { name: "Show QR code" }));
  await ann.keyboard.press("Enter");
  await ann.locator(".qr-frame svg").first().waitFor();
  await picture(ann, "chat-invite");
  await tabTo(ann, copy);
  await ann.keyboard.press("Enter");
  await ann.getByText("Copied").first().waitFor({ state: "attached" });
  const link = await ann.evaluate(() => navigator.clipboard.readText());
  await ann.keyboard.press("Escape");

  await withPage(hub, { width: 1280, height: 800 }, async ben => {
    await ben.goto(link);
    await joinAs(ben, "ben");
    await live(ben);
    await say(ann, "hello ben");
    await shows(ben, "hello ben");
    await say(ben, "hello ann");
    await shows(ann, "hello ann");
    assert.deepEqual(await texts(ann), ["hello ben", "hello ann"]);
    assert.deepEqual(await texts(ben), ["hello ben", "hello ann"]);
    await withPage(hub, {}, async third => {
      await third.goto(link);
      await joinAs(third, "Ben");
      await third.getByRole("heading", { name: "Is ben you?" }).waitFor();
      await tabTo(third, third.getByRole("button", { name: "Choose another name" }));
      await third.keyboard.press("Enter");
      await joinAs(third, "bea");
      await live(third);
      await say(third, "hello both");
      for (const page of [ann, ben]) await shows(page, "hello both");
    });
  });
})));
