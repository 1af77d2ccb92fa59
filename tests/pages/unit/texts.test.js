// The texts of the pages: both languages have the same keys and places, and every key that the modules use exists.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { test } from "node:test";

const web = new URL("../../../web/static/", import.meta.url);
const files = (await readdir(new URL("i18n/en/", web))).filter(name => name.endsWith(".js"));
const texts = async (language, file) => (await import(new URL(`i18n/${language}/${file}`, web).href)).default;
const places = text => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort().join();

for (const file of files) {
  test(`${file} has the same keys and places in English and Spanish`, async () => {
    const [english, spanish] = await Promise.all([texts("en", file), texts("es", file)]);
    assert.deepEqual(Object.keys(spanish).sort(), Object.keys(english).sort());
    for (const [key, text] of Object.entries(english)) {
      assert.ok(text.trim() !== "" && spanish[key].trim() !== "", key);
      assert.equal(places(spanish[key]), places(text), key);
    }
  });
}

test("every key that the modules use exists", async () => {
  const known = Object.keys(Object.assign({}, ...await Promise.all(files.map(file => texts("en", file)))));
  const missing = [];
  for (const path of (await readdir(web, { recursive: true })).filter(path => path.endsWith(".js") && !/^(vendor|i18n)\//.test(path))) {
    const source = await readFile(new URL(path, web), "utf8");
    for (const [, name, quote, key] of source.matchAll(/\b(tn?)\((["`])([\w.${}|" ]+?)\2/g)) {
      // The known beginning and end of a key that is put together; a place stands for anything.
      const parts = quote === "`" ? key.split(/\$\{.*?\}/) : [key];
      const fits = one => one.startsWith(parts[0]) && one.endsWith(parts.at(-1) ?? "");
      const found = known.some(one => (parts.length === 1 ? one === (name === "tn" ? `${key}.other` : key) : fits(one)));
      if (!found) missing.push(`${path}: ${key}`);
    }
  }
  assert.deepEqual(missing, []);
});
