// The entry of the chat: takes the secrets out of the address before anything else, then joins, or asks for what is missing.
import { BANDS } from "../lib/bands.js";
import { followFragment } from "../lib/follow-fragment.js";
import { mountHeader } from "../lib/header.js";
import { addTexts, start, t } from "../lib/i18n.js";
import "../lib/install.js";
import { load } from "../lib/load.js";
import { lasting } from "../lib/storage.js";
import { ChatPage } from "./chat-page.js";
import { browserEnvironment } from "./environment.js";
import { decoded } from "./format.js";
import { takeFragment } from "./fragment.js";
import { Http } from "./http.js";
import { complete } from "./join-fields.js";
import { DEVICE_KEYS } from "./keys.js";
import { later } from "./later.js";
import { createModel } from "./model.js";
import { HubError } from "./problem.js";
import { setTitle } from "./title.js";

/** @typedef {import("./types.js").Credentials} Credentials */
/** @typedef {import("./types.js").Problem} Problem */

const path = /^\/remote\/([^/]+)\/?$/u.exec(location.pathname);
const channel = path ? decoded(path[1]) : "";
const link = takeFragment({ location, history, needs_token: !BANDS.includes(channel) });
followFragment();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));

async function begin() {
  await start("chat");
  mountHeader();
  if (channel) return openChannel();
  setTitle(`${t("chat.channels")} · rogerrat`);
  const [{ showChannels }] = await Promise.all([later(import("./channels.js")), load(addTexts("chat-join"))]);
  await showChannels(root, browserEnvironment(), (id, fragment) => location.assign(`/remote/${encodeURIComponent(id)}${fragment}`));
}

async function openChannel() {
  document.documentElement.classList.add("chat-page");
  const stored = link.empty ? await newModel().stored() : null;
  const known = stored ?? { channel, ...link.secrets, same_member: Boolean(link.secrets.callsign) };
  const title = known.name || channel;
  setTitle(`${title} · rogerrat`);
  // What the channel is, is asked only if the link may be incomplete.
  const ready = !link.problem && complete(known, null) && (Boolean(known.owner_password) || stored !== null);
  const facts = ready ? null : await channelFacts();
  if (!link.problem && (ready || (facts && facts !== "missing" && complete(known, facts)))) return enter(known, title);
  const { linkNotice, showMissing } = await joining();
  if (facts === "missing") return showMissing(root, channel);
  await ask({ known, facts, problem: null, notice: linkNotice(link, facts), title });
}

/**
 * What the hub says of the channel without its token; null if it cannot be reached.
 * @returns {Promise<import("./join-fields.js").ChannelFacts | "missing" | null>}
 */
async function channelFacts() {
  try {
    const facts = await new Http(browserEnvironment()).json("GET", `/api/channels/${encodeURIComponent(channel)}`, { timeout_ms: 8000 });
    return { is_band: Boolean(facts.is_band), has_owner_password: Boolean(facts.has_owner_password), require_identity: Boolean(facts.require_identity) };
  } catch (error) {
    return error instanceof HubError && error.problem.status === 404 ? "missing" : null;
  }
}

/** What asks for what is missing, with its texts. */
const joining = () => load(Promise.all([import("./joining.js"), addTexts("chat-join")])).then(([module]) => module);

/** @param {import("./join-fields.js").JoinQuestion} question */
async function ask(question) {
  const { JoinForm } = await joining();
  const form = new JoinForm(root, question, (credentials, remember) => {
    form.remove();
    void enter(credentials, question.title, remember);
  });
}

/** A model of the channel, not yet connected. */
function newModel() {
  return createModel(channel, browserEnvironment());
}

/**
 * Shows the chat and joins; what is refused is asked for again, with a new model.
 * @param {Credentials} credentials
 * @param {string} title
 * @param {boolean} [remember]
 */
async function enter(credentials, title, remember) {
  const model = newModel();
  let left = false;
  const again = async () => {
    left = true;
    const problem = unsolved(model);
    const { callsign, ...rest } = model.credentials ?? credentials;
    const remembered = model.remembered;
    page.remove();
    model.close();
    const facts = await channelFacts();
    if (facts === "missing") return (await joining()).showMissing(root, channel);
    await ask({ known: problem ? { ...rest, callsign } : rest, facts, problem, title, remembered: remember ?? remembered });
  };
  const page = new ChatPage(model, root, { rejoin: () => void again(), title });
  const stored = model.stored();
  await model.start(credentials);
  await stored;
  if (left) return;
  if (unsolved(model)) return again();
  // A channel that is remembered is so with what this visit joined by.
  const wanted = remember ?? model.remembered;
  if (wanted || model.remembered) await model.remember(wanted).catch(() => undefined);
  if (lasting.get(DEVICE_KEYS.push(channel))) await (await import("./push.js")).renewPush(model);
}

/**
 * The problem that the reader must solve before joining can be tried again.
 * @param {import("./types.js").ChatModel} model
 */
function unsolved({ connection: { state, problem }, channel: { me } }) {
  return state === "refused" || (!me && problem?.code === "rate_limited") ? problem : null;
}

void begin();
