//! Query parameters. Numbers are parsed as the original hub did, but malformed ones are refused instead of guessed.

use std::borrow::Cow;

use rogerrat_domain::op::{ReadInput, ReadQuery};
use rogerrat_domain::{AttachmentForm, MessageId, Refusal, SideEventSet, limits, saturating_u64};
use serde_json::{Map, Value};

use crate::web::answer_format::{AnswerFormat, clamped};

/// The parameters of a stream, as fields of a body.
const STREAM_PARAMETERS: [&str; 9] =
    ["since", "ack", "lease", "max", "consumer", "own", "ack_upto", "attachments", "tell"];

/// The query parameters of a request. If one is repeated, its first value is used.
pub(crate) struct QueryParams<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> QueryParams<'a> {
    pub(crate) fn of(query: &'a str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// A finite number. An empty value is 0.
    pub(crate) fn number(&self, name: &'static str) -> Result<Option<f64>, Refusal> {
        self.get(name).map(|text| finite(name, text)).transpose()
    }

    /// The timeout of a poll: `timeout` in seconds, clamped.
    pub(crate) fn timeout_ms(&self, default_ms: u64, max_ms: u64) -> Result<u64, Refusal> {
        let seconds = self.number("timeout")?;
        Ok(seconds.map_or(default_ms, |s| saturating_u64(s * 1000.0)).clamp(limits::POLL_MIN_MS, max_ms))
    }

    /// The parameters of a stream by POST: the fields of the body, then those of the query.
    ///
    /// # Errors
    /// `invalid`, if a field is neither text, a number nor a boolean; `tell` may also be a list of text.
    pub(crate) fn with_body(query: &'a str, body: &Map<String, Value>) -> Result<Self, Refusal> {
        let mut params = Vec::new();
        for name in STREAM_PARAMETERS {
            let text = match body.get(name) {
                None | Some(Value::Null) => continue,
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(flag)) if name == "own" => flag.to_string(),
                Some(Value::Array(list)) if name == "tell" => joined(list)?,
                Some(_) if name == "own" => return Err(Refusal::invalid("`own` must be true or false")),
                Some(_) if name == "tell" => return Err(Refusal::invalid("`tell` must be text or a list of text")),
                Some(_) => return Err(Refusal::invalid(format!("`{name}` must be text or a number"))),
            };
            params.push((Cow::Borrowed(name), Cow::Owned(text)));
        }
        params.extend(form_urlencoded::parse(query.as_bytes()));
        Ok(Self(params))
    }

    /// The parameters of a poll.
    pub(crate) fn poll_input(&self) -> Result<ReadInput, Refusal> {
        Ok(ReadInput { ends_stream: self.flag("end_stream")?, ..self.read_input(None)? })
    }

    /// The parameters of a stream.
    pub(crate) fn stream_input(&self, last_event_id: Option<&str>) -> Result<ReadInput, Refusal> {
        Ok(ReadInput { side_events: self.side_events()?, ..self.read_input(last_event_id)? })
    }

    /// The side events of a stream: `tell`, names separated by commas.
    fn side_events(&self) -> Result<SideEventSet, Refusal> {
        let mut tell = SideEventSet::default();
        for name in self.get("tell").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "roster" => tell.roster = true,
                "receipts" => tell.receipts = true,
                "tasks" => tell.tasks = true,
                _ => {
                    return Err(Refusal::invalid(
                        "tell must be roster, receipts, tasks or several, separated by commas",
                    ));
                }
            }
        }
        Ok(tell)
    }

    /// The parameters of a poll or stream. A blank `Last-Event-ID` is none, as browsers define it.
    pub(crate) fn read_input(&self, last_event_id: Option<&str>) -> Result<ReadInput, Refusal> {
        let since = match self.number("since")? {
            Some(since) => Some(since),
            None => {
                let id = last_event_id.filter(|id| !id.trim().is_empty());
                id.map(|id| finite("Last-Event-ID", id)).transpose()?
            }
        };
        let query = ReadQuery {
            since,
            ack: self.get("ack").map(Cow::Borrowed),
            lease: self.number("lease")?,
            max: self.number("max")?,
            consumer: self.get("consumer").map(Cow::Borrowed),
            own: Some(self.flag("own")?),
            ack_upto: self.number("ack_upto")?,
        };
        query.check()
    }

    /// `true` or `false`; absent is false.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.get(name).map(str::trim) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Refusal::invalid(format!("{name} must be true or false"))),
        }
    }

    /// How an answer is formatted: `attachments` and `max_bytes`.
    pub(crate) fn answer_format(&self) -> Result<AnswerFormat, Refusal> {
        let max_bytes = self.whole_number("max_bytes")?.map(clamped);
        Ok(AnswerFormat { attachments: self.attachments()?, max_bytes })
    }

    /// How attachments appear in an answer: `attachments`.
    pub(crate) fn attachments(&self) -> Result<AttachmentForm, Refusal> {
        match self.get("attachments") {
            None | Some("" | "full") => Ok(AttachmentForm::Full),
            Some("meta") => Ok(AttachmentForm::Reference),
            Some(_) => Err(Refusal::invalid("attachments must be full or meta")),
        }
    }

    /// The id of the message before which the history ends: `before`.
    pub(crate) fn before(&self) -> Result<Option<MessageId>, Refusal> {
        self.whole_number("before")
    }

    /// The ids of messages: `ids`, separated by commas.
    ///
    /// # Errors
    /// `invalid` if one is not a number, or if there are none or too many.
    pub(crate) fn receipt_ids(&self) -> Result<Vec<MessageId>, Refusal> {
        let text = self.get("ids").map(str::trim).filter(|ids| !ids.is_empty());
        let text = text.ok_or_else(|| Refusal::invalid("ids is missing: message ids, separated by commas"))?;
        let ids: Result<Vec<MessageId>, _> =
            text.split(',').take(limits::RECEIPT_IDS + 1).map(|id| id.trim().parse()).collect();
        let ids = ids.map_err(|_| Refusal::invalid("ids must be message ids, separated by commas"))?;
        if ids.len() > limits::RECEIPT_IDS {
            return Err(Refusal::invalid(format!("ids has more than {} message ids", limits::RECEIPT_IDS))
                .hint("ask for the others in another request"));
        }
        Ok(ids)
    }

    /// A whole number above 0, if the parameter is there and not empty.
    pub(crate) fn whole_number(&self, name: &'static str) -> Result<Option<u64>, Refusal> {
        match self.get(name).map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => match finite(name, text)? {
                n if n >= 1.0 && n.fract() == 0.0 => Ok(Some(saturating_u64(n))),
                _ => Err(Refusal::invalid(format!("{name} must be a whole number above 0"))),
            },
        }
    }

    /// The maximum number of members in each list of a roster: `limit`, clamped to 1 … 10,000.
    pub(crate) fn roster_limit(&self) -> Result<Option<usize>, Refusal> {
        let limit = self.number("limit")?.map(saturating_u64);
        Ok(limit.map(|n| usize::try_from(n).unwrap_or(usize::MAX).clamp(1, limits::MEMBERS)))
    }

    /// The number of history messages: fractions are cut off, clamped to 1 … 100, and a value that is not a number
    /// means 100, as in the original hub.
    pub(crate) fn history_n(&self) -> usize {
        self.count("n", limits::HISTORY_DEFAULT, limits::READ_MESSAGES)
    }

    /// The number of transcript events: fractions are cut off, clamped to 1 … 10,000, and a value that is not a number
    /// means 10,000, as in the original hub.
    pub(crate) fn transcript_limit(&self) -> usize {
        self.count("limit", limits::TRANSCRIPT_DEFAULT, limits::TRANSCRIPT_LINES)
    }

    /// The number of channels the administration lists.
    pub(crate) fn admin_limit(&self) -> usize {
        self.count("limit", limits::ADMIN_CHANNELS_DEFAULT, limits::ADMIN_CHANNELS)
    }

    fn count(&self, name: &'static str, default: usize, max: usize) -> usize {
        let n = self.number(name).map(|n| n.map_or(default as u64, saturating_u64));
        n.map_or(max, |n| usize::try_from(n).unwrap_or(usize::MAX).clamp(1, max))
    }
}

/// A list of text, separated by commas.
fn joined(list: &[Value]) -> Result<String, Refusal> {
    let texts = list.iter().map(|value| value.as_str());
    let texts: Option<Vec<_>> = texts.collect();
    texts.map(|texts| texts.join(",")).ok_or_else(|| Refusal::invalid("`tell` must be text or a list of text"))
}

/// Parses the id of a message or a task in a path.
pub(crate) fn message_id(text: &str) -> Result<MessageId, Refusal> {
    text.parse().map_err(|_| Refusal::invalid("the id must be a whole number below 2^64"))
}

fn finite(name: &'static str, text: &str) -> Result<f64, Refusal> {
    let text = text.trim();
    let number = if text.is_empty() { Some(0.0) } else { text.parse::<f64>().ok() };
    number.filter(|n| n.is_finite()).ok_or_else(|| Refusal::invalid(format!("{name} must be a number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rogerrat_domain::AckMode;

    fn timeout(query: &str) -> Result<u64, Refusal> {
        QueryParams::of(query).timeout_ms(30_000, 60_000)
    }

    #[test]
    fn d08_a_timeout_is_a_number_and_clamped() {
        for (query, ms) in [("", 30_000), ("timeout=1.4", 1400), ("timeout=0", 1000), ("timeout=", 1000)] {
            assert_eq!(timeout(query).unwrap(), ms, "{query}");
        }
        assert_eq!((timeout("timeout=-5").unwrap(), timeout("timeout=1e9").unwrap()), (1000, 60_000));
        for query in ["timeout=soon", "timeout=NaN", "timeout=inf", "timeout=-infinity", "timeout=1e999"] {
            assert!(timeout(query).is_err(), "{query}");
        }
    }

    #[test]
    fn d08_since_is_a_number() {
        let since = |query| QueryParams::of(query).poll_input().map(|input| input.since);
        assert_eq!(since("since=").unwrap(), Some(0));
        assert_eq!(since("since=-3").unwrap(), Some(0));
        assert_eq!(since("since=1795175889285").unwrap(), Some(1_795_175_889_285));
        assert!(since("since=x").is_err() && since("since=NaN").is_err());
    }

    #[test]
    fn d03_since_wins_over_last_event_id() {
        let since = |query, id| QueryParams::of(query).read_input(id).unwrap().since;
        assert_eq!((since("", Some("7")), since("since=5", Some("7"))), (Some(7), Some(5)));
    }

    #[test]
    fn d03_a_blank_last_event_id_is_none() {
        for blank in ["", " ", "\t"] {
            assert_eq!(QueryParams::of("").read_input(Some(blank)).unwrap().since, None);
        }
        assert_eq!(QueryParams::of("").read_input(Some(" 7 ")).unwrap().since, Some(7));
    }

    #[test]
    fn d08_a_wait_ends_before_clients_give_up_for_want_of_a_response_head() {
        let wait = QueryParams::of("timeout=300").timeout_ms(limits::WAIT_DEFAULT_MS, limits::WAIT_MAX_MS);
        assert!(wait.is_ok_and(|ms| (280_000..=295_000).contains(&ms)));
    }

    #[test]
    fn a13_an_answer_has_a_format_and_a_bound() {
        let format = |query| QueryParams::of(query).answer_format();
        for (query, max_bytes) in [
            ("", None),
            ("max_bytes=", None),
            ("max_bytes=1", Some(1000)),
            ("max_bytes=24000", Some(24_000)),
            ("max_bytes=1e9", Some(1_048_576)),
        ] {
            assert_eq!(format(query).unwrap().max_bytes, max_bytes, "{query}");
        }
        assert_eq!(format("attachments=meta").unwrap().attachments, AttachmentForm::Reference);
        for query in ["max_bytes=0", "max_bytes=-1", "max_bytes=1000.5", "max_bytes=x", "attachments=none"] {
            assert!(format(query).is_err(), "{query}");
        }
        assert_eq!(QueryParams::of("before=7").before().unwrap(), Some(7));
        assert!(QueryParams::of("before=0.5").before().is_err());
    }

    #[test]
    fn a01_manual_reading() {
        let input = QueryParams::of("ack=manual&lease=2&max=500&consumer=laptop&ack_upto=9").poll_input().unwrap();
        assert_eq!(input.ack_mode, AckMode::Leased { lease_ms: 2000 });
        assert_eq!((input.max, input.ack_upto), (100, Some(9)));
        for query in ["ack=maybe", "max=0", "max=1.5", "consumer=UP", "consumer=", "lease=x", "ack_upto=-1"] {
            assert!(QueryParams::of(query).poll_input().is_err(), "{query}");
        }
    }

    #[test]
    fn d38_side_events_are_named() {
        let tell = |query: &str| QueryParams::of(query).stream_input(None).map(|input| input.side_events);
        let of = |roster, receipts| SideEventSet { roster, receipts, tasks: false };
        for (query, expected) in [
            ("", of(false, false)),
            ("tell=", of(false, false)),
            ("tell=roster", of(true, false)),
            ("tell=receipts", of(false, true)),
            ("tell=receipts,%20roster,", of(true, true)),
        ] {
            assert_eq!(tell(query).unwrap(), expected, "{query}");
        }
        assert_eq!(tell("tell=tasks").unwrap(), SideEventSet { tasks: true, ..of(false, false) });
        assert!(tell("tell=all").is_err() && tell("tell=roster+receipts").is_err());
        let body = |json: serde_json::Value| QueryParams::with_body("", json.as_object().unwrap())?.stream_input(None);
        let list = body(serde_json::json!({"tell": ["roster", "receipts"]})).unwrap();
        assert_eq!(list.side_events, of(true, true));
        for bad in
            [serde_json::json!({"tell": [1]}), serde_json::json!({"tell": true}), serde_json::json!({"tell": {}})]
        {
            assert!(body(bad).is_err());
        }
    }

    #[test]
    fn a_flag_is_true_or_false() {
        for (query, ends) in [("", false), ("end_stream=true", true), ("end_stream=1", true), ("end_stream=0", false)] {
            assert_eq!(QueryParams::of(query).poll_input().unwrap().ends_stream, ends, "{query}");
        }
        assert!(QueryParams::of("end_stream=maybe").poll_input().is_err());
    }
}
