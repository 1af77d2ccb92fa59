// A picture in full size, with a way to save it.
import { html, render } from "../vendor/lit-html/lit-html.js";
import { t } from "../lib/i18n.js";
import { icon } from "./icon.js";
import { openSheet } from "./sheet.js";

/**
 * @param {Blob} blob checked bytes of a picture
 * @param {string} name
 * @param {() => void} save
 */
export function openPicture(blob, name, save) {
  const address = URL.createObjectURL(blob);
  const sheet = openSheet(name, { className: "picture-sheet", onClose: () => URL.revokeObjectURL(address) });
  render(html`<img src=${address} alt=${name}><div class="buttons end"><button type="button" class="button" @click=${save}>${icon("download")} ${t("chat.file.save_short")}</button></div>`, sheet.body);
}
