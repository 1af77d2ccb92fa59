//! Why a request to a hub failed, and whether a retry can succeed.

use std::time::Duration;

use serde::Deserialize;

use crate::http::HttpError;

const PROXY_AUTHENTICATION: u16 = 407;
const REQUEST_TIMEOUT: u16 = 408;
const TOO_MANY_REQUESTS: u16 = 429;

/// Why a request to a hub failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The hub cannot be reached, is overloaded or limits requests: a retry can succeed.
    #[error("{message}")]
    Temporary {
        /// What happened.
        message: String,
        /// How long the hub asks the client to wait before the next request.
        retry_after: Option<Duration>,
    },
    /// The hub does not know the session, or it has expired. The client must join again.
    #[error("{0}")]
    SessionEnded(String),
    /// The hub refused the request; a retry would be refused too.
    #[error("{message}{}", .hint.as_ref().map_or(String::new(), |hint| format!("; {hint}")))]
    Refused {
        /// The hub's explanation, with its error code.
        message: String,
        /// The hub's advice, worded for callers who speak HTTP.
        hint: Option<String>,
        /// The hub's error code, as listed in its API documentation. `None` if the response was not the hub's.
        code: Option<String>,
        /// What the hub's error is about, if it says so: the name of a field, as listed in its API documentation.
        field: Option<String>,
    },
    /// The response is not that of a rogerrat hub.
    #[error("invalid response: {0}; is this the address of a rogerrat hub?")]
    InvalidResponse(String),
    /// The hub's TLS certificate is not trusted.
    #[error("{0}")]
    UntrustedCertificate(String),
    /// Another poll or stream with the same session and consumer name has replaced this one.
    #[error("another reader of this session and consumer took over")]
    Superseded,
    /// The member has left the channel.
    #[error("the session has left the channel")]
    Left,
    /// The owner of the channel or the operator of the hub has ended the session.
    #[error("the session was ended by the owner of the channel or the operator of the hub")]
    Evicted,
    /// The member is an identity, and joining again needs its key.
    #[error("joining needs the key of the identity")]
    IdentityKeyMissing,
    /// A field of the [`ChannelTarget`](crate::ChannelTarget) cannot be part of a request.
    #[error("{0}")]
    InvalidTarget(String),
}

/// The body of an error response.
#[derive(Deserialize)]
struct ErrorBody {
    error: String,
    code: String,
    hint: Option<String>,
    retry_after_seconds: Option<u64>,
    field: Option<String>,
}

impl ClientError {
    /// Creates an error for which a retry can succeed.
    pub fn temporary(message: impl Into<String>) -> Self {
        Self::Temporary { message: message.into(), retry_after: None }
    }

    /// Creates an error for a response that is not the hub's.
    fn other_refusal(message: String) -> Self {
        Self::Refused { message, hint: None, code: None, field: None }
    }

    /// Whether a retry of the same request can succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary { .. })
    }

    /// Converts a response with a status other than 2xx.
    #[must_use]
    pub fn from_response(status: u16, body: &[u8]) -> Self {
        let Ok(ErrorBody { error, code, hint, retry_after_seconds, field }) = serde_json::from_slice(body) else {
            let message = match status {
                PROXY_AUTHENTICATION => HttpError::ProxyAuthentication.to_string(),
                300..400 => format!("the hub responded with status {status}: it has moved, possibly to https://"),
                _ if is_temporary(status) => return Self::temporary(format!("the hub responded with status {status}")),
                _ => format!("the response has status {status}: is this the address of a rogerrat hub?"),
            };
            return Self::other_refusal(message);
        };
        let message = format!("{error} ({code})");
        match &*code {
            "session_expired" | "not_joined" => Self::SessionEnded(message),
            _ if is_temporary(status) => {
                Self::Temporary { message, retry_after: retry_after_seconds.map(Duration::from_secs) }
            }
            _ => Self::Refused { message, hint, code: Some(code), field },
        }
    }
}

fn is_temporary(status: u16) -> bool {
    matches!(status, REQUEST_TIMEOUT | TOO_MANY_REQUESTS | 500..)
}

impl From<HttpError> for ClientError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::InvalidResponse(reason) => Self::InvalidResponse(reason),
            HttpError::UntrustedCertificate(_) => Self::UntrustedCertificate(error.to_string()),
            HttpError::ProxyAuthentication => Self::other_refusal(error.to_string()),
            // With its address, and its proxy, in front.
            HttpError::Connect(_) => {
                Self::temporary(format!("{error}; check that it runs and that this is its address"))
            }
            HttpError::TlsHandshake(_) => Self::temporary(format!("{error}; check that it serves https")),
            _ => Self::temporary(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_responses_by_whether_a_retry_can_succeed() {
        let busy = br#"{"error":"slow down","code":"rate_limited","retry_after_seconds":9}"#;
        let ClientError::Temporary { message, retry_after } = ClientError::from_response(429, busy) else {
            panic!("it is temporary")
        };
        assert_eq!((&*message, retry_after), ("slow down (rate_limited)", Some(Duration::from_secs(9))));
        assert!(ClientError::from_response(502, b"<html>").is_temporary());
        let missing = br#"{"error":"no such channel","code":"not_found","hint":"look"}"#;
        let refused = ClientError::from_response(404, missing);
        assert_eq!(refused.to_string(), "no such channel (not_found); look");
        assert!(matches!(refused, ClientError::Refused { code: Some(code), .. } if code == "not_found"));
        let other = ClientError::from_response(404, b"<html>").to_string();
        assert!(other.ends_with("is this the address of a rogerrat hub?"));
        let expired = ClientError::from_response(410, br#"{"error":"e","code":"session_expired"}"#);
        assert!(matches!(expired, ClientError::SessionEnded(_)));
    }
}
