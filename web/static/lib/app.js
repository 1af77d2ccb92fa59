// The app that a browser can install: its service worker, push subscriptions, and what is kept for times without the hub.
import { request } from "./api.js";

/** The script of the service worker. Its address is the only one that the policy of the pages admits. */
const WORKER = "/sw.js";

/** @type {any} */
let policy;

/** Registers the service worker, or returns the one that is registered. */
export async function worker() {
  policy ??= /** @type {any} */ (window).trustedTypes?.createPolicy("hub", { createScriptURL: () => WORKER });
  await navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER, { scope: "/" });
  return navigator.serviceWorker.ready;
}

/** Whether the page runs as an installed app. */
export const isInstalled = () => matchMedia("(display-mode: standalone)").matches || isOnHomeScreen() === true;

/** Safari on phones and tablets: whether the page was opened from the home screen. Undefined elsewhere. @returns {boolean | undefined} */
export const isOnHomeScreen = () => /** @type {any} */ (navigator).standalone;

/** Whether the address of this page lasts: that of a tunnel does not, and an app that was installed from it is soon dead. */
export async function canInstall() {
  if (!window.isSecureContext || !("serviceWorker" in navigator)) return false;
  const info = await request("GET", "/api/v1/info");
  return info.temporary_origin !== true;
}

/** Keeps this page, and the page of the channels, for times without the hub. */
export async function keepForOffline() {
  if (!await canInstall()) return;
  const registration = await worker();
  const addresses = performance.getEntriesByType("resource").map(({ name }) => new URL(name));
  const files = addresses.filter(({ origin, pathname }) => origin === location.origin && pathname.startsWith("/static/"));
  registration.active?.postMessage({ keep: ["/remote", ...files.map(({ pathname }) => pathname)] });
}

/**
 * Why this browser has no notifications for pages like this one, or null.
 * @returns {"insecure" | "ios" | "browser" | null}
 */
export function pushObstacle() {
  if (!window.isSecureContext) return "insecure";
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) return null;
  // Safari on phones and tablets has them only for pages on the home screen.
  return isOnHomeScreen() === undefined ? "browser" : "ios";
}

/**
 * The subscription of this browser as the hub takes it. The browser has one for all pages of the hub.
 * @param {string} public_key of the hub
 */
export async function browserSubscription(public_key) {
  const registration = await worker();
  const key = bytes(public_key);
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && !isFor(subscription, key)) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = subscription.toJSON();
  return { endpoint, keys };
}

/** Whether this browser still has its subscription. */
export async function hasSubscription() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return Boolean(await registration?.pushManager.getSubscription());
}

/** @param {string} text base64url */
function bytes(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, char => char.charCodeAt(0));
}

/**
 * Whether a subscription is for the key of this hub.
 * @param {PushSubscription} subscription
 * @param {Uint8Array} key
 */
function isFor(subscription, key) {
  const own = subscription.options?.applicationServerKey;
  if (!own) return true;
  const other = new Uint8Array(own);
  return other.length === key.length && other.every((byte, at) => byte === key[at]);
}
