// Shows the files of a message. A picture is shown only if its bytes are of the type it claims and its size is bounded; everything else is a download.
import { formatBytes, t } from "../lib/i18n.js";
import { saveBlob } from "../lib/save.js";
import { visible } from "../lib/visible.js";
import { dimensions, safeName, sniff } from "./file-kinds.js";
import { icon } from "./icon.js";
import { later } from "./later.js";

/** @typedef {{mime: string, filename?: string, bytes?: number, n?: number}} Meta */

const maxPixels = 40e6;
const pictures = new Set(["image/jpeg", "image/png", "image/webp", "image/gif"]);
const stillOnly = matchMedia("(prefers-reduced-motion: reduce)");
/** Pictures are fetched when they come near the screen. @type {WeakMap<Element, () => void>} */
const waiting = new WeakMap();
const near = new IntersectionObserver(seen => {
  for (const { target, isIntersecting } of seen) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    waiting.get(target)?.();
  }
}, { rootMargin: "400px" });

/** @typedef {(() => Promise<Blob>) | null} Load gets the bytes; null while they cannot be had */

/**
 * @param {Meta} meta
 * @param {Load} load
 * @returns {HTMLElement}
 */
export function attachmentView(meta, load) {
  const name = visible(meta.filename || safeName(undefined, meta.mime));
  return pictures.has(meta.mime) ? pictureBox(meta, name, load) : download(meta, name, load, "");
}

/**
 * @param {Meta} meta
 * @param {string} name
 * @param {Load} load
 */
function pictureBox(meta, name, load) {
  const box = document.createElement("figure");
  box.className = "picture loading";
  const open = document.createElement("button");
  open.type = "button";
  open.className = "picture-open";
  open.ariaLabel = t("chat.picture.open", { name });
  box.append(open);
  if (!load) return box;
  waiting.set(box, async () => {
    try {
      const shown = await shownPicture(meta, await load());
      if (typeof shown === "string") return box.replaceWith(download(meta, name, load, t(`chat.file.${shown}`)));
      box.classList.remove("loading");
      shown.still.classList.add("picture-shown");
      open.append(shown.still);
      if (shown.moves) box.append(playMark());
      open.addEventListener("click", async () => (await later(import("./picture-dialog.js"))).openPicture(shown.blob, name, () => save(shown.blob, meta)));
    } catch {
      box.classList.remove("loading");
      box.replaceWith(download(meta, name, load, t("chat.file.failed")));
    }
  });
  near.observe(box);
  return box;
}

/**
 * The picture as an element, or why it is not shown: the key of a text.
 * @param {Meta} meta
 * @param {Blob} raw
 * @returns {Promise<{still: HTMLElement, blob: Blob, moves: boolean} | "not_a_picture" | "too_large">}
 */
async function shownPicture(meta, raw) {
  const bytes = new Uint8Array(await raw.arrayBuffer());
  if (sniff(bytes) !== meta.mime) return "not_a_picture";
  const size = dimensions(bytes, meta.mime);
  if (!size) return "not_a_picture";
  if (size.width * size.height > maxPixels) return "too_large";
  // The blob has the type that was checked, not the one the server or the sender named.
  const blob = new Blob([bytes], { type: meta.mime });
  const decoded = await createImageBitmap(blob).catch(() => null);
  if (!decoded) return "not_a_picture";
  if (decoded.width * decoded.height > maxPixels) {
    decoded.close();
    return "too_large";
  }
  const moves = meta.mime === "image/gif" && stillOnly.matches;
  const still = moves ? onCanvas(decoded) : await image(blob);
  decoded.close();
  return still ? { still, blob, moves } : "not_a_picture";
}

/** @param {ImageBitmap} picture */
function onCanvas(picture) {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, 640 / Math.max(picture.width, picture.height));
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * @param {Blob} blob
 * @returns {Promise<HTMLImageElement | null>}
 */
async function image(blob) {
  const shown = new Image();
  const address = URL.createObjectURL(blob);
  shown.alt = "";
  shown.decoding = "async";
  shown.src = address;
  const fine = await shown.decode().then(() => true, () => false);
  // A decoded picture stays; its address is no longer needed.
  URL.revokeObjectURL(address);
  return fine ? shown : null;
}

function playMark() {
  const mark = document.createElement("span");
  mark.className = "picture-mark";
  mark.textContent = "GIF";
  return mark;
}

/**
 * @param {Meta} meta
 * @param {string} name
 * @param {Load} load
 * @param {string} why it is not shown
 */
function download(meta, name, load, why) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "file";
  const action = document.createElement("span");
  action.className = "visually-hidden";
  action.textContent = t("chat.file.save_short");
  const text = document.createElement("span");
  text.className = "file-text";
  const title = document.createElement("bdi");
  title.textContent = name;
  const detail = document.createElement("small");
  const facts = [meta.bytes === undefined ? "" : formatBytes(meta.bytes), why];
  detail.textContent = facts.filter(Boolean).join(" · ");
  text.append(title, detail);
  button.append(icon("file"), action, text, icon("download"));
  button.disabled = load === null;
  button.addEventListener("click", async () => {
    if (!load) return;
    button.disabled = true;
    try {
      save(await load(), meta);
    } catch {
      detail.textContent = t("chat.file.failed");
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

/**
 * Saves bytes as a file. The type is a neutral one, so that no browser opens them in the page's origin.
 * @param {Blob} blob
 * @param {Meta} meta
 */
function save(blob, meta) {
  saveBlob(safeName(meta.filename, meta.mime), new Blob([blob], { type: "application/octet-stream" }));
}
