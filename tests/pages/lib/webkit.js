// Pages in WebKitGTK, the engine that is nearest to Safari.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import { Builder } from "selenium-webdriver";

import { until } from "./until.js";

const browser = process.env.WEBKIT ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}

/**
 * Starts WebKitGTK in a virtual display, and ends both after `use`.
 * @template T
 * @param {(driver: import("selenium-webdriver").WebDriver) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withWebKit(use) {
  // Xvfb chooses a free display and writes its number to descriptor 3.
  const display = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  let number = "";
  /** @type {import("node:stream").Readable} */ (display.stdio[3]).setEncoding("utf8").on("data", text => { number += text; });
  const port = await freePort();
  /** @type {import("node:child_process").ChildProcess | undefined} */
  let service;
  try {
    await until("the display has started", () => number.includes("\n"));
    service = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], {
      env: { ...process.env, DISPLAY: `:${number.trim()}`, LIBGL_ALWAYS_SOFTWARE: "1", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" }, stdio: "ignore",
    });
    const url = `http://127.0.0.1:${port}`;
    await until("the driver has started", () => fetch(`${url}/status`).then(answer => answer.ok, () => false));
    const driver = await new Builder().usingServer(url).withCapabilities({
      browserName: "MiniBrowser", "webkitgtk:browserOptions": { binary: browser, args: ["--automation"] },
    }).build();
    try {
      return await use(driver);
    } finally {
      await driver.quit().catch(() => {});
    }
  } finally {
    service?.kill();
    display.kill();
  }
}
