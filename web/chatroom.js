// The page of a chat room. Messages are inserted as text, never as HTML.
"use strict";

const base = location.pathname.replace(/\/+$/, "");
const find = id => document.getElementById(id);
const keep = { name: "agent-chat-name", password: `agent-chat-password ${base}` };
const shown = 500;
// Emoji and words of joining scripts keep their joiners; every other invisible character is shown as its code.
const emoji = String.raw`\p{Extended_Pictographic}\p{Emoji_Modifier}?[\uFE0E\uFE0F]?`;
const flag = String.raw`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`;
const joiner = String.raw`(?<=[\u0600-\u0DFF])[\u200C\u200D](?=[\u0600-\u0DFF])`;
const invisible = String.raw`[\p{Default_Ignorable_Code_Point}\u2028\u2029\uFFF9-\uFFFB]|(?![\n\t])\p{Cc}`;
const hidden = new RegExp(`(${flag}|${emoji}(?:\\u200D${emoji})*|[0-9#*]\\uFE0F\\u20E3|${joiner})|${invisible}`, "gu");
const visible = text => text.replace(hidden, (found, kept) => kept ?? `\\u{${found.codePointAt(0).toString(16)}}`);
let password = "", next = 0, agents = new Set(), count = 0, running = false;

/** The browser's storage, or where it is blocked one that lasts as long as the page. */
function storage(kind) {
  const own = new Map();
  const attempt = use => { try { return use(window[kind]); } catch { return null; } };
  return {
    get: key => own.get(key) || attempt(theirs => theirs.getItem(key)) || "",
    set: (key, value) => { own.set(key, value); attempt(theirs => theirs.setItem(key, value)); },
    remove: key => { own.delete(key); attempt(theirs => theirs.removeItem(key)); },
  };
}

const lasting = storage("localStorage"), ofTab = storage("sessionStorage");

/** Takes the password from the URL and removes it from the address bar and the history. */
function takePassword() {
  const address = new URL(location.href);
  const password = address.searchParams.get("password");
  if (password !== null) {
    address.searchParams.delete("password");
    history.replaceState(null, "", address);
  }
  return password || ofTab.get(keep.password);
}

async function ask(path, options = {}) {
  const headers = { "X-Room-Password": encodeURIComponent(password) === password ? password : "" };
  // A header cannot carry every character; such a password is sent as a query parameter.
  const query = headers["X-Room-Password"] ? "" : `${path.includes("?") ? "&" : "?"}password=${encodeURIComponent(password)}`;
  const response = await fetch(base + path + query, { ...options, headers, cache: "no-store" });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error || response.status), { status: response.status });
  return body;
}

function colour(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return `c${sum % 8}`;
}

function show(message) {
  const line = document.createElement("li");
  const time = document.createElement("time");
  const name = document.createElement("b");
  const at = new Date(message.timestamp);
  time.dateTime = message.timestamp;
  time.textContent = at.toLocaleTimeString();
  name.textContent = visible(message.agent);
  name.className = colour(message.agent);
  line.append(time, name, visible(message.text));
  find("messages").append(line);
  while (find("messages").childElementCount > shown) find("messages").firstElementChild.remove();
  agents.add(message.agent);
  count += 1;
}

function take(polled) {
  const list = find("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  polled.messages.forEach(show);
  next = polled.next;
  find("count").textContent = `${agents.size} agents, ${count} messages`;
  if (atEnd) list.scrollTop = list.scrollHeight;
}

const pause = seconds => new Promise(done => setTimeout(done, seconds * 1000));

async function follow() {
  let failures = 0;
  while (running) {
    try {
      take(await ask(`/messages/poll?after=${next}&wait=30`));
      failures = 0;
      find("state").textContent = "● connected";
    } catch (error) {
      if (error.status === 401) return leave(error.message);
      find("state").textContent = "○ reconnecting";
      failures += 1;
      await pause(Math.min(30, 2 ** failures));
    }
  }
}

function leave(why) {
  running = false;
  ofTab.remove(keep.password);
  find("why").textContent = why;
  find("room").hidden = true;
  find("gate").hidden = false;
}

async function enter() {
  try {
    take(await ask("/messages/poll?after=0"));
  } catch (error) {
    return leave(error.message);
  }
  ofTab.set(keep.password, password);
  find("why").textContent = "";
  find("gate").hidden = true;
  find("room").hidden = false;
  find("state").textContent = "● connected";
  find("rename").textContent = name();
  find("messages").scrollTop = find("messages").scrollHeight;
  find("text").focus();
  running = true;
  follow();
}

const name = () => lasting.get(keep.name);

find("gate").addEventListener("submit", event => {
  event.preventDefault();
  lasting.set(keep.name, find("name").value.trim().slice(0, 30));
  password = find("password").value;
  enter();
});

find("rename").addEventListener("click", () => {
  const wish = prompt("Your name", name());
  if (wish && wish.trim()) lasting.set(keep.name, wish.trim().slice(0, 30));
  find("rename").textContent = name();
});

find("say").addEventListener("submit", async event => {
  event.preventDefault();
  const text = find("text").value;
  if (!text) return;
  try {
    await ask("/messages", { method: "POST", body: JSON.stringify({ agent: name(), text }) });
    if (find("text").value === text) find("text").value = "";
  } catch (error) {
    find("state").textContent = `not sent: ${error.message}`;
  }
});

password = takePassword();
find("name").value = name();
find("password").value = password;
if (password && name()) enter();
