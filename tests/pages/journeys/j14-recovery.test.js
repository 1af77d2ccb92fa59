// J14: an account is recovered by e-mail: attach, wrong codes, verify, the link, and what a mail scanner does with it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { confirm } from "../lib/forms.js";
import { withHub } from "../lib/hub.js";
import { withMailServer } from "../lib/mail.js";
import { fourPictures, withContext, withPage } from "../lib/page.js";
import { until } from "../lib/until.js";

const DESKTOP = { width: 1280, height: 800 };

/** Opens the page of an account in a tab. */
async function openAccount(page, hub, token) {
  await page.goto(`${hub.origin}/account`);
  await page.getByLabel("Recovery token").fill(token);
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await page.getByRole("heading", { name: "E-mail", exact: true }).waitFor();
}

/** The code of an e-mail. */
const codeOf = mail => /^\d{6}$/mu.exec(mail.text)?.[0] ?? "";

/** Sends a code to an address, in the section of the page. */
async function attach(page, address) {
  await page.locator("#email").getByLabel("E-mail address").fill(address);
  await page.getByRole("button", { name: "Send a code" }).click();
}

test("an address is attached, five wrong codes void the code, and a new one verifies it", () =>
  withMailServer(mails => withHub(mails.options, hub => withPage(hub, { ...DESKTOP, mayLog: /40[04]/ }, async page => {
    const account = await hub.account();
    await openAccount(page, hub, account.recovery_token);
    await page.getByText("No address yet.").waitFor();
    await attach(page, "ann@example.org");
    await page.getByText("A code was sent to a…@example.org.").waitFor();
    const first = codeOf(await mails.mail(0));
    await fourPictures(page, "account-email-code");
    const wrong = first === "000000" ? "111111" : "000000";
    for (let n = 0; n < 5; n += 1) {
      const answer = page.waitForResponse(response => response.url().endsWith("/email/verify"));
      await page.getByLabel("Code from the e-mail").fill(wrong);
      await page.getByRole("button", { name: "Confirm", exact: true }).click();
      assert.equal((await answer).status(), 400);
      await page.getByText("This is not the code of the newest e-mail.").waitFor();
      await until("the button works again", async () => await page.getByRole("button", { name: "Confirm", exact: true }).getAttribute("aria-disabled") === "false");
    }
    await page.getByLabel("Code from the e-mail").fill(first);
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await page.getByText("No address waits for this code").waitFor();

    await page.getByText("Another code, or another address").click();
    await attach(page, "ann@example.org");
    await page.getByLabel("Code from the e-mail").fill(codeOf(await mails.mail(1)));
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await page.getByText("recovers this account").waitFor();
    await fourPictures(page, "account-email-verified");

    await page.getByRole("button", { name: "Remove address" }).click();
    await confirm(page, "Remove address");
    await page.getByText("No address yet.").waitFor();
    assert.match((await mails.mail(2)).text, /no longer recovers/);
  }))));

test("an account is recovered by the link of an e-mail, which a scanner cannot use up", () =>
  withMailServer(mails => withHub(mails.options, hub => withContext(hub, { ...DESKTOP, mayLog: /401/ }, async context => {
    const account = await hub.account();
    const bearer = { authorization: `Bearer ${account.session_token}` };
    await hub.call("POST", "/api/account/email", { email: "ann@example.org" }, bearer);
    // The link of the e-mail opens in a tab that has no session.
    const verifying = await context.newPage();
    const verifyLink = await mails.link(0, hub);
    await fetch(verifyLink);
    await verifying.goto(verifyLink);
    await verifying.getByRole("heading", { name: "Confirm the e-mail address" }).waitFor();
    await fourPictures(verifying, "account-link-verify");
    assert.equal((await hub.call("GET", "/api/account", undefined, bearer)).email.verified, false);
    await verifying.getByRole("button", { name: "Confirm address" }).click();
    await verifying.getByText("a…@example.org recovers the account from now on.").waitFor();
    assert.equal((await hub.call("GET", "/api/account", undefined, bearer)).email.verified, true);
    await verifying.getByRole("button", { name: "Go to the account page" }).click();
    await verifying.getByRole("heading", { name: "Come back" }).waitFor();

    await verifying.getByText("No recovery token? Get a link by e-mail").click();
    await verifying.getByLabel("E-mail address").fill("ann@example.org");
    await verifying.getByRole("button", { name: "Send the link" }).click();
    await verifying.getByText("If an account has this address, a link is on its way.").waitFor();
    await fourPictures(verifying, "account-gate-mail");
    await verifying.close();

    const link = await mails.link(1, hub);
    for (const method of ["GET", "HEAD", "GET"]) await fetch(link, { method });
    const scanner = await context.newPage();
    await scanner.goto(link);
    await scanner.getByRole("button", { name: "Recover account" }).waitFor();
    await scanner.close();

    const page = await context.newPage();
    await page.goto(link);
    await page.getByRole("heading", { name: "Recover your account" }).waitFor();
    assert.equal(page.url(), `${hub.origin}/account/recover`, "the secret has left the address");
    await fourPictures(page, "account-link-recover");
    await page.getByRole("button", { name: "Recover account" }).click();
    await page.getByRole("dialog", { name: "Account recovered" }).waitFor();
    const recovery = (await page.locator("dialog[open] .secrets code").first().textContent()) ?? "";
    assert.match(recovery, /^rr_acct_/);
    hub.secrets.add(recovery);
    await page.getByLabel("I have kept it").check();
    await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "Devices and sessions" }).waitFor();
    await until("both sessions are listed", async () => await page.locator("#sessions li").count() === 2);
    assert.match((await mails.mail(2)).text, /was recovered/);
    assert.equal((await hub.ask("POST", "/api/account/recover", { recovery_token: account.recovery_token })).status, 401);
    assert.equal((await hub.ask("POST", "/api/account/recover", { recovery_token: recovery })).status, 200);

    const again = await context.newPage();
    await again.goto(link);
    await again.getByRole("button", { name: "Recover account" }).click();
    await again.getByText("This link was used, replaced by a newer one, or has expired.").waitFor();
  }))));

test("without a mail server the page offers no e-mail", () =>
  withHub({}, hub => withPage(hub, DESKTOP, async page => {
    const account = await hub.account();
    await page.goto(`${hub.origin}/account`);
    await page.getByLabel("Recovery token").fill(account.recovery_token);
    assert.equal(await page.getByText("Get a link by e-mail").count(), 0);
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.getByRole("heading", { name: "Identities" }).waitFor();
    assert.equal(await page.locator("#email").count(), 0);
  })));
