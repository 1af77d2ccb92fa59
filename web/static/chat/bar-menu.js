// The menu of the bar: what can be done with the channel, and the ways to other pages.
import { t } from "../lib/i18n.js";
import { saveText } from "../lib/save.js";
import { later } from "./later.js";
import { openMenu } from "./menu.js";
import { exportLog } from "./search.js";

/**
 * @param {HTMLElement} anchor
 * @param {import("./types.js").ChatModel} model
 * @param {import("./bar.js").BarContext} context
 */
export function openBarMenu(anchor, model, { page, rejoin }) {
  const { abilities, channel, entries } = model;
  const narrow = matchMedia("(max-width: 40rem)").matches;
  const name = `${channel.id || "chat"}-${new Date().toISOString().slice(0, 10)}`;
  const saveLog = (/** @type {"text" | "json"} */ format) => saveText(`${name}.${format === "text" ? "txt" : "json"}`, exportLog(entries, channel.id, format), format === "text" ? "text/plain;charset=utf-8" : "application/json");
  openMenu(anchor, t("chat.menu"), [
    ...channel.is_band || !abilities.roster ? [] : [{ icon: "qr", text: t("chat.invite"), act: async () => void (await later(import("./invite.js"))).openInvite(model) }],
    ...abilities.tasks ? [{ icon: "task", text: t("chat.tasks"), act: () => page.showBoard() }] : [],
    { icon: "download", text: t("chat.export.text"), act: () => saveLog("text") },
    { icon: "download", text: t("chat.export.json"), act: () => saveLog("json") },
    ...abilities.roster ? [] : [{ icon: "edit", text: t("room.rename"), act: () => rejoin() }],
    { icon: "settings", text: t("chat.settings"), act: async () => (await later(import("./settings.js"))).openSettings(model, () => page.applySettings()) },
    { icon: "help", text: t("chat.help"), act: async () => (await later(import("./help.js"))).openHelp() },
    ...narrow && document.getElementById("settings") ? [{ icon: "edit", text: t("header.settings"), act: () => document.getElementById("settings")?.showPopover() }] : [],
    ...narrow ? [{ icon: "tab", text: t("header.start"), href: "/start" }, { icon: "lock", text: t("header.account"), href: "/account" }] : [],
    { icon: "tab", text: t("chat.channels"), href: "/remote" },
    null,
    { icon: "exit", text: t("chat.end"), danger: true, act: async () => (await later(import("./end.js"))).openEnd(model) },
  ]);
}
