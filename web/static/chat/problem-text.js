// What went wrong, in the reader's language: by the stable code, with the hub's own sentence where the code is not known.
import { has, t } from "../lib/i18n.js";
import { visible } from "../lib/visible.js";

/** @param {import("./types.js").Problem} problem */
export function problemText(problem) {
  if (problem.code === "unauthorized" && problem.about) return t(`chat.problem.unauthorized.${problem.about === "owner_password" || problem.about === "identity_key" ? problem.about : "token"}`);
  return hasText(problem) ? t(`chat.problem.${problem.code}`) : visible(problem.message).slice(0, 300);
}

/** Whether there is a text for the code. The hub's hint adds nothing to it. @param {import("./types.js").Problem} problem */
export const hasText = ({ code }) => code !== "invalid" && has(`chat.problem.${code}`);
