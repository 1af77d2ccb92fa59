// What journeys through the pages of forms have in common: dialogs to confirm, and a hostile text.

/** Text that would run or change the page if it were not text. */
export const HOSTILE = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>\u202e"'>&amp;{{x}}`;

/** Confirms a dialog; `typed` is the name that it asks for. */
export async function confirm(page, action, typed) {
  const name = await page.getByRole("dialog").getAttribute("aria-labelledby");
  const dialog = page.locator(`dialog[aria-labelledby=${name}]`);
  if (typed !== undefined) await dialog.getByRole("textbox").fill(typed);
  await dialog.getByRole("button", { name: action, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}
