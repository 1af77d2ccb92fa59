//! Sends e-mails through an SMTP server: implements [`MailSender`] with lettre.
//!
//! It runs on a thread of its own, so that a slow server cannot delay requests to the hub. Each call is one try; the queue of
//! the hub decides about further ones. No error contains an address or a text of the server.
#![warn(missing_docs)]

mod server;
mod template;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::io;
use std::time::{Duration, SystemTime};

use actix_rt::Arbiter;
use futures_util::future::BoxFuture;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use rogerrat_actors::{Clock, Mail, MailContent, MailFailure, MailSender, random_token};
use rogerrat_domain::Language;
use rogerrat_domain::email::EmailAddress;
use tokio::sync::oneshot;
use tokio::time::timeout;
use url::Url;

pub use server::{MailFrom, SmtpEncryption, SmtpServer, is_loopback};

/// How long one try may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(15);

/// What is needed to send e-mails.
#[derive(Clone)]
pub struct MailSettings {
    /// The server.
    pub server: SmtpServer,
    /// The password for it; none does not authenticate.
    pub password: Option<String>,
    /// The sender.
    pub from: MailFrom,
    /// The public origin of the hub, for links.
    pub origin: Url,
}

/// Why e-mails cannot be sent with some settings.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare TLS for the mail server")]
pub struct MailSetupError(#[from] SmtpError);

/// Why a test e-mail was not sent, in the words of the library or the server: for the operator's terminal, not for a log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TestMailError(String);

/// Sends e-mails from a thread of its own.
pub struct SmtpMailSender {
    thread: Arbiter,
    smtp: Smtp,
}

/// The connection settings, and what all e-mails have in common.
#[derive(Clone)]
struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    origin: Url,
}

impl SmtpMailSender {
    /// Starts the thread. It connects to nothing.
    ///
    /// # Errors
    /// When the certificates of the system cannot be used.
    pub fn start(settings: &MailSettings) -> Result<Self, MailSetupError> {
        Ok(Self { smtp: Smtp::new(settings)?, thread: Arbiter::new() })
    }
}

/// Sends a test e-mail, with one try.
///
/// # Errors
/// What the library or the server says.
pub fn send_test(settings: &MailSettings, to: &str) -> Result<(), TestMailError> {
    let to = EmailAddress::parse(to).map_err(|refusal| TestMailError(refusal.text.into_owned()))?;
    let at_ms = Clock::start().now().at_ms;
    let mail = Mail { to, language: Language::En, at_ms, content: MailContent::Test };
    actix_rt::System::new().block_on(async {
        let smtp = Smtp::new(settings).map_err(|error| TestMailError(chain(&error.0)))?;
        let message = smtp.message(&mail).ok_or_else(|| TestMailError("the address is not valid".to_owned()))?;
        match timeout(TRY_TIMEOUT, smtp.transport.send(message)).await {
            Ok(sent) => sent.map(|_| ()).map_err(|error| TestMailError(chain(&error))),
            Err(_) => Err(TestMailError(format!("the server did not finish within {} s", TRY_TIMEOUT.as_secs()))),
        }
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        // Some errors repeat their cause.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

impl MailSender for SmtpMailSender {
    fn send(&self, mail: Mail) -> BoxFuture<'static, Result<(), MailFailure>> {
        let (reply, answer) = oneshot::channel();
        let smtp = self.smtp.clone();
        let is_queued = self.thread.spawn(async move {
            let _ = reply.send(smtp.send(&mail).await);
        });
        Box::pin(async move {
            let stopped = || failure("the thread that sends e-mails has stopped", true);
            if !is_queued {
                return Err(stopped());
            }
            answer.await.unwrap_or_else(|_| Err(stopped()))
        })
    }
}

impl Smtp {
    fn new(settings: &MailSettings) -> Result<Self, MailSetupError> {
        let MailSettings { server, password, from, origin } = settings;
        let tls = match server.encryption {
            SmtpEncryption::Tls => Tls::Wrapper(TlsParameters::new(server.host.clone())?),
            SmtpEncryption::StartTls => Tls::Required(TlsParameters::new(server.host.clone())?),
            SmtpEncryption::None => Tls::None,
        };
        let name = origin.host_str().unwrap_or("localhost").to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(TRY_TIMEOUT))
            .hello_name(ClientId::Domain(name));
        if let (Some(user), Some(password)) = (&server.user, password) {
            builder = builder
                .credentials(Credentials::new(user.clone(), password.clone()))
                .authentication(vec![Mechanism::Plain, Mechanism::Login]);
        }
        Ok(Self { transport: builder.build(), from: from.0.clone(), origin: origin.clone() })
    }

    async fn send(&self, mail: &Mail) -> Result<(), MailFailure> {
        let message = self.message(mail).ok_or_else(|| failure("the address is not valid", false))?;
        match timeout(TRY_TIMEOUT, self.transport.send(message)).await {
            Ok(sent) => sent.map(|_| ()).map_err(|error| failure_of(&error)),
            Err(_) => Err(failure("the server did not finish in time", true)),
        }
    }

    /// The message; none if the library does not accept the address.
    fn message(&self, mail: &Mail) -> Option<Message> {
        let (subject, body) = template::render(mail, &self.origin);
        let host = self.origin.host_str().unwrap_or("localhost");
        let builder = MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.to.as_str().parse().ok()?))
            .subject(subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(mail.at_ms))
            .message_id(Some(format!("<{}@{host}>", random_token())))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        builder.body(body).ok()
    }
}

fn failure(reason: &'static str, is_temporary: bool) -> MailFailure {
    MailFailure { reason, status: None, is_temporary }
}

/// Whether an error is caused by data that is not valid, as TLS reports a certificate or a message of the server.
fn is_invalid_data(error: &SmtpError) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let mut io = causes.filter_map(|cause| cause.downcast_ref::<io::Error>());
    io.any(|cause| cause.kind() == io::ErrorKind::InvalidData)
}

fn failure_of(error: &SmtpError) -> MailFailure {
    let (reason, is_temporary) = if error.is_permanent() {
        ("the server refused it", false)
    } else if error.is_transient() {
        ("the server refused it for now", true)
    } else if error.is_client() {
        ("the server does not offer what the configuration needs", false)
    } else if error.is_tls() || is_invalid_data(error) {
        ("TLS with the server failed", true)
    } else if error.is_timeout() {
        ("the server did not answer in time", true)
    } else if error.is_response() {
        ("the server's reply was not understood", true)
    } else {
        ("the connection to the server failed", true)
    };
    MailFailure { reason, status: error.status().map(u16::from), is_temporary }
}

/// Marks an e-mail that no person wrote, so that nothing replies to it automatically (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
