// The entry of a room of agent-chatroom: takes the password out of the address, asks for a name, then shows the chat.
import { followFragment } from "../lib/follow-fragment.js";
import { mountHeader } from "../lib/header.js";
import { start, t } from "../lib/i18n.js";
import { lasting } from "../lib/storage.js";
import { ChatPage } from "../chat/chat-page.js";
import { browserEnvironment } from "../chat/environment.js";
import { decoded } from "../chat/format.js";
import { createModel } from "../chat/model.js";
import { setTitle } from "../chat/title.js";
import { RoomForm } from "./form.js";
import { takePassword } from "./password.js";
import { RoomTransport } from "./transport.js";

/** The name is kept under the key of agent-chatroom's own page. */
const NAME = "agent-chat-name";
const path = location.pathname.replace(/\/+$/u, "");
const given = takePassword({ location, history });
followFragment();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
let title = "";

async function begin() {
  await start("chat", "room");
  mountHeader();
  document.documentElement.classList.add("chat-page");
  title = decoded(path.split("/").at(-1) || "") || t("room.title");
  setTitle(`${title} · rogerrat`);
  const stored = given ? null : await newModel().stored();
  const password = given || stored?.token || "";
  const name = lasting.get(NAME) ?? "";
  if (password && name) void enter(name, password);
  else ask(name, password, null);
}

/** A model of the room, not yet connected. */
function newModel() {
  const environment = browserEnvironment();
  return createModel(`room ${path || "/"}`, environment, new RoomTransport(path, environment));
}

/**
 * @param {string} name
 * @param {string} password
 * @param {import("../chat/types.js").Problem | null} problem
 */
function ask(name, password, problem) {
  const form = new RoomForm(root, { title, name, password, problem }, (chosen, secret) => {
    lasting.set(NAME, chosen);
    form.remove();
    void enter(chosen, secret);
  });
}

/**
 * @param {string} name
 * @param {string} password
 */
async function enter(name, password) {
  const model = newModel();
  let left = false;
  const again = () => {
    left = true;
    const problem = model.connection.state === "refused" ? model.connection.problem : null;
    page.remove();
    model.close();
    ask(name, problem ? "" : password, problem);
  };
  const page = new ChatPage(model, root, { rejoin: again, title });
  await model.start({ channel: model.channel.id, token: password, name });
  if (!left && model.connection.state === "refused") again();
}

void begin();
