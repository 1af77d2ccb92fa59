//! Errors of single HTTP requests.

use std::io;

/// Maximum characters of a response body in an error message.
const SHOWN_CHARS: usize = 200;
const TOO_MANY_REQUESTS: u16 = 429;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection could be opened.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// The TLS handshake failed, but not because of the certificate.
    #[error("TLS handshake failed: {0}")]
    TlsHandshake(io::Error),
    /// The server's certificate is not trusted.
    #[error("TLS handshake failed: the hub's certificate is not trusted: {0}")]
    UntrustedCertificate(io::Error),
    /// The proxy does not open a connection to the server.
    #[error("{0}")]
    Proxy(String),
    /// The proxy requires a user and a password, or other ones.
    #[error("the proxy requires authentication: put user and password into its URL, as in http://user:password@host")]
    ProxyAuthentication,
    /// The connection broke while the request was written.
    #[error("cannot write the request: {0}")]
    Write(io::Error),
    /// The connection broke while the response was read.
    #[error("cannot read the response: {0}")]
    Read(io::Error),
    /// The server closed the connection before the response was complete.
    #[error("the connection was closed before the response was complete")]
    Closed,
    /// The response is not valid HTTP, or its body not the expected JSON.
    #[error("invalid response: {0}")]
    InvalidResponse(String),
    /// The response has an error status. Only [`expect_success`] returns it.
    #[error("{what} failed with status {status}: {body}")]
    Status {
        /// The operation that failed.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// The start of the response body.
        body: String,
    },
    /// The hub limits requests. Only [`expect_success`] returns it.
    #[error("{what} failed with status 429: the hub limits requests; start it with `--rate-limit off`")]
    RateLimited {
        /// The operation that failed.
        what: &'static str,
    },
    /// No response arrived in time.
    #[error("timed out: {0}")]
    TimedOut(&'static str),
    /// A measuring tool failed, not the hub.
    #[error("internal error of the tool: {0}")]
    Internal(String),
}

impl HttpError {
    /// Returns a short name to count errors by.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Connect(_) => "connect".into(),
            Self::TlsHandshake(_) => "handshake".into(),
            Self::UntrustedCertificate(_) => "untrusted".into(),
            Self::Proxy(_) | Self::ProxyAuthentication => "proxy".into(),
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

/// Checks the status of a response to the operation `what`.
///
/// # Errors
///
/// Fails for every status other than 2xx.
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
    fn the_rate_limit_error_names_the_flag() {
        let error = expect_success("send", 429, b"").unwrap_err();
        assert!(error.to_string().contains("--rate-limit off"));
        assert!(expect_success("send", 201, b"").is_ok());
    }
}
