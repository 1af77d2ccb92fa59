// The chat as a whole: the bar, the log, what is under it, the panels, and the keys. It draws only what the model says has changed.
import { t } from "../lib/i18n.js";
import { load } from "../lib/load.js";
import { Announcer } from "./announcer.js";
import { Bar } from "./bar.js";
import { Composer } from "./composer.js";
import { drawEmpty } from "./empty.js";
import { later, prepareMenus } from "./later.js";
import { MessageList } from "./message-list.js";
import { Notices } from "./notices.js";
import { closeNotifications } from "./notifications.js";
import { Panels } from "./panel.js";
import { announceOn, shortcutsOn } from "./preferences.js";
import { StatusBar } from "./status-bar.js";
import { StatusLines } from "./status-lines.js";
import { isOpen } from "./tasks.js";
import { setTitle, showCount } from "./title.js";

/** @typedef {import("./types.js").ChatModel} ChatModel */
/** @typedef {import("./types.js").MessageEntry} MessageEntry */

export class ChatPage {
  /**
   * @param {ChatModel} model
   * @param {HTMLElement} root
   * @param {{rejoin: () => void, title: string}} options `rejoin` asks for what was refused
   */
  constructor(model, root, { rejoin, title }) {
    this.model = model;
    this.root = root;
    this.end = new AbortController();
    this.announcer = new Announcer();
    this.announcer.on = announceOn();
    this.statusBar = new StatusBar(model, { rejoin });
    this.notices = new Notices(model, { rejoin });
    this.statuses = new StatusLines(model);
    const find = (/** @type {number} */ id) => this.#find(id);
    const writeTo = (/** @type {string} */ callsign) => this.#writeTo(callsign);
    /** @type {import("./item.js").ItemContext} */
    this.context = {
      model, find,
      reveal: id => this.#reveal(id),
      replyTo: entry => this.#replyTo(entry),
      menu: async (entry, from) => (await later(import("./message-menu.js"))).openMessageMenu(entry, from, { model, replyTo: one => this.#replyTo(one), writeTo, search: filter => this.search(filter) }),
      edit: entry => {
        const outgoing = model.edit(entry.key);
        if (outgoing) void this.composer.edit(outgoing);
      },
      showThread: thread => this.search({ thread }),
      drawEmpty: place => drawEmpty(place, model),
      answerTask: (task, to) => {
        if (!Panels.wide) this.panels.close();
        void this.composer.answerTask(task, to);
      },
      drawLate: () => {
        this.log.drawLate();
        this.#drawPanel("board");
      },
      say: text => this.announcer.say(text),
    };
    this.log = new MessageList(model, this.context);
    this.composer = new Composer(model, { find, say: text => this.announcer.say(text), sent: () => this.log.follow(), signal: this.end.signal });
    this.panels = new Panels(() => this.bar.draw());
    this.prepared = false;
    /** @type {import("./roster-panel.js").RosterPanel | null} */
    this.roster = null;
    /** @type {import("./search-panel.js").SearchPanel | null} */
    this.searching = null;
    /** @type {import("./board-panel.js").BoardPanel | null} */
    this.board = null;
    /** @type {import("./task-news.js").TaskNews | null} */
    this.taskNews = null;
    this.bar = new Bar(model, { page: this, title, status: this.statusBar.pill, rejoin });
    this.#build();
    setTitle(`${title} · rogerrat`);
    this.endModel = model.subscribe(detail => this.#changed(detail));
    addEventListener("keydown", event => this.#key(event), { signal: this.end.signal });
    this.#dropFiles();
    this.#changed({ parts: new Set(["connection", "entries", "roster", "statuses", "unread", "channel", "outbox", "earlier"]), appended: 0, prepended: 0, dropped: 0, live: [] });
    this.timer = setInterval(() => this.#eachMinute(), 30_000);
  }

  #build() {
    const chat = document.createElement("div");
    chat.className = "chat";
    const middle = document.createElement("div");
    middle.className = "chat-middle";
    const below = document.createElement("div");
    below.className = "chat-below";
    this.veil = document.createElement("div");
    this.veil.className = "drop-veil";
    this.veil.hidden = true;
    this.veil.textContent = t("chat.drop");
    const jumpPlace = document.createElement("div");
    jumpPlace.className = "jump-place";
    jumpPlace.append(this.log.jump);
    below.append(jumpPlace, this.statuses.element, this.composer.element);
    middle.append(this.statusBar.line, this.notices.element, this.log.element, below, this.veil);
    const columns = document.createElement("div");
    columns.className = "chat-columns";
    columns.append(middle, this.panels.side);
    chat.append(this.bar.element, columns, this.announcer.element);
    this.root.replaceChildren(chat);
    if (Panels.wide && this.model.abilities.roster) {
      // The side has its room at once, so that the log does not move when the panel has loaded.
      this.panels.side.hidden = false;
      void this.showRoster();
    }
  }

  /** @param {import("./types.js").ChangeDetail} detail */
  #changed(detail) {
    const { parts } = detail;
    if (parts.has("connection")) {
      if (!this.prepared && this.model.connection.state.startsWith("live-")) {
        this.prepared = true;
        prepareMenus(() => this.model.remembered);
      }
      this.statusBar.draw();
      this.bar.draw();
    }
    if (parts.has("channel")) {
      this.notices.draw();
      this.bar.draw();
    }
    this.log.changed(detail);
    if (parts.has("statuses")) this.statuses.draw();
    if (parts.has("roster")) {
      this.bar.draw();
      this.#drawPanel("roster");
    }
    if (parts.has("tasks")) {
      this.bar.draw();
      this.#drawPanel("board");
      this.#drawPanel("roster");
      void this.#announceTasks();
    }
    if (parts.has("entries") || parts.has("unread")) this.#drawPanel("search");
    if (parts.has("unread") || parts.has("entries")) showCount(this.model.unread);
    if (parts.has("unread") && !this.model.unread) void closeNotifications(this.model.channel.id).catch(() => undefined);
    // What is on its way decides which buttons a task has.
    if (parts.has("outbox") && this.model.tasks.length) this.context.drawLate();
    this.composer.changed(detail);
    this.announcer.messages(detail.live);
  }

  /** @param {string} name */
  #drawPanel(name) {
    if (this.panels.open?.name === name) this.panels.open.draw();
  }

  #eachMinute() {
    if (document.visibilityState !== "visible") return;
    if (this.panels.open?.name === "roster" && this.model.channel.me) void this.model.refreshRoster().catch(() => undefined);
    this.#drawPanel("roster");
    this.composer.draw();
    // Polls report no taking.
    if (this.model.connection.state === "live-poll" && this.model.tasks.some(isOpen)) void this.model.refreshTasks().catch(() => undefined);
  }

  /** Announces what became of the tasks that the reader has to do with. */
  async #announceTasks() {
    const { TaskNews } = await later(import("./task-news.js"));
    this.taskNews ??= new TaskNews(this.model, text => this.announcer.on && this.announcer.say(text));
    this.taskNews.draw();
  }

  async showBoard() {
    const { BoardPanel } = await later(import("./board-panel.js"));
    const board = this.board ??= new BoardPanel({ ...this.context, reveal: id => {
      if (!Panels.wide) this.panels.close();
      this.#reveal(id);
    } });
    this.panels.toggle({ name: "board", title: t("chat.tasks"), element: board.element, draw: () => board.draw() });
    if (this.panels.open?.name === "board" && this.model.channel.me) void board.load();
  }

  async showRoster() {
    const { RosterPanel } = await load(import("./roster-panel.js"));
    const roster = this.roster ??= new RosterPanel(this.model, {
      writeTo: callsign => this.#writeTo(callsign),
      invite: async () => void (await later(import("./invite.js"))).openInvite(this.model),
    });
    this.panels.toggle({ name: "roster", title: t("chat.roster"), element: roster.element, draw: () => roster.draw() });
    if (this.panels.open && this.model.channel.me) void this.model.refreshRoster().catch(() => undefined);
  }

  /** @param {import("./types.js").SearchFilter} [filter] */
  async search(filter) {
    if (!filter && this.panels.open?.name === "search") return this.panels.close();
    const { SearchPanel } = await later(import("./search-panel.js"));
    const searching = this.searching ??= new SearchPanel(this.model, { reveal: id => {
      if (!Panels.wide) this.panels.close();
      this.#reveal(id);
    } });
    if (this.panels.open?.name !== "search") await this.panels.show({ name: "search", title: t("chat.search"), element: searching.element, draw: () => searching.draw() });
    searching.open(filter);
  }

  applySettings() {
    this.announcer.on = announceOn();
  }

  /**
   * @param {number} id
   * @returns {MessageEntry | null}
   */
  #find(id) {
    const found = this.model.entries.findLast(entry => entry.type === "message" && entry.id === id);
    return found?.type === "message" ? found : null;
  }

  /** @param {number} id */
  #reveal(id) {
    if (!this.log.reveal(id)) this.announcer.say(t("chat.quote.gone"));
  }

  /** @param {MessageEntry} entry */
  #replyTo(entry) {
    this.composer.replyTo(entry);
  }

  /** @param {string} callsign */
  #writeTo(callsign) {
    if (!Panels.wide) this.panels.close();
    this.composer.writeTo(callsign);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open], [popover]:popover-open")) return;
    if (event.altKey && !event.ctrlKey && !event.metaKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      return this.log.move(event.key === "ArrowUp" ? -1 : 1);
    }
    if (event.key === "Escape") {
      if (this.panels.open && this.panels.side.contains(document.activeElement)) return this.panels.close();
      if (this.log.element.contains(document.activeElement)) this.composer.field.focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !shortcutsOn() || inField(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      void this.search({});
    } else if (event.key === "?") {
      event.preventDefault();
      void later(import("./help.js")).then(({ openHelp }) => openHelp());
    }
  }

  #dropFiles() {
    if (!this.model.abilities.attachments) return;
    const signal = this.end.signal;
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    addEventListener("dragover", event => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#veil(true);
    }, { signal });
    addEventListener("dragleave", event => { if (!event.relatedTarget) this.#veil(false); }, { signal });
    addEventListener("drop", event => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#veil(false);
      void this.composer.files.add([...event.dataTransfer?.files ?? []]);
    }, { signal });
  }

  /** @param {boolean} shown */
  #veil(shown) {
    if (this.veil) this.veil.hidden = !shown;
  }

  /** Ends what the page listens to; the model goes on. */
  remove() {
    this.endModel();
    this.end.abort();
    clearInterval(this.timer);
    this.panels.close();
    this.root.replaceChildren();
    showCount(0);
  }
}

/** @param {EventTarget | null} target */
function inField(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
