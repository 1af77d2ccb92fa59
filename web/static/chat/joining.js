// Before the chat: what a link lacks, in words, and the form that asks for it.
import { BANDS } from "../lib/bands.js";
import { t } from "../lib/i18n.js";
import { JoinForm } from "./join-form.js";

/** @typedef {import("./join-fields.js").ChannelFacts} ChannelFacts */

export { JoinForm };

/**
 * What was wrong with the link, in words. An invitation leaves the name to its reader, if the channel does.
 * @param {ReturnType<typeof import("./fragment.js").takeFragment>} link
 * @param {ChannelFacts | null} facts
 */
export function linkNotice(link, facts) {
  if (link.problem) return t(`chat.link.${link.problem}`);
  if (link.empty) return undefined;
  const missing = link.missing.filter(name => name !== "callsign" || facts?.require_identity);
  return missing.length ? t("chat.link.missing", { what: missing.map(name => t(`chat.join.${name}`)).join(", ") }) : undefined;
}

/**
 * There is no such channel.
 * @param {HTMLElement} root
 * @param {string} channel
 */
export function showMissing(root, channel) {
  new JoinForm(root, {
    known: { channel, token: "-", callsign: "-" }, facts: { is_band: BANDS.includes(channel), has_owner_password: false, require_identity: false }, title: channel,
    problem: { code: "not_found", status: 404, message: "", hint: null, free_callsign: null, about: "channel", retry_at: null, final: true, is_unknown: false, going_down: false, request_id: null },
  }, () => location.reload());
}
