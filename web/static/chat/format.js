// Days and times in the language of the page.
import { locale } from "../lib/i18n.js";

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} name
 * @param {Intl.DateTimeFormatOptions} options
 */
function dateFormat(name, options) {
  const key = `${name} ${locale()}`;
  let format = formats.get(key);
  if (!format) formats.set(key, format = new Intl.DateTimeFormat(locale(), options));
  return format;
}

/**
 * @param {number} one epoch milliseconds
 * @param {number} other
 */
export function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** @param {number} at epoch milliseconds */
export function formatDay(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0 || days === 1) {
    const name = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-days, "day");
    return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
  }
  return dateFormat("day", { weekday: "long", day: "numeric", month: "long", ...(days > 300 ? { year: "numeric" } : {}) }).format(at);
}

/** @param {number} at epoch milliseconds */
export const formatFull = at => dateFormat("full", { dateStyle: "full", timeStyle: "medium" }).format(at);

/** @param {number} at epoch milliseconds */
export const formatClock = at => dateFormat("clock", { hour: "numeric", minute: "2-digit" }).format(at);

/**
 * One of eight hues for a name, always the same.
 * @param {string} name
 */
export function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum % 8;
}

/**
 * A part of a path without its percent-encoding; as it is, if that is not valid.
 * @param {string} text
 */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
