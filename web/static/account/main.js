// The entry of the page `/account`: the gate, or the account that is open in this tab.
import { render } from "../vendor/lit-html/lit-html.js";
import { request, ApiError } from "../lib/api.js";
import { mountHeader } from "../lib/header.js";
import { start, t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { Gate } from "./gate.js";
import { takeLink } from "./link.js";
import { forgetToken, storedToken, storeToken } from "./token.js";

/** Before the first request. */
const first = takeLink(window);
/** @type {import("./open.js").OpenAccount | null} */
let opened = null;
/** @type {import("./mail-link.js").MailLink | null} */
let mailLink = null;
let isPlanned = false;

/** Draws the page soon; several changes at once are drawn together. */
function changed() {
  if (isPlanned) return;
  isPlanned = true;
  queueMicrotask(() => {
    isPlanned = false;
    draw();
  });
}

const gate = new Gate(changed, open);

/** @param {string} token a session token that the hub accepted, or one of this tab */
async function open(token) {
  storeToken(token);
  gate.notice = "";
  try {
    const { OpenAccount } = await load(import("./open.js"));
    opened = new OpenAccount(token, changed, leave);
  } catch {
    gate.notice = "incomplete";
  }
  changed();
}

/** @param {import("./gate.js").Notice} notice why */
function leave(notice) {
  opened?.stop();
  opened = null;
  forgetToken();
  document.querySelectorAll("dialog").forEach(dialog => dialog.close());
  gate.notice = notice;
  changed();
}

function draw() {
  const main = document.getElementById("app");
  if (main === null) return;
  if (mailLink !== null) render(mailLink.view(), main);
  else render(opened === null ? gate.view() : opened.view(gate.info.features ?? {}), main);
}

/**
 * Shows the link of an e-mail, if the page was opened by one.
 * @param {import("./link.js").Link | null} link
 */
async function followLink(link) {
  if (link === null) return;
  const done = () => {
    mailLink = null;
    changed();
  };
  const recovered = (/** @type {string} */ token) => {
    mailLink = null;
    opened?.stop();
    open(token);
  };
  try {
    const { MailLink } = await load(import("./mail-link.js"));
    mailLink = new MailLink(link, changed, done, recovered);
  } catch {
    gate.notice = "incomplete";
  }
  changed();
}

async function readInfo() {
  try {
    gate.info = await request("GET", "/api/v1/info");
    changed();
  } catch (error) {
    // Without it the gate asks for the hub's token once the hub has refused.
    if (!(error instanceof ApiError)) throw error;
  }
}

async function begin() {
  await start("account");
  document.title = `${t("account.title")} · rogerrat`;
  mountHeader();
  // The gate is not drawn before a link is.
  await followLink(first);
  addEventListener("hashchange", () => void followLink(takeLink(window)));
  if (storedToken() === "") draw();
  else open(storedToken());
  readInfo();
}

void begin();
