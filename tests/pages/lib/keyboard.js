// What a person without a mouse does.

/** Presses Tab until an element is focused, as a person with a keyboard would. */
export async function tabTo(page, locator) {
  for (let n = 0; n < 80; n += 1) {
    if (await locator.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("the keyboard does not reach it");
}
