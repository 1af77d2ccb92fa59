// What went wrong, in the reader's language: by the stable code, with the hub's own sentence where the code is not known.
import { has, t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";

/** @param {import("./types.js").Problem} problem */
export function problemText(problem) {
  if (problem.code === "unauthorized" && problem.about) return t(`chat.problem.unauthorized.${problem.about === "owner_password" || problem.about === "identity_key" ? problem.about : "token"}`);
  if (problem.code === "forbidden" && /\bbanned\b/u.test(problem.message)) return t("chat.problem.banned");
  if (problem.code === "invalid" || !has(`chat.problem.${problem.code}`)) return visible(problem.message).slice(0, 300);
  return t(`chat.problem.${problem.code}`);
}
