// What journeys through the chat have in common: its state, its texts, its composer.

import { until } from "./until.js";

/** @typedef {import("playwright-core").Page} Page */

/** Waits until messages arrive as they are sent. @param {Page} page */
export const live = page => page.locator(".state-good").waitFor();

/** Waits for a state of the connection, by the sentence that explains it. @param {Page} page @param {string | RegExp} title */
export async function state(page, title) {
  const seen = [];
  await until(`the state ${title}; seen: ${seen}`, async () => {
    const now = await page.locator(".state").getAttribute("title");
    if (seen.at(-1) !== now) seen.push(now);
    return typeof title === "string" ? now === title : title.test(now ?? "");
  }, 60_000);
}

/** The texts of all messages, in order. @param {Page} page @returns {Promise<string[]>} */
export const texts = page => page.locator(".row .text").allInnerTexts();

/** Waits for the text of a message. @param {Page} page @param {string} text */
export const shows = (page, text) => page.locator(".row .text").getByText(text, { exact: true }).first().waitFor({ state: "attached" });

/** Writes a message and sends it. @param {Page} page @param {string} text */
export async function write(page, text) {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

/** Waits until every own message was taken by the hub. @param {Page} page */
export async function allSent(page) {
  await until("all sent", async () => page.locator(".row .tick").evaluateAll(all => all.every(one => !/waiting|failed/i.test(one.className + one.textContent))), 30_000);
}

/** The console errors that a journey without a network provokes. */
export const networkErrors = /net::ERR|Failed to load resource|Failed to fetch|status of 5\d\d|ERR_/;
