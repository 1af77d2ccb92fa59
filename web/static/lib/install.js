// The browser's offer to install the app, kept until a button uses it. It comes once, soon after the page has loaded.

/** @typedef {Event & {prompt: () => Promise<{outcome: "accepted" | "dismissed"}>}} Offer */

/** @type {Offer | null} */
let offer = null;

addEventListener("beforeinstallprompt", event => {
  event.preventDefault();
  offer = /** @type {Offer} */ (event);
});

/** Takes the offer, if there is one: it can be used once. */
export function takeOffer() {
  const taken = offer;
  offer = null;
  return taken;
}

export const hasOffer = () => offer !== null;
