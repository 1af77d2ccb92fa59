// J15 from the other side: the owner or the operator ends a session, bans a name or deletes a channel, and the chat says so.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, networkErrors, shows } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";
import { withProxy } from "../lib/proxy.js";

const ADMIN = { authorization: "Bearer admin-token-of-this-journey" };
const HUB = { flags: ["--admin-token", "admin-token-of-this-journey"] };
const ended = (page, text = "The owner of the channel or the operator of the hub has ended your session.") => page.locator(".state-line").getByText(text).waitFor();
const again = page => page.getByRole("button", { name: "Join again" });

test("j15 the owner ends a session: the chat says so, and joins again only when asked to", () => withHub({}, async hub => {
  const owner = { authorization: `Bearer ${(await hub.account()).session_token}` };
  const channel = await hub.channel({}, owner);
  const agent = await channel.join("agent");
  await withPage(hub, {}, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    const { ended: count } = await hub.call("DELETE", `/api/account/channels/${channel.id}/sessions/zoe`, undefined, owner);
    assert.equal(count, true);
    await ended(page);
    await picture(page, "chat-ended");
    await agent.send("while it is out");
    assert.deepEqual((await agent.call("GET", "/roster")).roster, ["agent"]);
    await again(page).click();
    await live(page);
    await shows(page, "while it is out");
  });
}));

test("j15 the operator ends the session of a page that polls: it does not come back by itself", () => withHub(HUB, hub => withProxy(hub, async proxy => {
  proxy.holdsBack = request => /\/stream/.test(request.url ?? "");
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  await withPage(hub, { origin: proxy.origin, mayLog: /410|ERR_|Failed to load/ }, async page => {
    await page.goto(channel.url("zoe").replace(hub.origin, proxy.origin));
    await live(page);
    await hub.call("DELETE", `/api/admin/channels/${channel.id}/sessions/zoe`, undefined, ADMIN);
    await ended(page, "Your session was ended by the owner of the channel, by the operator of the hub, or in another tab.");
    assert.deepEqual((await agent.call("GET", "/roster")).roster, ["agent"]);
    await again(page).click();
    await live(page);
  });
})));

test("j15 a banned name is refused, with a form to come back under another", () => withHub(HUB, async hub => {
  const channel = await hub.channel();
  await withPage(hub, { mayLog: networkErrors }, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    await hub.call("POST", "/api/admin/bans", { callsign: "zoe", channel_id: channel.id, reason: "<b>loud</b>" }, ADMIN);
    await ended(page);
    await again(page).click();
    await page.getByText(/banned/).first().waitFor();
    await picture(page, "chat-banned");
    assert.equal(await page.locator("form b, .state-line b").count(), 0);
  });
}));

test("j15 a deleted channel: the chat says so and leads elsewhere", () => withHub(HUB, async hub => {
  const channel = await hub.channel();
  await withPage(hub, { mayLog: networkErrors }, async page => {
    await page.goto(channel.url("zoe"));
    await live(page);
    await hub.call("DELETE", `/api/admin/channels/${channel.id}`, undefined, ADMIN);
    await page.locator(".state-line").getByText("The channel was deleted").waitFor();
    await page.getByRole("link", { name: "Other channels" }).waitFor();
  });
}));
