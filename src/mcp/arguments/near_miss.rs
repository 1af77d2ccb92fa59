//! Which unknown argument names are misspelled known ones, and which were added by a framework.

/// Names that frameworks add to every call although they are close to an argument's name.
const ADDED: [&str; 1] = ["sessionId"];
/// The longest name that is compared, in bytes.
const NAME_BYTES: usize = 40;
/// Units that models add to a name or replace.
const UNITS: [&str; 7] = ["milliseconds", "seconds", "minutes", "secs", "sec", "ms", "s"];

/// The known name that an unknown one is a near miss of.
pub(super) fn find<'k>(name: &str, mut known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if ADDED.contains(&name) || name.starts_with('_') || name.len() > NAME_BYTES {
        return None;
    }
    // `thread_id` is the id of something else, not a misspelled `thread`.
    let names_an_id = ["_id", "Id", "ID"].iter().any(|end| name.ends_with(end));
    let name = letters(name);
    known.find(|known| (!names_an_id || known.ends_with("_id")) && is_near(&name, &letters(known)))
}

/// Without separators and case.
fn letters(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

fn is_near(name: &str, known: &str) -> bool {
    if name == known || name.replace("message", "msg") == known {
        return true;
    }
    // `timeout` and `timeout_ms` for `timeout_seconds`, `channel` for `channel_id`.
    let stem = known.strip_suffix("seconds").or_else(|| known.strip_suffix("id")).unwrap_or(known);
    let without_unit = UNITS.iter().find_map(|unit| name.strip_suffix(unit)).unwrap_or(name);
    if stem.len() >= 5 && (without_unit == stem || name == stem) {
        return true;
    }
    let has_same_start = name.as_bytes().first() == known.as_bytes().first();
    let edits = match known.len() {
        0..=2 => return false,
        3 | 4 if !has_same_start => return false,
        3..=5 => 1,
        6..=11 => 2,
        _ => 3,
    };
    name.len().abs_diff(known.len()) <= edits && strsim::osa_distance(name, known) <= edits
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 27] = [
        "to",
        "message",
        "text",
        "priority",
        "kind",
        "suggested_replies",
        "attachments",
        "reply_to",
        "thread",
        "client_msg_id",
        "channel_id",
        "session_id",
        "timeout_seconds",
        "since",
        "ack",
        "lease",
        "max",
        "consumer",
        "ack_upto",
        "n",
        "upto",
        "callsign",
        "owner_password",
        "identity_key",
        "token",
        "retention",
        "max_bytes",
    ];

    #[test]
    fn a_near_miss_names_the_argument() {
        for (name, near) in [
            ("mesage", "message"),
            ("massage", "message"),
            ("messages", "message"),
            ("Message", "message"),
            ("TO", "to"),
            ("txt", "text"),
            ("prioritty", "priority"),
            ("knid", "kind"),
            ("sugested_replys", "suggested_replies"),
            ("suggestedReplies", "suggested_replies"),
            ("atachment", "attachments"),
            ("replyTo", "reply_to"),
            ("reply", "reply_to"),
            ("threads", "thread"),
            ("client_message_id", "client_msg_id"),
            ("channelId", "channel_id"),
            ("channel", "channel_id"),
            ("chanel_id", "channel_id"),
            ("SessionID", "session_id"),
            ("sesion_id", "session_id"),
            ("timout_seconds", "timeout_seconds"),
            ("timeout", "timeout_seconds"),
            ("timeout_ms", "timeout_seconds"),
            ("timeoutSeconds", "timeout_seconds"),
            ("lease_seconds", "lease"),
            ("sinse", "since"),
            ("mx", "max"),
            ("ackUpto", "ack_upto"),
            ("up_to", "upto"),
            ("N", "n"),
            ("calsign", "callsign"),
            ("ownerPassword", "owner_password"),
            ("tokens", "token"),
            ("maxbytes", "max_bytes"),
        ] {
            assert_eq!(find(name, KNOWN.into_iter()), Some(near), "{name}");
        }
    }

    #[test]
    fn the_fields_of_frameworks_are_not_near_misses() {
        let added = "toolCallId sessionId action chatInput tool_call_id tool id type name input query prompt metadata \
                     _meta _session_id thread_id threadId message_id messageId user_id run_id request_id chat_id \
                     client_id server_name wait_for_previous waitForPreviousTools toolAction toolSummary explanation \
                     reasoning thought security_risk summary request_heartbeat task_progress next next_speaker \
                     context state config callbacks run_manager tags max_tokens max_results limit count x a method \
                     requires_approval";
        for name in added.split_ascii_whitespace() {
            assert_eq!(find(name, KNOWN.into_iter()), None, "{name}");
        }
        assert_eq!(find(&"message".repeat(9), KNOWN.into_iter()), None);
    }
}
