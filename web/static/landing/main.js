// The start page: creates channels and remote controls, and shows the public bands.
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { announce } from "../lib/announce.js";
import { ApiError, request } from "../lib/api.js";
import { errorText } from "../lib/errors.js";
import { mountHeader } from "../lib/header.js";
import { start, t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { isLoopback } from "../lib/loopback.js";
import { whileVisible } from "../lib/refresh.js";
import { bandList, counters, howItWorks, sampleTalk } from "./around.js";
import { createForm } from "./create.js";
import { remoteStart } from "./remote.js";
import { fieldOf, initialSettings, requestBody } from "./settings.js";

/** How long the first rendering waits for the info of the hub, which decides what the forms show. */
const INFO_MS = 1000;
/** How often counters and bands are loaded again. */
const REFRESH_MS = 30_000;

/** @typedef {{field: string, text: string}} Fault */

const state = {
  info: /** @type {any} */ (null),
  stats: /** @type {any} */ (null),
  bands: /** @type {any[] | null} */ (null),
  settings: initialSettings(location.hostname),
  hub_token: "",
  /** The request that is under way. */
  busy: /** @type {"" | "create" | "remote"} */ (""),
  create_error: /** @type {Fault | null} */ (null),
  remote_error: /** @type {Fault | null} */ (null),
  /** Renders what was created, in place of the forms. */
  result: /** @type {(() => unknown) | null} */ (null),
};

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const origin = location.origin;
const foot = app.querySelector(".foot");
const information = request("GET", "/api/v1/info").then((info) => {
  state.info = info;
}, () => {});

async function begin() {
  await Promise.all([start("landing"), Promise.race([information, new Promise((done) => setTimeout(done, INFO_MS))])]);
  mountHeader();
  app.replaceChildren();
  draw();
  information.then(draw);
  whileVisible(REFRESH_MS, refresh);
}

function draw() {
  render(page(), app);
}

function page() {
  return html`<div class="hero"><div><h1>${t("landing.title")}</h1><p class="lead">${t("landing.lead")}</p>${counters(state.stats)}</div>${sampleTalk()}</div>
    ${state.result ? state.result() : forms()}
    ${bandList(state.bands)}${howItWorks(origin)}${foot}`;
}

function forms() {
  const needs = state.info?.token_needed_for ?? (state.info?.create_needs_token ? ["channels", "remote_control"] : []);
  const token = (/** @type {string} */ value) => {
    state.hub_token = value;
  };
  const create = createForm(
    { settings: state.settings, hub_token: state.hub_token, needs_token: needs.includes("channels"), busy: state.busy === "create", error: state.create_error },
    { change, token, submit: submitCreate },
  );
  const remote = remoteStart(
    { needs_token: needs.includes("remote_control"), hub_token: state.hub_token, busy: state.busy === "remote", error: state.remote_error },
    { token, submit: submitRemote },
  );
  return html`<div class="starts ${state.info?.features?.remote === false ? "single" : ""}">${create}${state.info?.features?.remote === false ? nothing : remote}</div>`;
}

/** @param {Partial<import("./settings.js").Settings>} changed */
function change(changed) {
  Object.assign(state.settings, changed);
  draw();
}

async function submitCreate() {
  const { trust_mode, owner_password, require_identity } = state.settings;
  const length = owner_password.trim().length;
  if (trust_mode === "trusted" && (length || !require_identity) && length < 6) {
    return refuse("create_error", "owner_password", t("landing.owner_password.short"));
  }
  await send("create", "/api/channels", requestBody(state.settings), async () => {
    const { channelResult } = await load(import("./result.js"));
    const phones = state.info?.origin ?? origin;
    const is_local = isLoopback(phones);
    return (channel) => channelResult(channel, { origin: phones, is_local, draw, again });
  });
}

async function submitRemote() {
  await send("remote", "/api/remote-control", { qr: "none" }, async () => {
    const { remoteResult } = await load(import("./remote-result.js"));
    return (remote) => remoteResult(remote, { draw, again });
  });
}

/**
 * @param {"create" | "remote"} what
 * @param {string} path
 * @param {unknown} body
 * @param {() => Promise<(reply: any) => unknown>} view loads what shows the reply: before the request, so that no reply is
 *   lost for want of it
 */
async function send(what, path, body, view) {
  state.busy = what;
  state[`${what}_error`] = null;
  draw();
  try {
    const show = await view();
    const reply = await request("POST", path, { body, token: state.hub_token.trim() || undefined });
    state.result = () => show(reply);
    state.busy = "";
    draw();
    const title = document.getElementById("result-title");
    title?.focus();
    title?.closest(".card")?.scrollIntoView({ block: "start" });
    announce(t("landing.result.created"));
  } catch (error) {
    state.busy = "";
    const field = error instanceof ApiError ? fieldOf(error) : "";
    refuse(`${what}_error`, field, field === "hub_token" ? t("landing.hub_token.wrong") : errorText(error));
  }
}

/**
 * Shows a refusal beside its field, and moves the focus there.
 *
 * @param {"create_error" | "remote_error"} place
 * @param {string} field
 * @param {string} text
 */
function refuse(place, field, text) {
  // A hub that demands a token from now on, or one whose info could not be loaded.
  if (field === "hub_token") state.info = { ...state.info, token_needed_for: ["channels", "remote_control"] };
  state[place] = { field, text };
  draw();
  const id = place === "remote_error" && field === "hub_token" ? "remote_token" : field;
  if (id) document.getElementById(id)?.focus();
}

function again() {
  Object.assign(state, { result: null, create_error: null, remote_error: null, settings: initialSettings(location.hostname) });
  draw();
  document.querySelector(/** @type {"input"} */ (".presets input:checked"))?.focus();
}

/** Failures are not shown: the numbers stay as they are. */
async function refresh() {
  const [stats, bands] = await Promise.allSettled([request("GET", "/api/stats"), request("GET", "/api/bands")]);
  if (stats.status === "fulfilled") state.stats = stats.value;
  if (bands.status === "fulfilled") state.bands = bands.value.bands;
  draw();
}

void begin();
