// What went wrong, in the reader's language: by the stable code, with the hub's own sentence where the code is not known.
import { t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";

const known = new Set(["network", "timeout", "collision", "missing", "no_stream", "left", "deleted", "revoked", "not_a_hub", "expired",
  "invalid", "unknown_recipient", "unauthorized", "forbidden", "not_found", "callsign_taken", "mailbox_full", "limit_reached",
  "session_expired", "too_large", "misdirected", "rate_limited", "internal", "overloaded", "storage_failed", "not_joined"]);

/** @param {import("./types.js").Problem} problem */
export function problemText(problem) {
  if (problem.code === "unauthorized" && problem.about) return t(`chat.problem.unauthorized.${problem.about === "owner_password" || problem.about === "identity_key" ? problem.about : "token"}`);
  if (problem.code === "invalid" || !known.has(problem.code)) return visible(problem.message).slice(0, 300);
  return t(`chat.problem.${problem.code}`);
}
