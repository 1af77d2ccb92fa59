// What a page says about a failed request.
import { ApiError } from "./api.js";
import { formatDuration, has, t } from "./i18n.js";

/**
 * A sentence in the user's language where the code is known, else the hub's own, with its hint.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function errorText(error) {
  if (!(error instanceof ApiError)) return t("error.unknown");
  const wait = error.retry_after_ms ? ` ${t("error.retry_after", { time: formatDuration(Math.ceil(error.retry_after_ms / 1000)) })}` : "";
  if (has(`error.${error.code}`)) return t(`error.${error.code}`) + wait;
  return [sentence(error.message), sentence(error.hint)].filter(Boolean).join(" ") + wait;
}

/** @param {string} text */
function sentence(text) {
  const trimmed = text.trim();
  if (!trimmed) return "";
  return trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
