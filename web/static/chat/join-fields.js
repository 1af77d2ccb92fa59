// What must be known to join a channel, and which of it is missing.

/** @typedef {import("./types.js").Credentials} Credentials */
/** @typedef {import("./types.js").Problem} Problem */
/** @typedef {"token" | "identity_key" | "callsign" | "owner_password"} Field */

/**
 * What is known about a channel without its token.
 * @typedef {object} ChannelFacts
 * @property {boolean} is_band
 * @property {boolean} has_owner_password
 * @property {boolean} require_identity
 */

/**
 * @typedef {object} JoinQuestion
 * @property {Credentials} known
 * @property {ChannelFacts | null} facts null if the hub could not be reached
 * @property {Problem | null} problem
 * @property {string} [notice] what was wrong with the link
 * @property {boolean} [remembered]
 * @property {string} title
 */

/** @param {string} about @returns {about is Field} */
export const isField = about => ["token", "identity_key", "callsign", "owner_password"].includes(about);

/**
 * The fields to ask for: what is missing, and what was refused.
 * @param {JoinQuestion} question
 * @returns {Field[]}
 */
export function fieldsOf({ known, facts, problem }) {
  /** @type {Set<Field>} */
  const fields = new Set();
  if (!facts?.is_band && !known.token) fields.add("token");
  if (facts?.require_identity && !known.identity_key) fields.add("identity_key");
  else if (!known.identity_key && !known.callsign) fields.add("callsign");
  if (facts?.has_owner_password && !known.owner_password) fields.add("owner_password");
  if (problem?.about && isField(problem.about)) fields.add(problem.about);
  if (problem?.code === "rate_limited" && facts?.has_owner_password) fields.add("owner_password");
  if (problem && !problem.about && !fields.size) fields.add("callsign");
  return [.../** @type {Field[]} */ (["token", "identity_key", "callsign", "owner_password"])].filter(field => fields.has(field));
}

/**
 * Whether the link has all that is needed to join without a question.
 * @param {Credentials} known
 * @param {ChannelFacts | null} facts
 */
export function complete(known, facts) {
  return fieldsOf({ known, facts, problem: null, title: "" }).length === 0;
}
