// J17: notifications. The page turns them on, the service worker shows what is pushed once, reading closes it, a tap opens it.
//
// A headless Chromium reaches no push service: the subscription is a stand-in at `PushManager`, at a service of this test. The
// messages are delivered to the real service worker by the browser's debugging protocol. `tests/push` decrypts real ones.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";
import { deliverer, service, shown, standIn } from "../lib/push.js";
import { until } from "../lib/until.js";

test("notifications are turned on, shown once, closed when read, and turned off", async () => {
  const push = await service(201);
  const env = { ROGERRAT_PUSH__CONTACT: "mailto:operator@hub.example.org", ROGERRAT_PUSH__HOSTS: push.origin };
  try {
    await withHub({ env }, async hub => {
      const channel = await hub.channel();
      const agent = await channel.join("builder");
      await withPage(hub, { width: 390, height: 844 }, async page => {
        await standIn(page, `${push.origin}/phone`);
        await page.goto(channel.url("phone"));
        await live(page);
        await page.getByRole("button", { name: "Menu" }).click();
        await page.getByRole("menuitem", { name: "Settings" }).click();
        await page.getByLabel("Notify this device").click();
        await page.getByRole("button", { name: "Send a test" }).click();
        await page.getByText("The push service has taken the test").waitFor();
        assert.equal(push.got.length, 1);
        assert.equal(push.got[0]["content-encoding"], "aes128gcm");
        assert.equal(await page.getByLabel("Remember on this device").isChecked(), true);
        await picture(page, "push-settings");
        push.status = 403;
        await page.getByRole("button", { name: "Send a test" }).click();
        await page.getByText("answered 403").waitFor();
        await page.getByRole("button", { name: "Close" }).click();

        const deliver = await deliverer(page, hub.origin);
        const path = `/remote/${channel.id}`;
        const message = (body, navigate = hub.origin + path) => JSON.stringify({ web_push: 8030, notification: {
          title: "builder", body, tag: "one", lang: "en", navigate, data: { channel: channel.id, message: 1 },
        } });
        await deliver(message("Deploy now?"));
        await until("it is shown", async () => (await shown(page)).length === 1);
        assert.deepEqual(await shown(page), [{ title: "builder", body: "Deploy now?", tag: "one", channel: channel.id, path }]);
        await deliver(message("Still there?", "https://evil.example/x"));
        await until("it replaces the first", async () => (await shown(page))[0]?.body === "Still there?");
        assert.deepEqual((await shown(page)).map(({ path }) => path), ["/remote"]);
        await deliver("not json");
        await until("something is shown all the same", async () => (await shown(page)).length === 2);

        await agent.send("read this");
        await page.getByText("read this").first().waitFor();
        await until("reading closes what is of this channel", async () => (await shown(page)).every(one => one.channel !== channel.id));

        await page.reload();
        await live(page);
        const phone = await page.evaluate(() => Object.keys(localStorage).filter(key => key.startsWith("chat-push ")).length);
        assert.equal(phone, 1, "the subscription is renewed");
        await page.getByRole("button", { name: "Menu" }).click();
        await page.getByRole("menuitem", { name: "Settings" }).click();
        await page.getByLabel("Notify this device").click();
        await until("it is off", async () => !(await page.getByLabel("Notify this device").isChecked()));
        await page.getByRole("button", { name: "Close" }).click();
      });
    });
  } finally {
    push.close();
  }
});

test("a hub without a contact says why there are no notifications", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    await withPage(hub, {}, async page => {
      await page.goto(channel.url("phone"));
      await live(page);
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("menuitem", { name: "Settings" }).click();
      await page.getByText("This hub sends no notifications.").waitFor();
      await page.getByText("push.contact").waitFor();
      await page.getByRole("button", { name: "Close" }).click();
    });
  });
});
