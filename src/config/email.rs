//! `[email]`: the mail server through which the hub sends e-mails.
//!
//! The password comes from the environment, or from a file that only its owner can read.

use std::os::unix::fs::PermissionsExt as _;
use std::{fmt, fs};

use rogerrat_mail_sender::{MailFrom, MailSettings, SmtpServer, is_loopback};
use url::Url;

use super::origin::Origin;
use super::parse;
use super::raw::Value;
use super::reader::Reader;

const PER_HOUR: std::ops::RangeInclusive<u32> = 1..=10_000;
const PASSWORD_BYTES: usize = 1024;
/// The permission bits that let others read a file.
const OTHERS: u32 = 0o077;

/// E-mail.
pub(crate) struct Email {
    /// How e-mails are sent; none sends none.
    pub settings: Option<MailSettings>,
    /// E-mails in an hour.
    pub per_hour: u32,
}

impl Email {
    /// Reads the section. `origin` is the public URL of the hub, for links.
    pub(super) fn read(reader: &mut Reader, origin: Option<&Option<Url>>) -> Option<Self> {
        let server = reader.read_shown("email.smtp", server, |server| match server {
            Some((_, text)) => format!("\"{text}\""),
            None => "\"\"".to_owned(),
        });
        let password = read_password(reader);
        let from = reader.read_shown("email.from", from, |from| match from {
            Some(from) => serde_json::to_string(&from.to_string()).unwrap_or_default(),
            None => "\"\"".to_owned(),
        });
        let per_hour = reader.read("email.per_hour", |value| parse::number(value, &PER_HOUR))?;
        let (server, password, from) = (server?, password?, from?);
        let Some((server, _)) = server else { return Some(Self { settings: None, per_hour }) };
        let errors = reader.errors.len();
        if from.is_none() {
            reader.error("email.from", "is missing: e-mails need a sender, such as \"hub@example.org\"".to_owned());
        }
        if server.user.is_some() != password.is_some() {
            let message = "is needed with a user in email.smtp, and only then; set ROGERRAT_EMAIL__PASSWORD";
            reader.error("email.password", message.to_owned());
        }
        let origin = origin?;
        if !origin.as_ref().is_some_and(|url| url.scheme() == "https" || is_loopback(url)) {
            let message =
                "must be https for e-mail, because the links of e-mails contain secrets; set it with --origin";
            reader.error("server.origin", message.to_owned());
        }
        if reader.errors.len() > errors {
            return None;
        }
        let settings = MailSettings { server, password, from: from?, origin: origin.clone()? };
        Some(Self { settings: Some(settings), per_hour })
    }
}

/// Omits the password.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.settings.as_ref().map(|settings| &settings.server);
        f.debug_struct("Email").field("server", &server).field("per_hour", &self.per_hour).finish_non_exhaustive()
    }
}

/// The server, and the text that it was parsed from, which has no password.
fn server(value: &Value) -> Result<Option<(SmtpServer, String)>, String> {
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        Some(text) => Ok(Some((SmtpServer::parse(text)?, text.to_owned()))),
        None => Err("expected text".to_owned()),
    }
}

fn from(value: &Value) -> Result<Option<MailFrom>, String> {
    const EXPECTED: &str = "expected an address such as hub@example.org, or \"Name <hub@example.org>\"";
    match parse::as_text(value).map(str::trim) {
        Some("") => Ok(None),
        text => text.and_then(MailFrom::parse).map(Some).ok_or_else(|| EXPECTED.to_owned()),
    }
}

fn read_password(reader: &mut Reader) -> Option<Option<String>> {
    let origin = reader.origin("email.password");
    reader.read_shown("email.password", |value| password(value, &origin), parse::mask)
}

/// The error message does not repeat the value.
fn password(value: &Value, origin: &Origin) -> Result<Option<String>, String> {
    match (parse::as_text(value), origin) {
        (Some(""), Origin::Env(_)) => Err("the password is empty; set one, or remove the variable".to_owned()),
        (Some(""), _) => Ok(None),
        (Some(text), _) if text.len() > PASSWORD_BYTES || text.chars().any(char::is_control) => {
            Err(format!("expected text of at most {PASSWORD_BYTES} bytes without control characters"))
        }
        (Some(_), Origin::File(path)) if !is_private(path) => {
            let fix = "run `chmod 600` on it, or set ROGERRAT_EMAIL__PASSWORD";
            Err(format!("other users can read this file, so it must not contain the password; {fix}"))
        }
        (Some(text), _) => Ok(Some(text.to_owned())),
        (None, _) => Err("expected text".to_owned()),
    }
}

/// Whether only its owner can read a file.
pub(super) fn is_private(path: &std::path::Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS == 0)
}
