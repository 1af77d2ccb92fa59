//! What can go wrong with a request.

use std::io;

/// Characters of a refusal's body that are shown.
const SHOWN_CHARS: usize = 200;
const TOO_MANY_REQUESTS: u16 = 429;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("https does not come about: {0}")]
    TlsHandshake(io::Error),
    #[error(
        "https does not come about, because the hub's certificate is not trusted: {0}; --ca-file names its authority"
    )]
    UntrustedCertificate(io::Error),
    #[error("a request could not be written: {0}")]
    Write(io::Error),
    #[error("a reply could not be read: {0}")]
    Read(io::Error),
    #[error("the server closed the connection before its reply was complete")]
    Closed,
    #[error("a reply could not be understood: {0}")]
    InvalidResponse(String),
    #[error("{what} was answered {status}: {body}")]
    Status { what: &'static str, status: u16, body: String },
    #[error("{what} was answered 429: the hub limits requests; start it with `--rate-limit off`")]
    RateLimited { what: &'static str },
    #[error("{0} and nothing came")]
    TimedOut(&'static str),
    #[error("the tool itself failed: {0}")]
    Internal(String),
}

impl HttpError {
    /// The word under which it is counted.
    pub fn kind(&self) -> String {
        match self {
            Self::Connect(_) => "connect".into(),
            Self::TlsHandshake(_) => "handshake".into(),
            Self::UntrustedCertificate(_) => "untrusted".into(),
            Self::Write(_) => "write".into(),
            Self::Read(_) => "read".into(),
            Self::Closed => "closed".into(),
            Self::InvalidResponse(_) => "garbled".into(),
            Self::Status { status, .. } => format!("status_{status}"),
            Self::RateLimited { .. } => "rate_limited".into(),
            Self::TimedOut(_) => "stalled".into(),
            Self::Internal(_) => "died".into(),
        }
    }
}

/// Passes a reply of the 200s and makes a fault of every other.
pub fn expect_success(what: &'static str, status: u16, body: &[u8]) -> Result<(), HttpError> {
    match status {
        200..=299 => Ok(()),
        TOO_MANY_REQUESTS => Err(HttpError::RateLimited { what }),
        _ => {
            let body = String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect();
            Err(HttpError::Status { what, status, body })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_says_what_to_do() {
        let fault = expect_success("send", 429, b"").unwrap_err();
        assert!(fault.to_string().contains("--rate-limit off"));
        assert!(expect_success("send", 201, b"").is_ok());
    }
}
