// What a visit of the chat may not need is loaded when it is used: a module, with the texts and styles of all such modules.
import { addTexts } from "../lib/i18n.js";
import { load } from "../lib/load.js";

/** @type {Promise<unknown> | null} */
let rest = null;

/**
 * A module that was imported, once its texts and styles are there as well.
 * @template T
 * @param {Promise<T>} module
 * @returns {Promise<T>}
 */
export async function later(module) {
  return load(both(module));
}

/**
 * @template T
 * @param {Promise<T>} module
 */
async function both(module) {
  rest ??= Promise.all([addTexts("chat-later"), addStyles("chat-later")]).catch(error => {
    rest = null;
    throw error;
  });
  const [loaded] = await Promise.all([module, rest]);
  return loaded;
}

/** Menus, the dialog to leave and what attaches files are loaded this long after the chat is connected, in milliseconds. */
const PREPARE_MS = 3000;

/**
 * Loads soon what must also open while the hub is away. On a device that remembers the channel it is kept for later visits.
 * @param {() => boolean} isKept
 */
export function prepareMenus(isKept) {
  setTimeout(async () => {
    try {
      // A browser may never load a module again that it could not load once: only while the hub answers.
      await fetch(new URL("../css/chat-later.css", import.meta.url), { cache: "no-store" });
    } catch {
      return prepareMenus(isKept);
    }
    /** @type {Promise<unknown>[]} */
    const modules = [import("./bar-menu.js"), import("./message-menu.js"), import("./sheet.js"), import("./end.js"), import("./composer-files-work.js")];
    await Promise.allSettled(modules.map(both));
    if (!isKept()) return;
    // The installed app starts with the list of channels.
    /** @type {Promise<unknown>[]} */
    const others = [import("./channels.js"), import("./joining.js"), addTexts("chat-join")];
    await Promise.allSettled(others.map(both));
    await import("../lib/app.js").then(({ keepForOffline }) => keepForOffline()).catch(() => undefined);
  }, PREPARE_MS);
}

/**
 * @param {string} name of a file in `css/`
 * @returns {Promise<unknown>}
 */
export function addStyles(name) {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL(`../css/${name}.css`, import.meta.url).href;
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error("the styles could not be loaded"));
    });
    document.head.append(link);
  });
}
