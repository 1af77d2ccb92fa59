// J17: notifications. The page turns them on, the service worker shows what is pushed once, reading closes it, a tap opens it.
//
// A headless Chromium reaches no push service: the subscription is a stand-in at `PushManager`, at a service of this test. The
// messages are delivered to the real service worker by the browser's debugging protocol. `tests/push` decrypts real ones.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { live } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

/** The example keys of RFC 8291. */
const KEYS = { p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg" };

/** A push service that answers with a status. @param {number} status */
async function service(status) {
  const got = [];
  const server = createServer((request, response) => {
    got.push(request.headers);
    request.resume().on("end", () => response.writeHead(service.status).end());
  });
  const service = { status, got, origin: "", close: () => server.close() };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  service.origin = `http://127.0.0.1:${server.address().port}`;
  return service;
}

/** The subscription of a browser that has a push service. @param {import("playwright-core").Page} page */
async function standIn(page, endpoint) {
  await page.context().grantPermissions(["notifications"]);
  await page.addInitScript(({ endpoint, keys }) => {
    let isOn = false;
    const subscription = { endpoint, options: {}, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => { isOn = false; return true; } };
    PushManager.prototype.getSubscription = async () => /** @type {any} */ (isOn ? subscription : null);
    PushManager.prototype.subscribe = async () => { isOn = true; return /** @type {any} */ (subscription); };
    Notification.requestPermission = async () => "granted";
  }, { endpoint, keys: KEYS });
}

/** What the service worker shows. @param {import("playwright-core").Page} page */
const shown = page => page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, channel: data.channel, path: data.path }));
});

/** Delivers a push message to the service worker. @param {import("playwright-core").Page} page */
async function deliverer(page, origin) {
  const protocol = await page.context().newCDPSession(page);
  let registrationId = "";
  protocol.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    for (const one of registrations) if (one.scopeURL === `${origin}/` && !one.isDeleted) registrationId = one.registrationId;
  });
  await protocol.send("ServiceWorker.enable");
  await until("the service worker is registered", async () => registrationId !== "");
  return data => protocol.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
}

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
