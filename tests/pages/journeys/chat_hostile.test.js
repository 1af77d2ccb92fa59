// J11 and J12: what peers write runs nothing, fetches nothing and is shown as it is; hostile files are downloads.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { live } from "../lib/chat.js";
import { withHub } from "../lib/hub.js";
import { picture, withPage } from "../lib/page.js";

/** Texts that have run something in some chat. None of them has marks of markdown, so they must be shown as they are. */
const texts = [
  "<script>window.hit=1</script>",
  "<img src=x onerror=window.hit=1>",
  "<svg onload=window.hit=1><animate onbegin=window.hit=1 attributeName=x dur=1s>",
  "\"><iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
  "</p></article></li><h1>forged</h1>",
  "javascript:window.hit=1",
  "data:text/html,<script>window.hit=1</script>",
  "{{constructor.constructor('window.hit=1')()}} ${window.hit=1} <!--?lit$1$-->",
  "&lt;script&gt; &amp;amp; &#60;b&#62;",
  "<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>",
  "<a href=javascript:window.hit=1>click</a>",
  "<form action=/remote><button>x</button></form><input autofocus onfocus=window.hit=1>",
  "<base href=//evil.invalid/><link rel=stylesheet href=//evil.invalid/x.css>",
  "ชื่อ مرحبا שלום 🏳️‍🌈 👨‍👩‍👧 é̂̂̂",
];

/** Markdown that must not lead anywhere, and the text that must remain. */
const markdown = [
  "[x](javascript:window.hit=1) **a**",
  "[x](data:text/html;base64,PHNjcmlwdD4=) **a**",
  "![x](//evil.invalid/leak.png) **a**",
  "![x](http://evil.invalid/leak.png) **a**",
  "[x](vbscript:x) **a** [y](JaVaScRiPt:window.hit=1) [z](java\tscript:window.hit=1)",
  "<http://evil.invalid/?auto> **a**",
  "[http://bank.example](http://evil.invalid/login) **a**",
  "[ref][1] **a**\n\n[1]: javascript:window.hit=1",
  "| a | b |\n|---|---|\n| <img src=x onerror=window.hit=1> | [x](javascript:window.hit=1) |",
  "```<img src=x onerror=window.hit=1>\n<script>window.hit=1</script>\n```",
  "- [ ] <b onmouseover=window.hit=1>x</b>\n- [x] y",
  "> <style>*{display:none}</style> **a**",
];

test("j11 text of peers runs nothing, fetches nothing and is shown as it is", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel({ retention: "full" });
    const agent = await channel.join("agent");
    await withPage(hub, { width: 1280, height: 800 }, async page => {
      await page.goto(channel.url("zoe"));
      await live(page);
      for (const text of texts) await agent.send({ message: text, thread: text.slice(0, 64), suggested_replies: [text.slice(0, 64)] });
      for (const text of markdown) await agent.send(text);
      await agent.send({ kind: "status", message: texts[1] });
      await agent.send("done");
      await page.getByText("done", { exact: true }).waitFor();
      const shown = await page.locator(".row:has(.thread) .text").evaluateAll(all => all.map(one => one.textContent));
      assert.deepEqual(shown, texts);
      const threads = await page.locator(".thread bdi").evaluateAll(all => all.map(one => one.textContent));
      assert.deepEqual(threads, texts.map(text => text.slice(0, 64)));
      const answers = await page.locator(".answer bdi").evaluateAll(all => all.map(one => one.textContent));
      assert.deepEqual(answers, texts.map(text => text.slice(0, 64).trim()));
      assert.equal(await page.evaluate(() => window.hit), undefined);
      const found = await page.locator(".messages").evaluate(list => ({
        tags: [...new Set([...list.querySelectorAll("*")].map(one => one.tagName.toLowerCase()))],
        links: [...list.querySelectorAll("a")].map(link => [link.protocol, link.rel, link.target, link.parentElement.textContent]),
        handlers: [...list.querySelectorAll("*")].filter(one => [...one.attributes].some(({ name }) => name.startsWith("on") || name === "style")).length,
      }));
      for (const tag of ["script", "img", "iframe", "style", "form", "input", "base", "link", "math", "object", "embed"]) {
        assert.ok(!found.tags.includes(tag), `a <${tag}> in the log`);
      }
      assert.equal(found.handlers, 0);
      for (const [protocol, rel, target, text] of found.links) {
        assert.ok(["http:", "https:", "mailto:"].includes(protocol), protocol);
        assert.deepEqual([rel, target], ["noopener noreferrer nofollow", "_blank"]);
        assert.ok(text.includes("evil.invalid"), `the host is not shown: ${text}`);
      }
      // Names of files, senders and channels.
      await agent.send({ message: "a file", attachments: [{ mime: "text/plain", data_base64: "aGk=", filename: "\u202Etxt.<img src=x onerror=window.hit=1>" }] });
      await page.locator(".file bdi", { hasText: "\\u{202e}" }).waitFor();
      await agent.send("a\u200Bb \u202Ec");
      await page.getByText("a\\u{200b}b \\u{202e}c").waitFor();
      // The panels show the same.
      await page.getByRole("button", { name: "Search" }).first().click();
      await page.getByRole("searchbox").fill("onerror");
      await page.locator(".results li").first().waitFor();
      assert.equal(await page.locator(".results img, .results script").count(), 0);
      await picture(page, "chat-hostile");
      assert.equal(await page.evaluate(() => window.hit), undefined);
    });
    for (const part of ["t", "k", "cs", "p", "n"]) {
      await withPage(hub, { mayLog: /40[014]/, axe: false }, async page => {
        const evil = encodeURIComponent("<img src=x onerror=window.hit=1>");
        await page.goto(`${hub.origin}/remote/${channel.id}#t=${channel.token}&cs=zed&${part}=${evil}&n=${evil}`);
        await page.locator("h1").first().waitFor();
        assert.equal(await page.evaluate(() => window.hit), undefined);
        assert.equal(await page.locator("img").count(), 0);
      });
    }
    await withPage(hub, { mayLog: /404|400/ }, async page => {
      await page.goto(`${hub.origin}/remote/${encodeURIComponent("<img src=x onerror=window.hit=1>")}`);
      await page.getByText("There is no such channel").waitFor();
      assert.equal(await page.locator("img").count(), 0);
    });
  });
});

test("j11 a room shows any name as it is", async () => {
  await withHub({ flags: ["--chatroom", "pass-of-the-room"] }, async hub => {
    const evil = "<img src=x onerror=window.hit=1>\u202E";
    await hub.call("POST", "/messages", { agent: evil, text: evil }, { "x-room-password": "pass-of-the-room" });
    await withPage(hub, {}, async page => {
      await page.goto(`${hub.origin}/#p=pass-of-the-room`);
      await page.getByLabel("Your name").fill(evil.slice(0, 30));
      await page.getByRole("button", { name: "Join" }).click();
      await live(page);
      assert.equal(await page.locator(".row h2").innerText(), "<img src=x onerror=window.hit=1>\\u{202e}");
      assert.equal(await page.evaluate(() => window.hit), undefined);
      assert.equal(await page.locator(".messages img").count(), 0);
    });
  });
});

test("j11 markdown takes bounded time", async () => {
  await withHub({}, async hub => {
    await withPage(hub, {}, async page => {
      // The bundle exports nothing to import: these are the modules that it is made of, on a page without the bundle.
      await page.route("**/static/**/*.js", route => route.fulfill({ contentType: "text/javascript", body: "" }));
      await page.route("**/sources/**", async route => route.fulfill({
        contentType: "text/javascript", body: await readFile(new URL(`../../../web/static/${new URL(route.request().url()).pathname.slice(9)}`, import.meta.url)),
      }));
      await page.goto(`${hub.origin}/policy`);
      const times = await page.evaluate(async () => {
        const { loadMarkdown, textNodes } = await import("/sources/chat/message-text.js");
        await loadMarkdown();
        const n = 8192;
        const cases = {
          brackets: "[".repeat(n), pairs: "[".repeat(n / 2) + "]".repeat(n / 2), links: "[a](b)".repeat(n / 6), images: "![[".repeat(n / 3), parens: "[a]((".repeat(n / 6),
          stars: "*a **b ".repeat(n / 7), mixed: "a**b*a_".repeat(n / 7), ticks: Array.from({ length: 120 }, (_, at) => "`".repeat(at % 60 + 1) + "a").join(" "),
          quotes: ">".repeat(n), quotes2: "> ".repeat(n / 2), lists: "- ".repeat(n / 2), numbers: "1. ".repeat(n / 3), nested: "- > ".repeat(n / 4),
          table: `${"|a".repeat(2000)}\n${"|-".repeat(2000)}`, mail: `${"a.".repeat(n / 2)}@`, urls: "http://".repeat(n / 7), tildes: "~~a".repeat(n / 3),
          tags: "<a ".repeat(n / 3), comments: "<!--".repeat(n / 4), defs: "[x]: <".repeat(n / 6), marked: `**a** ${"[".repeat(300)}`, marked2: `**a** ${"*b _c ".repeat(200)}`, long: `**a** ${"word ".repeat(1500)}`,
        };
        const found = {};
        for (const [name, text] of Object.entries(cases)) {
          const took = [];
          for (let round = 0; round < 3; round += 1) {
            const began = performance.now();
            textNodes(text.slice(0, n));
            took.push(performance.now() - began);
          }
          found[name] = Math.min(...took);
        }
        return found;
      });
      console.log(Object.entries(times).map(([name, ms]) => `${name} ${ms.toFixed(1)}`).join(", "), "ms");
      for (const [name, ms] of Object.entries(times)) assert.ok(ms <= 50, `${name} takes ${ms} ms`);
    });
  });
});

/** A PNG header that claims a size, with little behind it. */
function png(width, height) {
  const chunk = (type, data) => {
    const all = Buffer.alloc(12 + data.length);
    all.writeUInt32BE(data.length);
    all.write(type, 4);
    data.copy(all, 8);
    all.writeInt32BE(crc(all.subarray(4, 8 + data.length)), 8 + data.length);
    return all;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc(Math.min(height, 64) * (Math.ceil(width / 8) + 1)));
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", rows), chunk("IEND", Buffer.alloc(0))]);
}

function crc(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum >>> 1 ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum;
}

test("j12 hostile files are downloads, and nothing breaks", async () => {
  await withHub({}, async hub => {
    const channel = await hub.channel();
    const agent = await channel.join("agent");
    const script = Buffer.from("<script>window.hit=1</script>");
    const files = [
      ["image/png", Buffer.concat([Buffer.from("GIF89a/*"), script]), "html-as.png"],
      ["image/gif", Buffer.concat([Buffer.from("GIF89a\x01\0\x01\0*/=1;window.hit=1//"), script]), "polyglot.gif"],
      ["image/jpeg", script, "html.jpg"],
      ["image/png", png(30_000, 30_000), "bomb.png"],
      ["image/png", png(6_500, 6_500), "over-40-megapixels.png"],
      ["image/gif", Buffer.from("GIF89a\xff\xff\xff\xff\x80\0\0"), "broken.gif"],
      ["image/webp", Buffer.from("RIFF\x10\0\0\0WEBPVP8X"), "short.webp"],
      ["image/jpeg", Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0xff]), "cut.jpg"],
      ["application/pdf", Buffer.from("%PDF-1.4\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>"), "x.pdf"],
      ["image/png", Buffer.from([0x89]), "one-byte.png"],
      ["text/plain", script, "../../etc/passwd"],
      ["text/plain", script, "page.html"],
    ];
    await withPage(hub, {}, async page => {
      await page.goto(channel.url("zoe"));
      await live(page);
      for (const [mime, bytes, filename] of files) await agent.send({ message: "", attachments: [{ mime, data_base64: bytes.toString("base64"), filename }] });
      await agent.send({ message: "a fine one", attachments: [{ mime: "image/png", data_base64: png(8, 8).toString("base64"), filename: "fine.png" }] });
      await page.getByText("a fine one").waitFor();
      // Until what shows files has loaded, a message has no height, and the log follows its end.
      await page.locator(".picture-shown").waitFor();
      for (let at = 0; at < files.length; at += 1) {
        const row = page.locator(".row").nth(at);
        await row.scrollIntoViewIfNeeded();
        await row.locator("button.file").waitFor();
      }
      assert.equal(await page.locator(".picture-shown").count(), 1);
      await picture(page, "chat-files");
      for (const [at, ending] of [[0, /\.png$/], [8, /\.pdf$/], [10, /^[^/\\]*\.txt$/], [11, /^page\.html\.txt$/]]) {
        const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".row").nth(Number(at)).locator("button.file").click()]);
        assert.match(download.suggestedFilename(), /** @type {RegExp} */ (ending));
      }
      assert.equal(await page.evaluate(() => window.hit), undefined);
    });
  });
});
