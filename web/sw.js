// The service worker: shows what is pushed, opens the channel of a notification, and shows the pages while the hub is away. It
// stores the shells of pages and their files below /static/, which have no secret, and never an answer of the API.

/** The page of the channels, where a notification without an address leads. */
const START = "/remote";
const CACHE = "rogerrat-pages";
const STORED = { cacheName: CACHE, ignoreVary: true };

/** Pages that are shown while the hub is away. The shell of every channel is the same. */
const SHELLS = new Map([["/", "/"], ["/start", "/start"], ["/account", "/account"], [START, START]]);

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", event => event.waitUntil(self.clients.claim()));
self.addEventListener("push", event => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", event => event.waitUntil(open(event.notification)));
self.addEventListener("message", event => event.waitUntil(keep(event.data)));
self.addEventListener("fetch", event => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const shell = request.mode === "navigate" ? shellOf(url.pathname) : undefined;
  if (shell) event.respondWith(page(request, shell, event));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request, event));
});

/** The path under which the shell of a page is stored. */
function shellOf(path) {
  return SHELLS.get(path) ?? (path.startsWith(`${START}/`) ? START : undefined);
}

/** A page as the hub has it now, else as it was stored. */
async function page(request, shell, event) {
  try {
    const response = await fetch(request);
    if (isStorable(response)) event.waitUntil(storeShell(shell, response.clone()));
    // A proxy answers for a hub that is away.
    const isAway = response.status >= 502 && response.status <= 504;
    return isAway && await caches.match(shell, STORED) || response;
  } catch (error) {
    const stored = await caches.match(shell, STORED);
    if (stored) return stored;
    throw error;
  }
}

/** A file, which never changes under its address. */
async function file(request, event) {
  const { pathname } = new URL(request.url);
  const stored = await caches.match(pathname, STORED);
  if (stored) return stored;
  const response = await fetch(request);
  if (isStorable(response)) event.waitUntil(store(pathname, response.clone()));
  return response;
}

/** What came from this hub, whole. A proxy may have sent the reader elsewhere. */
function isStorable(response) {
  return response.status === 200 && response.type === "basic" && !response.redirected;
}

async function store(path, response) {
  try {
    await (await caches.open(CACHE)).put(path, response);
  } catch {
    // No room, or storage is blocked.
  }
}

/** Stores a shell, and removes the files of earlier versions. */
async function storeShell(shell, response) {
  const version = /\/static\/[^/"]+\//u.exec(await response.clone().text())?.[0];
  if (!version) return;
  await store(shell, response);
  const cache = await caches.open(CACHE);
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname.startsWith("/static/") && !pathname.startsWith(version)) await cache.delete(pathname);
  }
}

/** Stores what a page had loaded before this worker was there. */
async function keep(data) {
  if (!Array.isArray(data?.keep)) return;
  const paths = data.keep.filter(path => typeof path === "string" && (path.startsWith("/static/") || SHELLS.has(path)));
  for (const path of paths) {
    if (await caches.match(path, STORED)) continue;
    const response = await fetch(path).catch(() => null);
    if (response && isStorable(response)) await (SHELLS.has(path) ? storeShell(path, response) : store(path, response));
  }
}

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
