import { test } from "node:test";
import assert from "node:assert/strict";
import { withHub } from "../lib/hub.js";
import { withWebKit } from "../lib/webkit.js";
test("pages open in WebKit", async () => {
  await withHub({}, hub => withWebKit(async driver => {
    await driver.get(hub.origin);
    assert.match(await driver.getTitle(), /rogerrat/);
  }));
});
