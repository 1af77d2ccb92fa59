// What the chat loads later: no module that is loaded without `later()` uses a text that only `later()` loads.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const source = new URL("../../../web/static/", import.meta.url);

/** The modules that are loaded by imports, and by `import(…)` without `later()`. */
async function loaded(entry) {
  const found = new Map();
  const open = [new URL(entry, source)];
  for (const url of open) {
    if (found.has(url.href)) continue;
    const text = await readFile(url, "utf8");
    found.set(url.href, text);
    const code = text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gmu, "").replace(/later\(import\([^)]*\)\)/gu, "");
    // `later.js` loads such modules in advance, with their texts.
    if (url.pathname.endsWith("/chat/later.js")) continue;
    for (const [, to] of code.matchAll(/(?:from |import\()"(\.[^"]+\.js)"/gu)) open.push(new URL(to, url));
  }
  return found;
}

test("what is loaded first uses no text that is loaded later", async () => {
  for (const language of ["en", "es"]) {
    const { default: texts } = await import(new URL(`i18n/${language}/chat-later.js`, source).href);
    const { default: joining } = await import(new URL(`i18n/${language}/chat-join.js`, source).href);
    const keys = Object.keys({ ...texts, ...joining }).map(key => key.replace(/\.(?:one|other)$/u, ""));
    for (const entry of ["chat/main.js", "room/main.js"]) {
      const modules = await loaded(entry);
      assert.ok(modules.size > 40 && ![...modules.keys()].some(path => path.endsWith("/chat/help.js")), `${modules.size} modules`);
      for (const [path, text] of modules) {
        if (/\/(?:joining|join-form)\.js$/u.test(path)) continue;
        const found = keys.filter(key => ['"', "'", "`"].some(quote => text.includes(quote + key + quote)));
        assert.deepEqual(found, [], `${path} uses texts of chat-later.js or chat-join.js`);
      }
    }
  }
});
