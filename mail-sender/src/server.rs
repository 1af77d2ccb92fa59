//! The address of the mail server and the sender, as the configuration has them.

use std::fmt;
use std::net::IpAddr;

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// The ports of the submission of e-mails, with TLS and with STARTTLS (RFC 8314), and of a relay on the same machine.
const TLS_PORT: u16 = 465;
const STARTTLS_PORT: u16 = 587;
const PLAIN_PORT: u16 = 25;

/// How the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpEncryption {
    /// TLS from the beginning.
    Tls,
    /// TLS by STARTTLS; a server without it is refused.
    StartTls,
    /// None: for a server on the same machine only.
    None,
}

/// A mail server, and the user who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    /// The name or address of the host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The encryption.
    pub encryption: SmtpEncryption,
    /// The user; none does not authenticate.
    pub user: Option<String>,
}

impl SmtpServer {
    /// Parses `smtps://user@host:465` or `smtp://user@host:587`, which requires STARTTLS. `?tls=none` turns encryption off
    /// for a host on the same machine.
    ///
    /// # Errors
    /// What was expected. The text does not repeat the URL.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected smtps://user@host:465, or smtp://user@host:587 for STARTTLS";
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        if url.password().is_some() {
            return Err("must not contain the password; set email.password");
        }
        let is_bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
        let encryption = match (url.scheme(), url.query()) {
            ("smtps", None) => SmtpEncryption::Tls,
            ("smtp", None | Some("tls=required")) => SmtpEncryption::StartTls,
            ("smtp", Some("tls=none")) => SmtpEncryption::None,
            _ => return Err(EXPECTED),
        };
        let host = url.host_str().filter(|host| is_bare && !host.is_empty()).ok_or(EXPECTED)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if encryption == SmtpEncryption::None && !is_same_machine(&host) {
            return Err("tls=none is for a mail server on the same machine only");
        }
        let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| EXPECTED)?.into_owned();
        if user.chars().any(char::is_control) {
            return Err(EXPECTED);
        }
        let port = match encryption {
            SmtpEncryption::Tls => TLS_PORT,
            SmtpEncryption::StartTls => STARTTLS_PORT,
            SmtpEncryption::None => PLAIN_PORT,
        };
        let user = Some(user).filter(|user| !user.is_empty());
        Ok(Self { host, port: url.port().unwrap_or(port), encryption, user })
    }
}

fn is_same_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the host of a URL is on the same machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The sender of e-mails: an address, or `Name <address>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFrom(pub(crate) Mailbox);

impl MailFrom {
    /// Parses the sender.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = !text.chars().any(char::is_control);
        text.parse().ok().filter(|_| is_plain).map(Self)
    }
}

impl fmt::Display for MailFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
