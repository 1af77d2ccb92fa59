// The files of the message being written, kept over a reload of the tab. What makes them small and shows them is loaded with the first one.
import { t } from "../lib/i18n.js";
import { later } from "./later.js";
import { ofTab } from "../lib/storage.js";
import { MAX_FILES } from "./file-limits.js";
import { TAB_KEYS } from "./keys.js";

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
    /** Shows the files, once that is loaded. */
    this.draw = () => {};
    if (ofTab.get(this.key)) void this.#work().then(({ reload }) => reload(this), () => undefined);
  }

  choose() {
    this.input.click();
  }

  /** @param {File[]} more */
  async add(more) {
    if (!more.length || this.busy) return;
    if (this.files.length + more.length > MAX_FILES) return this.refuse(t("chat.files.too_many", { max: MAX_FILES }));
    this.busy = true;
    try {
      await (await this.#work()).setFiles(this, [...this.files.map(chosen => chosen.file), ...more]);
    } catch {
      this.busy = false;
      this.refuse(t("chat.files.unreadable", { max: MAX_FILES }));
    }
  }

  /** @returns {Promise<import("./types.js").OutgoingAttachment[]>} */
  async outgoing() {
    return this.files.length ? (await this.#work()).outgoing(this) : [];
  }

  clear() {
    for (const { preview } of this.files) if (preview) URL.revokeObjectURL(preview);
    this.files = [];
    ofTab.remove(this.key);
    this.draw();
  }

  /** @param {import("./types.js").OutgoingAttachment[]} attachments */
  async restore(attachments) {
    await (await this.#work()).restore(this, attachments);
  }

  #work() {
    return later(import("./composer-files-work.js"));
  }
}
