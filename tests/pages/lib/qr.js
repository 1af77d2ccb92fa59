// Reads QR codes as a phone's camera would: from pixels.

import assert from "node:assert/strict";
import decode from "jsqr";
import { PNG } from "pngjs";

/** The text of the QR code in a PNG. */
export function qrText(png) {
  const picture = PNG.sync.read(png);
  // The module is CommonJS: its function is below `default`.
  const read = /** @type {any} */ (decode).default ?? decode;
  const found = read(new Uint8ClampedArray(picture.data), picture.width, picture.height);
  assert.ok(found, "there is no QR code in the picture");
  return found.data;
}

/** The text of the QR code in a `data:image/png;base64,…` URL. */
export function qrTextOfUrl(url) {
  const [head, data] = url.split(",");
  assert.equal(head, "data:image/png;base64");
  return qrText(Buffer.from(data, "base64"));
}
