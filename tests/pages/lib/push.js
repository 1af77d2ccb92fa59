// What journeys about notifications have in common: a push service, a browser's subscription to it, and the service worker.

import { once } from "node:events";
import { createServer } from "node:http";

import { until } from "./until.js";

/** The example keys of RFC 8291. */
const KEYS = { p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg" };

/** A push service that answers with a status. @param {number} status */
export async function service(status) {
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
export async function standIn(page, endpoint) {
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
export const shown = page => page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, channel: data.channel, path: data.path }));
});

/** Delivers a push message to the service worker. @param {import("playwright-core").Page} page */
export async function deliverer(page, origin) {
  const protocol = await page.context().newCDPSession(page);
  let registrationId = "";
  protocol.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    for (const one of registrations) if (one.scopeURL === `${origin}/` && !one.isDeleted) registrationId = one.registrationId;
  });
  await protocol.send("ServiceWorker.enable");
  await until("the service worker is registered", async () => registrationId !== "");
  return data => protocol.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
}
