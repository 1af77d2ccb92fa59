// J17: the installed app. A click on a notification opens its channel, the icon counts, pages open without the hub, and the
// account lists the browsers that are notified.

import assert from "node:assert/strict";
import { test } from "node:test";

import { live, networkErrors, shows } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { fourPictures, withContext, withPage } from "../lib/page.js";
import { deliverer, service, shown, standIn } from "../lib/push.js";
import { until } from "../lib/until.js";

const CONTACT = { ROGERRAT_PUSH__CONTACT: "mailto:operator@hub.example.org" };

/** Opens the settings of the chat. */
async function settings(page) {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("menuitem", { name: "Settings" }).click();
}

/** The service worker of a context. @param {import("playwright-core").BrowserContext} context */
const workerOf = context => until("the service worker runs", async () => context.serviceWorkers()[0]);

/** Clicks a notification with a body. A test has no screen to click on, so the worker gets the event of a click. */
const click = (worker, body) => worker.evaluate(async wanted => {
  const scope = /** @type {any} */ (self);
  const notification = (await scope.registration.getNotifications()).find(one => one.body === wanted);
  const event = new scope.NotificationEvent("notificationclick", { notification });
  /** @type {Promise<unknown> | null} */
  let work = null;
  Object.defineProperty(event, "waitUntil", { value: promise => { work = promise; } });
  scope.dispatchEvent(event);
  if (!work) throw new Error("nobody listens for clicks");
  await work;
}, body);

/** Records what the worker opens, shows and counts: without a real click a browser refuses the first two. */
const record = worker => worker.evaluate(() => {
  const scope = /** @type {any} */ (self);
  scope.seen = { opened: [], focused: [], badge: null };
  scope.clients.openWindow = async path => { scope.seen.opened.push(path); };
  scope.WindowClient.prototype.focus = async function () { scope.seen.focused.push(new URL(this.url).pathname); };
  scope.WorkerNavigator.prototype.setAppBadge = async count => { scope.seen.badge = count; };
  scope.WorkerNavigator.prototype.clearAppBadge = async () => { scope.seen.badge = 0; };
});
const seen = worker => worker.evaluate(() => /** @type {any} */ (self).seen);

test("j17 a click on a notification shows the window of its channel, or opens one; the icon counts what is shown", async () => {
  const push = await service(201);
  try {
    await withHub({ env: { ...CONTACT, ROGERRAT_PUSH__HOSTS: push.origin } }, async hub => {
      const channel = await hub.channel();
      await withPage(hub, {}, async page => {
        await standIn(page, `${push.origin}/phone`);
        await page.addInitScript(() => {
          const counts = /** @type {any} */ (window).counts = [];
          Object.assign(Navigator.prototype, { setAppBadge: async count => { counts.push(count); }, clearAppBadge: async () => { counts.push(0); } });
        });
        await page.goto(channel.url("phone"));
        await live(page);
        await settings(page);
        await page.getByLabel("Notify this device").click();
        await page.getByRole("button", { name: "Send a test" }).waitFor();
        await page.getByRole("button", { name: "Close" }).click();
        const worker = await workerOf(page.context());
        await record(worker);
        const deliver = await deliverer(page, hub.origin);
        const here = `/remote/${channel.id}`;
        const message = (body, path) => JSON.stringify({ web_push: 8030, notification: {
          title: "builder", body, tag: body, lang: "en", navigate: hub.origin + path, data: { channel: "c", message: 1 },
        } });
        for (const [at, [body, path]] of [["here", here], ["elsewhere", "/remote/quiet-otter-0000"], ["foreign", "/remote"]].entries()) {
          // The browser may drop one that comes while its worker starts. A repeated one replaces the first.
          let tries = 0;
          await until(`${body} is shown`, async () => {
            if (tries % 100 === 0) await deliver(message(body, path));
            tries += 1;
            return (await shown(page)).length === at + 1;
          });
        }
        await until("the icon counts them", async () => (await seen(worker)).badge === 3);
        await click(worker, "here");
        assert.deepEqual(await seen(worker), { opened: [], focused: [here], badge: 2 });
        await click(worker, "elsewhere");
        assert.deepEqual((await seen(worker)).opened, ["/remote/quiet-otter-0000"]);
        await click(worker, "foreign");
        assert.deepEqual(await seen(worker), { opened: ["/remote/quiet-otter-0000", "/remote"], focused: [here], badge: 0 });
        assert.equal((await shown(page)).length, 0);

        // The page counts what is unread in it.
        const agent = await channel.join("builder");
        await page.evaluate(() => { Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true }); });
        await agent.send("unread");
        await shows(page, "unread");
        await until("the page counts it", () => page.evaluate(() => /** @type {any} */ (window).counts.at(-1) === 1));
        await page.evaluate(() => { Reflect.deleteProperty(document, "visibilityState"); document.dispatchEvent(new Event("visibilitychange")); });
        await until("and not when it was read", () => page.evaluate(() => /** @type {any} */ (window).counts.at(-1) === 0));
      });
    });
  } finally {
    push.close();
  }
});

// With PAGES_FROM the files of the page are not those that the worker can request.
const served = { skip: Boolean(process.env.PAGES_FROM) && "the sources are served" };

test("j17 a remembered channel opens while the hub is away, and no answer of the API is stored", served, () => withHub({}, async hub => {
  const channel = await hub.channel({ durability: "disk" });
  const agent = await channel.join("agent");
  await agent.send("a message that is not stored in the browser");
  await withContext(hub, { mayLog: networkErrors }, async context => {
    const page = await context.newPage();
    await page.goto(channel.url("phone", { n: "Workshop" }));
    await live(page);
    await settings(page);
    await page.getByLabel("Remember on this device").check();
    await page.getByRole("button", { name: "Close" }).click();
    await page.reload();
    await live(page);
    await settings(page);
    await until("it is still remembered", () => page.getByLabel("Remember on this device").isChecked());
    await page.getByRole("button", { name: "Close" }).click();
    const stored = () => page.evaluate(async () => (await (await caches.open("rogerrat-pages")).keys()).map(({ url }) => new URL(url).pathname));
    const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname));
    const files = loaded.filter(path => path.startsWith("/static/"));
    await until("the page is stored", async () => {
      const paths = await stored();
      return paths.includes("/remote") && files.every(path => paths.includes(path));
    });
    await hub.stop();
    await page.reload();
    await page.getByRole("heading", { name: "Workshop" }).waitFor();
    await page.locator(".state-busy").waitFor();
    const list = await context.newPage();
    await list.goto(`${hub.origin}/remote`);
    await list.getByRole("link", { name: /Workshop/ }).waitFor();
    await fourPictures(list, "channels-offline");
    await list.close();
    await hub.start();
    await live(page);
    await shows(page, "a message that is not stored in the browser");
    const paths = await stored();
    assert.deepEqual(paths.filter(path => path !== "/remote" && !path.startsWith("/static/")), []);
    const text = await page.evaluate(async () => {
      const cache = await caches.open("rogerrat-pages");
      return (await Promise.all((await cache.keys()).map(async key => (await cache.match(key))?.text()))).join("");
    });
    assert.ok(!text.includes("not stored in the browser") && [...hub.secrets].every(secret => !text.includes(secret)));
  });
}));

test("j17 the browser's offer to install is a button in the settings; a hub at a passing address makes none", () => withHub({}, async hub => {
  const channel = await hub.channel();
  for (const isPassing of [false, true]) {
    await withPage(hub, { axe: false }, async page => {
      if (isPassing) {
        await page.route("**/api/v1/info", async route => {
          const answer = await (await route.fetch()).json();
          await route.fulfill({ json: { ...answer, temporary_origin: true } });
        });
      }
      await page.goto(channel.url("phone"));
      await live(page);
      await page.evaluate(() => {
        const offer = Object.assign(new Event("beforeinstallprompt", { cancelable: true }), { prompt: async () => ({ outcome: "accepted" }) });
        dispatchEvent(offer);
        if (!offer.defaultPrevented) throw new Error("the offer was not kept");
      });
      const asked = page.waitForResponse("**/api/v1/info");
      await settings(page);
      await asked;
      const button = page.getByRole("button", { name: "Install the app" });
      if (isPassing) return assert.equal(await button.count(), 0);
      await button.click();
      await page.getByText("It is being installed").waitFor();
      assert.equal(await button.count(), 0);
    });
  }
}));

test("j17 the account lists the browsers that are notified: this one is added, tested and removed", async () => {
  const push = await service(201);
  try {
    await withHub({ env: { ...CONTACT, ROGERRAT_PUSH__HOSTS: push.origin } }, async hub => {
      const account = await hub.account();
      await withPage(hub, { width: 1280, height: 800 }, async page => {
        await standIn(page, `${push.origin}/desk`);
        await page.addInitScript(token => sessionStorage.setItem("rogerrat-account-session", token), account.session_token);
        await page.goto(`${hub.origin}/account`);
        const card = page.locator("#push");
        await card.getByText("No browser is notified").waitFor();
        await card.getByRole("button", { name: "Notify this browser" }).click();
        await card.getByText("This browser is notified from now on").waitFor();
        await card.getByText("this browser", { exact: true }).waitFor();
        await card.getByRole("button", { name: /^Test/ }).click();
        await card.getByText("The push service has taken the test").waitFor();
        assert.equal(push.got.length, 1);
        await card.scrollIntoViewIfNeeded();
        await fourPictures(page, "account-push");
        push.status = 410;
        await card.getByRole("button", { name: /^Test/ }).click();
        await card.getByText("no longer knows this browser").waitFor();
        await card.getByText("No browser is notified").waitFor();
        push.status = 201;
        await card.getByRole("button", { name: "Notify this browser" }).click();
        await card.getByRole("button", { name: /^Remove/ }).click();
        await card.getByText("No browser is notified").waitFor();
        const { body } = await hub.ask("GET", "/api/account/push", undefined, { authorization: `Bearer ${account.session_token}` });
        assert.deepEqual(body.subscriptions, []);
      });
    });
  } finally {
    push.close();
  }
});
