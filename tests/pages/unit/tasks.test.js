// Tasks in the model: what events, the board and messages tell, and what is sent for them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Tasks, isOpen } from "../../../web/static/chat/tasks.js";
import { FakeClock, settle } from "./lib/fake.js";
import { chat } from "./lib/chat.js";

const row = (id, state, more = {}) => ({ id, from: "bob", to: "all", wants: "work", text: "fix it", state, deadline: 9e12, attempts: 0, answered: 0, updated_at: id, ...more });
const states = model => model.tasks.map(({ id, state }) => `${id} ${state}`);
const entryOf = (model, id) => model.entries.find(entry => entry.id === id);
const boards = hub => hub.requests.filter(({ path }) => path === "/tasks").length;

test("a channel without tasks never asks for the board", async t => {
  const { model, hub, clock } = await chat(t);
  hub.says("hello");
  await clock.pass(10_000);
  hub.stream.cut();
  await clock.pass(10_000);
  assert.deepEqual([boards(hub), model.tasks.length], [0, 0]);
});

test("a message that wants something is open at once, and events report each change", async t => {
  const { model, hub, details } = await chat(t);
  const { id } = hub.says("fix it", { wants: "work", deadline: 9e12 });
  await settle();
  assert.deepEqual([states(model), entryOf(model, id).task.state], [[`${id} open`], "open"]);
  hub.stream.event("task", { tasks: [row(id, "held", { holder: "me", fence: 1, updated_at: id + 1 })] });
  await settle();
  assert.deepEqual([entryOf(model, id).task.state, entryOf(model, id).task.holder], ["held", "me"]);
  assert.ok(details.at(-1).parts.has("tasks") && details.at(-1).parts.has("entries"));
  hub.stream.event("task", { tasks: [row(id, "open", { updated_at: id })] });
  await settle();
  assert.equal(entryOf(model, id).task.state, "held", "an older row changes nothing");
  hub.stream.event("task", { tasks: [], removed: [id] });
  await settle();
  assert.equal(entryOf(model, id).task.state, "gone");
  assert.equal(boards(hub), 0, "the stream was enough");
});

test("an answer that arrives after the state of its task is shown with it", async t => {
  const { model, hub, details } = await chat(t);
  const { id } = hub.says("when?", { wants: "answer", deadline: 9e12 });
  await settle();
  hub.stream.event("task", { tasks: [row(id, "done", { wants: "answer", answered: 1, updated_at: id + 1 })] });
  await settle();
  const before = entryOf(model, id);
  hub.says("now", { reply_to: id, state: "done" });
  await settle();
  assert.ok(entryOf(model, id) !== before, "its entry is drawn again");
  assert.ok(details.at(-1).parts.has("entries"));
});

test("tasks in what was loaded are looked up once, and one that the hub does not know has no row", async t => {
  const { model, hub, clock } = await chat(t, { start: false });
  const [kept, lost] = [hub.says("a", { wants: "work", deadline: 9e12 }), hub.says("b", { wants: "answer", deadline: 9e12 })];
  hub.board = [row(kept.id, "done")];
  void model.start({ channel: "quiet-otter-3a8f", token: "t", identity_key: "k" });
  await settle();
  await clock.pass(1_000);
  assert.deepEqual([entryOf(model, kept.id).task.state, entryOf(model, lost.id).task, boards(hub)], ["done", null, 1]);
  // It is not looked up again.
  hub.stream.cut();
  await clock.pass(20_000);
  assert.equal(boards(hub), 1);
});

test("after a cut the board tells what ended meanwhile", async t => {
  const { model, hub, clock } = await chat(t);
  const { id } = hub.says("fix it", { wants: "work", deadline: 9e12 });
  await settle();
  hub.stream.cut();
  await clock.pass(20_000);
  assert.equal(entryOf(model, id).task.state, "gone");
  assert.equal(boards(hub), 1);
});

test("while polling, a reply to a task is followed by a look at the board", async t => {
  const { model, hub, clock } = await chat(t, { start: false });
  hub.streamsPass = false;
  void model.start({ channel: "quiet-otter-3a8f", token: "t", identity_key: "k" });
  await clock.pass(6_500);
  assert.equal(model.connection.state, "live-poll");
  const { id } = hub.says("fix it", { wants: "work", deadline: 9e12 });
  hub.board = [row(id, "done", { answered: 1 })];
  await clock.pass(100);
  hub.says("done", { reply_to: id, state: "done" });
  await clock.pass(1_000);
  assert.equal(entryOf(model, id).task.state, "done");
});

test("what is asked and what a reply does goes out with the message, once", async t => {
  const { model, hub } = await chat(t);
  model.send({ text: "when?", wants: "answer", deadline_seconds: 900 });
  model.send({ text: "done", to: "bob", reply_to: 7, state: "done", fence: 3 });
  model.send({ text: "plain" });
  await settle();
  const sent = hub.requests.filter(({ path }) => path === "/send").map(({ body: { client_msg_id, ...rest } }) => rest);
  assert.deepEqual(sent, [
    { to: "all", message: "when?", wants: "answer", deadline_seconds: 900 },
    { to: "bob", message: "done", reply_to: 7, state: "done", fence: 3 },
    { to: "all", message: "plain" },
  ]);
  assert.equal(model.tasks[0].state, "open", "the own question is on the board at once");
});

test("tasks are bounded: closed ones go first", () => {
  let changes = 0;
  const tasks = new Tasks({ clock: new FakeClock(), board: async () => ({ tasks: [] }), isLive: () => true, changed: () => { changes += 1; } });
  tasks.apply({ tasks: Array.from({ length: 1500 }, (_, at) => row(at + 1, at < 200 ? "open" : "done")) });
  assert.deepEqual([tasks.list.length, tasks.list.filter(isOpen).length, tasks.list[0].id, changes], [700, 200, 1500, 1]);
  for (const bad of [null, {}, { tasks: 7 }, { tasks: [null, 7, { id: "x", state: "open" }, { id: 5 }] }, { removed: [9e9] }]) tasks.apply(bad);
  assert.equal(tasks.list.length, 700);
});
