//! What can go wrong between a client and its hub, and whether another try is worth it.

use std::time::Duration;

use serde::Deserialize;

use crate::http::HttpError;

const REQUEST_TIMEOUT: u16 = 408;
const TOO_MANY_REQUESTS: u16 = 429;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It may pass by itself.
    #[error("{why}")]
    Passing { why: String, retry_after: Option<Duration> },
    /// The hub does not know the session, or not any more.
    #[error("{0}; with --callsign it joins again by itself")]
    NoSession(String),
    /// Asking again changes nothing.
    #[error("{0}")]
    Refused(String),
    #[error("another reader of this session and consumer took over; give each reader a --consumer of its own")]
    Superseded,
    #[error("the session has left the channel")]
    Left,
}

/// The hub's own words.
#[derive(Deserialize)]
struct Problem {
    error: String,
    code: String,
    hint: Option<String>,
    retry_after_seconds: Option<u64>,
}

impl ClientError {
    pub fn passing(why: impl Into<String>) -> Self {
        Self::Passing { why: why.into(), retry_after: None }
    }

    /// What an answer other than one of the 200s means.
    pub fn of(status: u16, body: &[u8]) -> Self {
        let Ok(Problem { error, code, hint, retry_after_seconds }) = serde_json::from_slice(body) else {
            return match may_pass(status) {
                true => Self::passing(format!("it was answered {status}")),
                false if (300..400).contains(&status) => {
                    Self::Refused(format!("it was answered {status}: the hub is somewhere else, perhaps at https://"))
                }
                false => Self::Refused(format!("it was answered {status}: is this the address of a rogerrat hub?")),
            };
        };
        let hint = hint.map_or(String::new(), |hint| format!("; {hint}"));
        let why = format!("{error} ({code}){hint}");
        match &*code {
            "session_expired" | "not_joined" => Self::NoSession(why),
            _ if may_pass(status) => Self::Passing { why, retry_after: retry_after_seconds.map(Duration::from_secs) },
            _ => Self::Refused(why),
        }
    }
}

fn may_pass(status: u16) -> bool {
    matches!(status, REQUEST_TIMEOUT | TOO_MANY_REQUESTS | 500..)
}

impl From<HttpError> for ClientError {
    fn from(fault: HttpError) -> Self {
        match fault {
            HttpError::InvalidResponse(_) => Self::Refused(format!("{fault}; is this the address of a rogerrat hub?")),
            HttpError::UntrustedCertificate(_) => Self::Refused(fault.to_string()),
            _ => Self::passing(fault.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let busy = br#"{"error":"slow down","code":"rate_limited","retry_after_seconds":9}"#;
        let ClientError::Passing { why, retry_after } = ClientError::of(429, busy) else { panic!("it passes") };
        assert_eq!((&*why, retry_after), ("slow down (rate_limited)", Some(Duration::from_secs(9))));
        assert!(matches!(ClientError::of(502, b"<html>"), ClientError::Passing { .. }));
        let gone = br#"{"error":"no such channel","code":"not_found","hint":"look"}"#;
        assert_eq!(ClientError::of(404, gone).to_string(), "no such channel (not_found); look");
        assert!(ClientError::of(404, b"<html>").to_string().ends_with("is this the address of a rogerrat hub?"));
        assert!(matches!(
            ClientError::of(410, br#"{"error":"e","code":"session_expired"}"#),
            ClientError::NoSession(_)
        ));
    }
}
