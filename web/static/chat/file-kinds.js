// Reads what a file is from its first bytes: type and size of pictures, without decoding them.

/** What the hub accepts, and the ending of a saved file. @type {Record<string, string>} */
export const endings = {
  "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif", "application/pdf": "pdf",
  "text/plain": "txt", "text/markdown": "md", "text/x-diff": "diff", "application/json": "json",
};

/**
 * The type that the first bytes show: one of the picture types or PDF, or "" for any other.
 * @param {Uint8Array} bytes
 */
export function sniff(bytes) {
  if (starts(bytes, 0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (ascii(bytes, 0, 6) === "GIF87a" || ascii(bytes, 0, 6) === "GIF89a") return "image/gif";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 4) === "WEBP") return "image/webp";
  if (ascii(bytes, 0, 5) === "%PDF-") return "application/pdf";
  return "";
}

/**
 * Width and height of a picture in pixels from its header, or null if they cannot be read.
 * @param {Uint8Array} bytes
 * @param {string} type of sniff()
 * @returns {{width: number, height: number} | null}
 */
export function dimensions(bytes, type) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (type) {
      case "image/png": return ascii(bytes, 12, 4) === "IHDR" ? size(view.getUint32(16), view.getUint32(20)) : null;
      case "image/gif": return size(view.getUint16(6, true), view.getUint16(8, true));
      case "image/webp": return webp(view, bytes);
      case "image/jpeg": return jpeg(view);
      default: return null;
    }
  } catch {
    return null;
  }
}

/**
 * @param {DataView} view
 * @param {Uint8Array} bytes
 */
function webp(view, bytes) {
  switch (ascii(bytes, 12, 4)) {
    case "VP8X": return size(1 + (view.getUint32(24, true) & 0xffffff), 1 + ((view.getUint16(27, true)) | view.getUint8(29) << 16));
    case "VP8 ": return size(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return size(1 + (bits & 0x3fff), 1 + (bits >>> 14 & 0x3fff));
    }
    default: return null;
  }
}

/**
 * The largest frame that any start-of-frame segment announces: a decoder may take any of them.
 * @param {DataView} view
 */
function jpeg(view) {
  let at = 2;
  while (at + 9 < view.byteLength) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) { at += 1; continue; }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) { at += 2; continue; }
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return size(view.getUint16(at + 7), view.getUint16(at + 5));
    if (marker === 0xd9 || marker === 0xda) return null;
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/**
 * @param {number} width
 * @param {number} height
 */
const size = (width, height) => width > 0 && height > 0 ? { width, height } : null;

/**
 * @param {Uint8Array} bytes
 * @param {number[]} start
 */
const starts = (bytes, ...start) => start.every((byte, at) => bytes[at] === byte);

/**
 * @param {Uint8Array} bytes
 * @param {number} from
 * @param {number} length
 */
const ascii = (bytes, from, length) => String.fromCharCode(...bytes.subarray(from, from + length));

/**
 * A name that is safe to save a file under: no folders, no invisible or reordering characters, and the ending of its type.
 * @param {string | undefined} name
 * @param {string} mime
 */
export function safeName(name, mime) {
  const ending = endings[mime] ?? "bin";
  const clean = (name ?? "").normalize("NFC").replace(/[\p{C}\u2028\u2029]/gu, "").replace(/[\\/:*?"<>|]/gu, "_").replace(/^[\s.]+|[\s.]+$/gu, "").slice(0, 100);
  if (!clean) return `attachment.${ending}`;
  const dot = clean.lastIndexOf(".");
  const own = dot > 0 ? clean.slice(dot + 1).toLowerCase() : "";
  const same = own === ending || (mime === "image/jpeg" && own === "jpeg") || (mime === "text/x-diff" && own === "patch") || (mime === "text/plain" && own === "log");
  return same ? clean : `${clean}.${ending}`;
}
