// What the reader of this device chose for all channels.
import { lasting } from "../lib/storage.js";

export const shortcutsKey = "rogerrat.chat-shortcuts";
export const announceKey = "rogerrat.chat-announce";

/** Whether single keys such as `/` are shortcuts. */
export const shortcutsOn = () => lasting.get(shortcutsKey) !== "off";
/** Whether new messages are announced to screen readers. */
export const announceOn = () => lasting.get(announceKey) !== "off";
