// The word for a value of the hub, such as a setting or a reason.
import { has, t } from "./i18n.js";
import { visible } from "./visible.js";

/**
 * The text of `prefix.value`. A value that this page does not know, because the hub is newer, is shown itself.
 *
 * @param {string} prefix
 * @param {string} value
 */
export const word = (prefix, value) => has(`${prefix}.${value}`) ? t(`${prefix}.${value}`) : visible(value);
