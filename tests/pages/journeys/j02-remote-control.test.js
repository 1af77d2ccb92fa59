// J2: an agent opens remote control over MCP. Its human scans the code, and answers with one tap while the hub restarts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withAgent } from "../lib/agent.js";
import { allSent, live, networkErrors, shows, texts, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, picture, withPage } from "../lib/page.js";
import { qrText, qrTextOfUrl } from "../lib/qr.js";

const QUESTION = "Where shall I deploy?";
const ANSWER = "To staging";

test("j02 a phone answers its agent with one tap, though the hub is killed meanwhile", async () => withHub({}, hub => withAgent(hub, async agent => {
  const remote = await agent.tool("open_remote_control", { qr: "png", durability: "disk" });
  for (const secret of [remote.channel_token, remote.agent.identity_key, remote.phone.identity_key]) hub.secrets.add(secret);
  const link = qrTextOfUrl(remote.qr_data_url);
  assert.equal(link, remote.mobile_url);
  assert.ok(link.startsWith(`${hub.origin}/remote/${remote.channel_id}#`), link);

  await withPage(hub, { width: 375, touch: true, mayLog: networkErrors }, async page => {
    await page.goto(link);
    await live(page);
    assert.equal(page.url(), `${hub.origin}/remote/${remote.channel_id}`);
    const join = async () => {
      const joined = await agent.tool("join", {
        channel_id: remote.channel_id, token: remote.channel_token, identity_key: remote.agent.identity_key, owner_password: remote.owner_password,
      });
      hub.secrets.add(joined.session_id);
      return joined;
    };
    const joined = await join();
    assert.deepEqual([joined.trust_posture, joined.callsign], ["trusted-authorized", remote.agent.callsign]);

    await agent.tool("send", { kind: "status", to: "all", message: "building" });
    await page.locator(".statuses").getByText("building").waitFor();
    const asked = await agent.tool("send", { to: remote.phone.callsign, message: QUESTION, suggested_replies: [ANSWER, "Nowhere"] });
    const answer = page.getByRole("button", { name: ANSWER });
    await answer.waitFor();
    await picture(page, "chat-remote-control");

    await hub.kill();
    await page.locator(".state").filter({ hasText: "Reconnecting" }).waitFor();
    await answer.tap();
    await hub.start();
    await agent.connect();
    assert.equal((await join()).callsign, remote.agent.callsign);
    const received = await agent.receive(ANSWER);
    assert.deepEqual([received.from, received.to, received.reply_to], [remote.phone.callsign, remote.agent.callsign, asked.id]);
    await live(page);
    await page.getByText("Answered").waitFor();

    // Both still talk, and what comes next is not the answer again.
    await agent.tool("send", { to: remote.phone.callsign, message: "deployed" });
    await shows(page, "deployed");
    await write(page, "thank you");
    await allSent(page);
    assert.deepEqual((await agent.receive("thank you")).all, ["thank you"]);
    assert.deepEqual([...received.all], [ANSWER]);
    assert.deepEqual(await texts(page), [QUESTION, ANSWER, "deployed", "thank you"]);
  });
})));

test("j02 the start page makes a code for the phone and a text for the agent", () => withHub({}, hub => withPage(hub, { width: 1280, height: 800 }, async page => {
  await page.goto(`${hub.origin}/start`);
  const answer = page.waitForResponse("**/api/remote-control");
  await page.getByRole("button", { name: "Start remote control" }).click();
  const remote = await (await answer).json();
  for (const secret of [remote.channel_token, remote.agent.identity_key, remote.phone.identity_key, remote.recovery_token]) hub.secrets.add(secret);
  const code = page.getByRole("img", { name: "Scan to control the agent" });
  await code.waitFor();
  await fourPictures(page, "landing-remote");
  const link = qrText(await code.screenshot());
  assert.equal(link, remote.mobile_url);
  await page.getByRole("button", { name: "Show the secrets in: Text for the agent" }).click();
  const text = await page.locator("main").innerText();
  assert.ok(text.includes(remote.agent.identity_key) && text.includes(remote.waiter_command_template));
  await withPage(hub, { width: 375, touch: true }, async phone => {
    await phone.goto(link);
    await live(phone);
    assert.equal(await phone.locator(".bar-me b").innerText(), remote.phone.callsign);
  });
})));
