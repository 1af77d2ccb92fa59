// The word for a value of the hub, such as a setting or a reason.
import { has, t } from "./i18n.js";
import { visible } from "./visible.js";

/**
 * The text of a key that is built from a value. A value without a text, because the hub is newer, is shown itself.
 *
 * @param {string} key
 * @param {string} value
 */
export const word = (key, value) => (has(key) ? t(key) : visible(value));
