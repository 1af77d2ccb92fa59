// J10: a phone and a laptop of one person. Both get everything; an answer on one locks the buttons on both.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, shows, texts, write } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withContext } from "../lib/page.js";
import { until } from "../lib/until.js";

test("j10 two devices of one member, and a second tab that takes over", async () => withHub({}, async hub => {
  const account = await hub.account();
  const owner = { authorization: `Bearer ${account.session_token}` };
  const { callsign, identity_key } = await hub.call("POST", "/api/account/identities", { callsign: "zoe" }, owner);
  hub.secrets.add(identity_key);
  const channel = await hub.channel();
  const agent = await channel.join("agent");
  const link = `${hub.origin}/remote/${channel.id}#${new URLSearchParams({ t: channel.token, k: identity_key, cs: callsign })}`;
  await withContext(hub, { touch: true }, async phone => withContext(hub, { width: 1280, height: 800 }, async laptop => {
    const small = await phone.newPage(), large = await laptop.newPage();
    for (const page of [small, large]) {
      await page.goto(link);
      await live(page);
    }
    await agent.send("to both");
    for (const page of [small, large]) await shows(page, "to both");
    // What one device writes is on the other, as its own.
    await write(small, "from the phone");
    await write(large, "from the laptop");
    for (const page of [small, large]) {
      await shows(page, "from the phone");
      await shows(page, "from the laptop");
    }
    assert.deepEqual((await texts(small)).sort(), (await texts(large)).sort());
    await agent.send({ to: "zoe", message: "Deploy to staging?", suggested_replies: ["yes", "no"] });
    for (const page of [small, large]) await page.getByRole("button", { name: "yes" }).waitFor();
    await small.getByRole("button", { name: "no" }).tap();
    const answer = await agent.receive("the answer", ({ text }) => text === "no");
    assert.equal(answer.from, "zoe");
    await until("locked on the laptop", async () => (await large.getByRole("button", { name: "yes" }).getAttribute("aria-disabled")) === "true");
    await picture(large, "chat-answered-elsewhere");
    // A tap on a locked button sends nothing.
    await large.getByRole("button", { name: "yes" }).click({ force: true });
    await agent.send("and on");
    await shows(large, "and on");
    assert.equal((await agent.history()).history.filter(({ reply_to }) => reply_to === answer.reply_to).length, 1);

    // A second tab of the laptop takes over its place; the phone is not concerned.
    const tab = await laptop.newPage();
    await tab.goto(link);
    await live(tab);
    await large.locator(".state").filter({ hasText: "Open elsewhere" }).waitFor();
    await picture(large, "chat-elsewhere");
    await agent.send("to the second tab");
    for (const page of [tab, small]) await shows(page, "to the second tab");
    await large.getByRole("button", { name: "Use here" }).click();
    await live(large);
    await shows(large, "to the second tab");
    await tab.locator(".state").filter({ hasText: "Open elsewhere" }).waitFor();
    assert.deepEqual(await texts(large), await texts(small));
  }));
}));
