// The files of the message being written: chosen, pasted or dropped, made small, kept over a reload of the tab.
import { html, render, nothing } from "../vendor/lit-html/lit-html.js";
import { formatBytes, t } from "../lib/i18n.js";
import { ofTab } from "../lib/storage.js";
import { visible } from "../lib/visible.js";
import { icon, labelled } from "./icon.js";
import { TAB_KEYS } from "./keys.js";

const maxFiles = 4;
const accepted = "image/*,application/pdf,text/*,application/json,.md,.diff,.patch,.log";

/**
 * @typedef {object} Chosen
 * @property {File} file as it was chosen
 * @property {import("./attachments-in.js").Prepared | null} ready as it is sent
 * @property {string} preview address of a picture, or ""
 */

export class Files {
  /**
   * @param {string} channel
   * @param {() => void} changed
   * @param {(text: string) => void} refuse shows why a file cannot be attached
   */
  constructor(channel, changed, refuse) {
    this.key = TAB_KEYS.files(channel);
    this.changed = changed;
    this.refuse = refuse;
    /** @type {Chosen[]} */
    this.files = [];
    this.busy = false;
    this.done = 0;
    this.list = document.createElement("ul");
    this.list.className = "composer-files";
    this.list.setAttribute("aria-label", t("chat.files"));
    this.list.hidden = true;
    this.input = document.createElement("input");
    this.input.type = "file";
    this.input.multiple = true;
    this.input.accept = accepted;
    this.input.addEventListener("change", () => {
      void this.add([...this.input.files ?? []]);
      this.input.value = "";
    });
    void this.#reload();
  }

  choose() {
    this.input.click();
  }

  /** @param {File[]} more */
  async add(more) {
    if (!more.length || this.busy) return;
    if (this.files.length + more.length > maxFiles) return this.refuse(t("chat.files.too_many", { max: maxFiles }));
    await this.#set([...this.files.map(chosen => chosen.file), ...more]);
  }

  /** @param {number} at */
  async remove(at) {
    await this.#set(this.files.map(chosen => chosen.file).filter((_, index) => index !== at));
  }

  /**
   * Prepares all files anew: they share the room that a message has.
   * @param {File[]} files
   */
  async #set(files) {
    this.busy = true;
    this.done = 0;
    const before = this.files;
    this.#forget(before);
    this.files = files.map(file => ({ file, ready: null, preview: "" }));
    this.#draw();
    const { FileRefused, prepare } = await import("./attachments-in.js");
    try {
      const ready = await prepare(files, done => {
        this.done = done;
        this.#draw();
      });
      this.files = files.map((file, at) => ({ file, ready: ready[at], preview: ready[at].mime.startsWith("image/") ? URL.createObjectURL(ready[at].blob) : "" }));
      await this.#keep();
    } catch (error) {
      this.files = before.filter(chosen => files.includes(chosen.file)).map(chosen => ({ ...chosen, preview: chosen.ready?.mime.startsWith("image/") ? URL.createObjectURL(chosen.ready.blob) : "" }));
      this.refuse(t(`chat.files.${error instanceof FileRefused ? error.code : "unreadable"}`, { max: maxFiles }));
    }
    this.busy = false;
    this.#draw();
    this.changed();
  }

  /** @returns {Promise<import("./types.js").OutgoingAttachment[]>} */
  outgoing() {
    return Promise.all(this.files.flatMap(({ ready }) => ready ? [encode(ready)] : []));
  }

  clear() {
    this.#forget(this.files);
    this.files = [];
    ofTab.remove(this.key);
    this.#draw();
  }

  /** @param {import("./types.js").OutgoingAttachment[]} attachments */
  async restore(attachments) {
    const { preparedFile } = await import("./attachments-in.js");
    this.clear();
    await this.#set(attachments.map(preparedFile));
  }

  async #keep() {
    if (!this.files.length) return ofTab.remove(this.key);
    ofTab.set(this.key, JSON.stringify(await this.outgoing()));
  }

  async #reload() {
    try {
      const kept = JSON.parse(ofTab.get(this.key) || "[]");
      if (Array.isArray(kept) && kept.length) await this.restore(kept);
    } catch {
      ofTab.remove(this.key);
    }
  }

  /** @param {Chosen[]} files */
  #forget(files) {
    for (const { preview } of files) if (preview) URL.revokeObjectURL(preview);
  }

  #draw() {
    this.list.hidden = this.files.length === 0;
    render(html`${this.files.map(({ file, ready, preview }, at) => {
      const name = visible(ready?.filename ?? file.name);
      return html`<li>
        ${preview ? html`<img src=${preview} alt="">` : html`<span class="file-mark">${icon("file")}</span>`}
        <span class="file-text"><bdi>${name}</bdi><small>${ready ? formatBytes(ready.blob.size) : html`<progress max=${this.files.length} value=${this.done} aria-label=${t("chat.files.preparing")}></progress>`}</small></span>
        ${this.busy ? nothing : html`<button type="button" class="icon-button" @click=${() => this.remove(at)}>${labelled("close", t("chat.files.remove", { name }))}</button>`}
      </li>`;
    })}`, this.list);
  }
}

/** @param {import("./attachments-in.js").Prepared} ready */
async function encode(ready) {
  const { base64 } = await import("./attachments-in.js");
  return { mime: ready.mime, data_base64: await base64(ready.blob), filename: ready.filename };
}
