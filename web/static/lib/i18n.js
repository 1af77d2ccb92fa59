// Texts in the user's language, plurals, numbers and times.
import { load } from "./load.js";
import { lasting } from "./storage.js";

/** @typedef {Record<string, string>} Strings */

/** The languages of the pages, by their own names. */
export const LANGUAGES = { en: "English", es: "Español" };
/** Every text with accents and 40 % longer: untranslated texts and overflows become visible. For tests. */
const PSEUDO = "qps";
const KEY = "rogerrat.language";

/** @type {Strings} */
let strings = {};
let language = "en";

/** The chosen language, else the first of the browser's languages that there is, else English. */
function wanted() {
  const chosen = lasting.get(KEY);
  const known = [...Object.keys(LANGUAGES), PSEUDO];
  const candidates = [chosen, ...navigator.languages.map((tag) => tag.toLowerCase().split("-")[0])];
  return candidates.find((one) => one && known.includes(one)) ?? "en";
}

/**
 * Loads texts, and sets the language of the document.
 *
 * @param {...string} pages names of files in `i18n/{language}/`: the texts of a page, with the common ones. Without a name the common ones only.
 */
export async function start(...pages) {
  language = wanted();
  await load(addTexts(...(pages.length ? pages : ["common"])));
  document.documentElement.lang = language === PSEUDO ? "en" : language;
  document.documentElement.dir = "ltr";
}

/**
 * Loads more texts.
 *
 * @param {...string} pages names of files in `i18n/{language}/`
 */
export async function addTexts(...pages) {
  const folder = language === PSEUDO ? "en" : language;
  const files = pages.map((page) => import(new URL(`../i18n/${folder}/${page}.js`, import.meta.url).href));
  const texts = Object.entries(Object.assign({}, ...(await Promise.all(files)).map((module) => module.default)));
  strings = { ...strings, ...Object.fromEntries(language === PSEUDO ? texts.map(([key, text]) => [key, pseudo(text)]) : texts) };
}

/** The current language. */
export const currentLanguage = () => language;

/**
 * Stores another language and loads the page again.
 *
 * @param {string} to
 */
export function chooseLanguage(to) {
  lasting.set(KEY, to);
  location.reload();
}

/**
 * The text of a key, with its `{places}` replaced. A key without a text is shown itself.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const text = strings[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (place, name) => {
    const value = values[name];
    return value === undefined ? place : typeof value === "number" ? formatNumber(value) : value;
  });
}

/** Whether a key has a text. @param {string} key */
export const has = (key) => Object.hasOwn(strings, key);

/**
 * The text of a count: `key.one`, `key.other` and so on, with `{count}` replaced.
 *
 * @param {string} key
 * @param {number} count
 * @param {Record<string, string | number>} [values]
 */
export function tn(key, count, values = {}) {
  const rule = new Intl.PluralRules(locale()).select(count);
  return t(has(`${key}.${rule}`) ? `${key}.${rule}` : `${key}.other`, { ...values, count });
}

/** The browser's own variant of the language, such as `es-MX`, else the language. */
export function locale() {
  const base = language === PSEUDO ? "en" : language;
  return navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === base) ?? base;
}

/** @param {number} number */
export const formatNumber = (number) => new Intl.NumberFormat(locale()).format(number);

/** @param {number} bytes */
export function formatBytes(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const at = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const style = { style: "unit", unit: units[at], unitDisplay: at ? "short" : "long", maximumFractionDigits: at ? 1 : 0 };
  return new Intl.NumberFormat(locale(), /** @type {Intl.NumberFormatOptions} */ (style)).format(bytes / 1000 ** at);
}

/**
 * The time of day; with the date if it is not today.
 *
 * @param {Date | number | string} when
 */
export function formatTime(when) {
  const date = new Date(when);
  const today = date.toDateString() === new Date().toDateString();
  const options = /** @type {Intl.DateTimeFormatOptions} */ (today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
  return new Intl.DateTimeFormat(locale(), options).format(date);
}

/**
 * How long ago something was: "5 minutes ago".
 *
 * @param {Date | number | string} when
 * @param {number} [now_ms]
 */
export function ago(when, now_ms = Date.now()) {
  const seconds = Math.round((new Date(when).getTime() - now_ms) / 1000);
  const steps = /** @type {[Intl.RelativeTimeFormatUnit, number][]} */ ([["day", 86_400], ["hour", 3600], ["minute", 60]]);
  const [unit, length] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  if (unit === "second" && Math.abs(seconds) < 10) return t("common.now");
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "long" }).format(Math.trunc(seconds / length), unit);
}

/**
 * A length of time: "30 minutes", "24 hours".
 *
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const steps = /** @type {[string, number][]} */ ([["day", 86_400], ["hour", 3600], ["minute", 60]]);
  const [unit, length] = steps.find(([, length]) => seconds >= length && seconds % length === 0) ?? ["second", 1];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(seconds / length);
}

/** @param {string} text */
function pseudo(text) {
  const accents = { a: "á", e: "é", i: "í", o: "ó", u: "ú", A: "Á", E: "É", I: "Í", O: "Ó", U: "Ú", n: "ñ", c: "ç" };
  const changed = text.replace(/\{\w+\}|[aeiouAEIOUnc]/g, (found) => accents[/** @type {keyof typeof accents} */ (found)] ?? found);
  return `[${changed}${" ~".repeat(Math.ceil(text.length / 5))}]`;
}
