// The service worker: shows what is pushed, and opens the channel of a notification. It requests nothing and stores nothing.

/** The page of the channels, where a notification without an address leads. */
const START = "/remote";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", event => event.waitUntil(self.clients.claim()));
self.addEventListener("push", event => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", event => event.waitUntil(open(event.notification)));

/** Shows a notification whatever arrived: a browser takes the permission from a worker that shows nothing. */
async function show(data) {
  const { title, body, tag, lang, navigate, data: about } = read(data);
  await self.registration.showNotification(typeof title === "string" && title ? title : "rogerrat", {
    body: text(body),
    lang: text(lang),
    tag: text(tag),
    renotify: Boolean(text(tag)),
    data: { channel: text(about?.channel), message: Number(about?.message) || 0, path: pathOf(navigate) },
  });
  await badge();
}

/** The notification of a declarative push message. */
function read(data) {
  try {
    const found = data.json().notification;
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}

function text(value) {
  return typeof value === "string" ? value : "";
}

/** The path of an address of this hub. Another address is not opened. */
function pathOf(address) {
  try {
    const url = new URL(text(address), self.location.origin);
    return url.origin === self.location.origin ? url.pathname : START;
  } catch {
    return START;
  }
}

/** Shows the page of a notification: a window that has it, else a new one. */
async function open(notification) {
  notification.close();
  const path = notification.data?.path || START;
  await badge();
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const found = windows.find(window => new URL(window.url).pathname === path);
  await (found ? found.focus() : self.clients.openWindow(path));
}

/** The number on the icon of the installed app: the notifications that are shown. */
async function badge() {
  const count = (await self.registration.getNotifications()).length;
  await (count ? self.navigator.setAppBadge?.(count) : self.navigator.clearAppBadge?.())?.catch(() => undefined);
}
