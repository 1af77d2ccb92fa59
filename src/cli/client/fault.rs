//! What can go wrong with a request.

use std::io;

/// Characters of a refusal's body that are shown.
const SHOWN_CHARS: usize = 200;
const TOO_MANY_REQUESTS: u16 = 429;

#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Fault {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("https does not come about: {0}")]
    Handshake(io::Error),
    #[error(
        "https does not come about, because the hub's certificate is not trusted: {0}; --ca-file names its authority"
    )]
    Untrusted(io::Error),
    #[error("a request could not be written: {0}")]
    Write(io::Error),
    #[error("a reply could not be read: {0}")]
    Read(io::Error),
    #[error("the server closed the connection before its reply was complete")]
    Closed,
    #[error("a reply could not be understood: {0}")]
    Garbled(String),
    #[error("{what} was answered {status}: {body}")]
    Refused { what: &'static str, status: u16, body: String },
    #[error("{what} was answered 429: the hub limits requests; start it with `--rate-limit off`")]
    RateLimited { what: &'static str },
    #[error("{0} and nothing came")]
    Stalled(&'static str),
    #[error("the tool itself failed: {0}")]
    Died(String),
}

impl Fault {
    /// The word under which it is counted.
    pub(in crate::cli) fn kind(&self) -> String {
        match self {
            Self::Connect(_) => "connect".into(),
            Self::Handshake(_) => "handshake".into(),
            Self::Untrusted(_) => "untrusted".into(),
            Self::Write(_) => "write".into(),
            Self::Read(_) => "read".into(),
            Self::Closed => "closed".into(),
            Self::Garbled(_) => "garbled".into(),
            Self::Refused { status, .. } => format!("status_{status}"),
            Self::RateLimited { .. } => "rate_limited".into(),
            Self::Stalled(_) => "stalled".into(),
            Self::Died(_) => "died".into(),
        }
    }
}

/// Passes a reply of the 200s and makes a fault of every other.
pub(in crate::cli) fn expect_success(what: &'static str, status: u16, body: &[u8]) -> Result<(), Fault> {
    match status {
        200..=299 => Ok(()),
        TOO_MANY_REQUESTS => Err(Fault::RateLimited { what }),
        _ => {
            let body = String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect();
            Err(Fault::Refused { what, status, body })
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
