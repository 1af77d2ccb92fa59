// The settings of a new channel: presets, and the body of the request.

/**
 * @typedef {object} Settings
 * @property {string} preset
 * @property {string} trust_mode
 * @property {string} owner_password
 * @property {string} retention
 * @property {string} durability empty: as the retention needs
 * @property {string} dm_visibility
 * @property {boolean} claim_callsigns
 * @property {boolean} require_identity
 * @property {string} session_ttl_seconds
 * @property {string} webhook
 */

/** The presets, with what each of them sets. */
export const PRESETS = /** @type {Record<string, Partial<Settings>>} */ ({
  standard: { retention: "none", trust_mode: "untrusted", session_ttl_seconds: "1800" },
  live: { retention: "none", trust_mode: "untrusted", session_ttl_seconds: "300" },
  park: { retention: "metadata", trust_mode: "untrusted", session_ttl_seconds: "86400" },
  go: { retention: "none", trust_mode: "trusted", session_ttl_seconds: "3600" },
});

export const RETENTIONS = ["none", "metadata", "prompts", "full"];
/** Session lifetimes that the form offers, in seconds. */
export const LIFETIMES = ["300", "1800", "3600", "21600", "86400"];

/**
 * The settings at first: those of the preset that the host's first label selects, as in `park.example.org`.
 *
 * @param {string} host
 * @returns {Settings}
 */
export function initialSettings(host) {
  const labels = host.split(".")[0].split("-");
  const preset = Object.keys(PRESETS).find((name) => labels.includes(name)) ?? "standard";
  return withPreset(preset, {
    preset,
    trust_mode: "untrusted",
    owner_password: "",
    retention: "none",
    durability: "",
    dm_visibility: "channel",
    claim_callsigns: false,
    require_identity: false,
    session_ttl_seconds: "1800",
    webhook: "",
  });
}

/**
 * @param {string} preset
 * @param {Settings} settings
 * @returns {Settings}
 */
export function withPreset(preset, settings) {
  const chosen = { ...settings, ...PRESETS[preset], preset };
  if (preset === "go" && !chosen.owner_password) chosen.owner_password = randomPassword();
  return chosen;
}

/** 16 hexadecimal digits, as the hub generates for this preset. */
export function randomPassword() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The body of `POST /api/channels`. Every setting that a preset of the host would fill is stated.
 *
 * @param {Settings} settings
 */
export function requestBody(settings) {
  const { trust_mode, retention, durability, dm_visibility, claim_callsigns, require_identity, webhook } = settings;
  const isTrusted = trust_mode === "trusted";
  return {
    retention,
    trust_mode,
    session_ttl_seconds: Number(settings.session_ttl_seconds),
    dm_visibility,
    require_identity,
    ...(isTrusted && settings.owner_password.trim() ? { owner_password: settings.owner_password.trim() } : {}),
    ...(durability ? { durability } : {}),
    ...(claim_callsigns || dm_visibility === "private" ? { claim_callsigns: true } : {}),
    ...(webhook.trim() ? { webhook: webhook.trim() } : {}),
  };
}

/** The form field that a refusal of the hub is about, if its sentence names one. */
const FIELDS = ["owner_password", "webhook", "session_ttl_seconds", "durability", "retention", "dm_visibility", "claim_callsigns", "require_identity", "trust_mode"];

/**
 * @param {{code: string, message: string}} error
 * @returns {string} `hub_token`, a field of the settings, or empty
 */
export function fieldOf({ code, message }) {
  if (code === "unauthorized") return "hub_token";
  if (code !== "invalid") return "";
  // The hub checks the address of a webhook as that of any subscription, where the field is called `url`.
  if (message.includes("`url`")) return "webhook";
  const at = FIELDS.map((field) => ({ field, at: message.indexOf(field) })).filter((one) => one.at >= 0);
  return at.sort((a, b) => a.at - b.at)[0]?.field ?? "";
}
