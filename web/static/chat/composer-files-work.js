// Makes the files of the message being written small, shows them, and keeps them in the tab.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { formatBytes, t } from "../lib/i18n.js";
import { ofTab } from "../lib/storage.js";
import { visible } from "../lib/visible.js";
import { FileRefused, base64, prepare, preparedFile } from "./attachments-in.js";
import { MAX_FILES } from "./file-limits.js";
import { icon, labelled } from "./icon.js";

/** @typedef {import("./composer-files.js").Files} Files */
/** @typedef {import("./composer-files.js").Chosen} Chosen */

/**
 * Prepares all files anew: they share the room that a message has.
 * @param {Files} owner
 * @param {File[]} files
 */
export async function setFiles(owner, files) {
  let done = 0;
  owner.draw = () => draw(owner, done);
  owner.busy = true;
  const before = owner.files;
  for (const { preview } of before) if (preview) URL.revokeObjectURL(preview);
  owner.files = files.map(file => ({ file, ready: null, preview: "" }));
  owner.draw();
  try {
    const ready = await prepare(files, now => {
      done = now;
      owner.draw();
    });
    owner.files = files.map((file, at) => ({ file, ready: ready[at], preview: previewOf(ready[at]) }));
    await keep(owner);
  } catch (error) {
    owner.files = before.filter(chosen => files.includes(chosen.file)).map(chosen => ({ ...chosen, preview: previewOf(chosen.ready) }));
    owner.refuse(t(`chat.files.${error instanceof FileRefused ? error.code : "unreadable"}`, { max: MAX_FILES }));
  }
  owner.busy = false;
  owner.draw();
  owner.changed();
}

/** The address of a picture, or "". @param {Chosen["ready"]} ready */
const previewOf = ready => ready?.mime.startsWith("image/") ? URL.createObjectURL(ready.blob) : "";

/** @param {Files} owner @returns {Promise<import("./types.js").OutgoingAttachment[]>} */
export function outgoing({ files }) {
  return Promise.all(files.flatMap(({ ready }) => ready ? [encode(ready)] : []));
}

/** @param {import("./attachments-in.js").Prepared} ready */
async function encode(ready) {
  return { mime: ready.mime, data_base64: await base64(ready.blob), filename: ready.filename };
}

/** @param {Files} owner @param {import("./types.js").OutgoingAttachment[]} attachments */
export async function restore(owner, attachments) {
  owner.clear();
  await setFiles(owner, attachments.map(preparedFile));
}

/** @param {Files} owner */
async function keep(owner) {
  if (!owner.files.length) return ofTab.remove(owner.key);
  ofTab.set(owner.key, JSON.stringify(await outgoing(owner)));
}

/** Takes what the tab kept. @param {Files} owner */
export async function reload(owner) {
  try {
    const kept = JSON.parse(ofTab.get(owner.key) || "[]");
    if (Array.isArray(kept) && kept.length) await restore(owner, kept);
  } catch {
    ofTab.remove(owner.key);
  }
}

/** @param {Files} owner @param {number} done how many are prepared */
function draw(owner, done) {
  owner.list.hidden = owner.files.length === 0;
  const remove = (/** @type {number} */ at) => setFiles(owner, owner.files.map(chosen => chosen.file).filter((_, index) => index !== at));
  render(html`${owner.files.map(({ file, ready, preview }, at) => {
    const name = visible(ready?.filename ?? file.name);
    return html`<li>
      ${preview ? html`<img src=${preview} alt="">` : html`<span class="file-mark">${icon("file")}</span>`}
      <span class="file-text"><bdi>${name}</bdi><small>${ready ? formatBytes(ready.blob.size) : html`<progress max=${owner.files.length} value=${done} aria-label=${t("chat.files.preparing")}></progress>`}</small></span>
      ${owner.busy ? nothing : html`<button type="button" class="icon-button" @click=${() => remove(at)}>${labelled("close", t("chat.files.remove", { name }))}</button>`}
    </li>`;
  })}`, owner.list);
}
