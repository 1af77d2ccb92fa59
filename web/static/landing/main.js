// The start page: creates channels and remote controls, and shows the public bands.
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { announce } from "../lib/announce.js";
import { ApiError, request } from "../lib/api.js";
import { errorText } from "../lib/errors.js";
import { mountHeader } from "../lib/header.js";
import { start, t } from "../lib/i18n.js";
import { whileVisible } from "../lib/refresh.js";
import { bandList, counters, howItWorks, sampleTalk } from "./around.js";
import { createForm } from "./create.js";
import { remoteResult, remoteStart } from "./remote.js";
import { channelResult } from "./result.js";
import { fieldOf, initialSettings, requestBody } from "./settings.js";

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
  channel: /** @type {any} */ (null),
  remote: /** @type {any} */ (null),
};

const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const origin = location.origin;
const starting = start("landing");
const information = request("GET", "/api/v1/info").catch(() => null);
await starting;
mountHeader();
app.replaceChildren();
draw();
state.info = await information;
draw();
whileVisible(REFRESH_MS, refresh);

function draw() {
  render(page(), app);
}

function page() {
  return html`<div class="hero"><div><h1>${t("landing.title")}</h1><p class="lead">${t("landing.lead")}</p>${counters(state.stats)}</div>${sampleTalk()}</div>
    ${state.channel ? created() : state.remote ? remoteResult(state.remote, { draw, again }) : forms()}
    ${bandList(state.bands)}${howItWorks(origin)}`;
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

function created() {
  const phones = state.info?.origin ?? origin;
  const is_local = /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(new URL(phones).hostname);
  return channelResult(state.channel, { origin: phones, is_local, draw, again });
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
  await send("create", "/api/channels", requestBody(state.settings), (reply) => {
    state.channel = reply;
  });
}

async function submitRemote() {
  await send("remote", "/api/remote-control", { qr: "none" }, (reply) => {
    state.remote = reply;
  });
}

/**
 * @param {"create" | "remote"} what
 * @param {string} path
 * @param {unknown} body
 * @param {(reply: any) => void} use
 */
async function send(what, path, body, use) {
  state.busy = what;
  state[`${what}_error`] = null;
  draw();
  try {
    use(await request("POST", path, { body, token: state.hub_token.trim() || undefined }));
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
  Object.assign(state, { channel: null, remote: null, create_error: null, remote_error: null, settings: initialSettings(location.hostname) });
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
