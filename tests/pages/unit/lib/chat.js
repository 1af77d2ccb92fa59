// A chat model on a scripted hub and a fake clock.

import { createModel } from "../../../../web/static/chat/model.js";
import { FakeClock, fakeWorld, settle } from "./fake.js";
import { ScriptedHub } from "./scripted_hub.js";

/** Opens a tab, and ends it after the test. */
export async function chat(context, { hub, clock = hub?.clock ?? new FakeClock(), start = true, transport, ...world } = {}) {
  const scripted = hub ?? new ScriptedHub(clock);
  const tab = fakeWorld({ fetch: scripted.fetch, clock, ...world });
  const model = createModel("quiet-otter-3a8f", tab.environment, transport?.(tab.environment));
  context.after(() => model.close());
  const states = [], details = [];
  model.subscribe(detail => {
    details.push(detail);
    if (detail.parts.has("connection") && states.at(-1) !== model.connection.state) states.push(model.connection.state);
  });
  if (start) {
    model.start({ channel: "quiet-otter-3a8f", token: "t", identity_key: "k" });
    await settle();
  }
  return { model, hub: scripted, clock, states, details, ...tab };
}

/** The texts of the log, with its dividers. */
export function texts(model) {
  return model.entries.map(entry => (entry.type === "message" ? entry.message.text : `<${entry.type}>`));
}

/** The view shows these for long enough. */
export async function look(tab, ids) {
  for (const id of ids) tab.model.seen(id);
  await tab.clock.pass(1_500);
}
