// Makes files small enough to send: pictures are drawn anew, which also removes where and when they were taken.
import { endings, safeName, sniff } from "./file-kinds.js";
import { MAX_BYTES, MAX_FILES } from "./file-limits.js";

const maxSide_px = 1600;
const maxOwnPixels = 120e6;

/**
 * @typedef {object} Prepared
 * @property {string} mime
 * @property {string} filename
 * @property {Blob} blob
 */

/** Why a file cannot be attached; `code` names the text in the strings file. */
export class FileRefused extends Error {
  /** @param {"type" | "too_large" | "unreadable" | "too_many"} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * The type a file is sent as, from its first bytes and else from its name; throws if the hub does not accept it.
 * @param {File} file
 */
async function typeOf(file) {
  const found = sniff(new Uint8Array(await file.slice(0, 32).arrayBuffer()));
  if (found) return found;
  if (file.type.startsWith("image/")) return "image/other";
  const ending = file.name.slice(file.name.lastIndexOf(".") + 1).toLowerCase();
  if (["md", "markdown"].includes(ending)) return "text/markdown";
  if (["diff", "patch"].includes(ending)) return "text/x-diff";
  if (ending === "json" || file.type === "application/json") return "application/json";
  if (file.type.startsWith("text/") || ["log", "txt", "toml", "yaml", "yml", "csv", "rs", "py", "js", "ts", "sh"].includes(ending)) return "text/plain";
  throw new FileRefused("type");
}

/** Files that this page drew itself: they need not be drawn again after a reload. @type {WeakSet<File>} */
const drawn = new WeakSet();

/**
 * @param {import("./types.js").OutgoingAttachment} kept
 * @returns {File}
 */
export function preparedFile(kept) {
  const file = new File([fromBase64(kept.data_base64, kept.mime)], kept.filename ?? "", { type: kept.mime });
  drawn.add(file);
  return file;
}

/**
 * Prepares all files together: what cannot be made smaller is taken first, the pictures share the rest.
 * @param {File[]} files
 * @param {(done: number) => void} [progress] called after each file
 * @returns {Promise<Prepared[]>} in the order of the files
 */
export async function prepare(files, progress) {
  if (files.length > MAX_FILES) throw new FileRefused("too_many");
  const types = await Promise.all(files.map(typeOf));
  const whole = types.map((type, at) => type in endings && files[at].size <= MAX_BYTES
    && (!type.startsWith("image/") || type === "image/gif" || (drawn.has(files[at]) && files[at].size <= MAX_BYTES / files.length)));
  let left = MAX_BYTES;
  /** @type {Prepared[]} */
  const ready = [];
  for (const [at, file] of files.entries()) {
    if (whole[at]) left -= file.size;
    else if (!types[at].startsWith("image/")) throw new FileRefused("too_large");
    if (left < 0) throw new FileRefused("too_large");
  }
  let pictures = whole.filter(fits => !fits).length;
  for (const [at, file] of files.entries()) {
    if (whole[at]) ready.push({ mime: types[at], filename: safeName(file.name, types[at]), blob: file });
    else {
      const picture = await redraw(file, types[at], Math.floor(left / pictures));
      left -= picture.blob.size;
      pictures -= 1;
      ready.push(picture);
    }
    progress?.(at + 1);
  }
  return ready;
}

/**
 * A small PNG stays one, since text in it stays sharp; anything else becomes a JPEG.
 * @param {File} file
 * @param {string} type
 * @param {number} limit_bytes
 * @returns {Promise<Prepared>}
 */
async function redraw(file, type, limit_bytes) {
  const picture = await createImageBitmap(file).catch(() => { throw new FileRefused("unreadable"); });
  try {
    if (picture.width * picture.height > maxOwnPixels) throw new FileRefused("too_large");
    let scale = Math.min(1, maxSide_px / Math.max(picture.width, picture.height));
    if (type === "image/png") {
      const png = await encode(picture, scale, "image/png", 1);
      if (png.size <= Math.min(limit_bytes, MAX_BYTES / 2)) return { mime: "image/png", filename: safeName(file.name, "image/png"), blob: png };
    }
    const filename = safeName(file.name.replace(/\.[a-z0-9]{1,5}$/iu, ""), "image/jpeg");
    for (let round = 0; round < 8; round += 1) {
      for (const quality of [0.85, 0.75, 0.65, 0.5]) {
        const blob = await encode(picture, scale, "image/jpeg", quality);
        if (blob.size <= limit_bytes) return { mime: "image/jpeg", filename, blob };
      }
      scale *= 0.7;
    }
    throw new FileRefused("too_large");
  } finally {
    picture.close();
  }
}

/**
 * @param {ImageBitmap} picture
 * @param {number} scale
 * @param {string} type
 * @param {number} quality
 * @returns {Promise<Blob>}
 */
function encode(picture, scale, type, quality) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  if (!pen) throw new FileRefused("unreadable");
  if (type === "image/jpeg") {
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
  }
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob(blob => blob ? done(blob) : failed(new FileRefused("unreadable")), type, quality));
}

/**
 * Standard base64 of a blob, as the hub expects it.
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
export async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/**
 * The blob of a standard base64 text.
 * @param {string} text
 * @param {string} mime
 */
function fromBase64(text, mime) {
  return new Blob([Uint8Array.from(atob(text), letter => letter.charCodeAt(0))], { type: mime });
}
