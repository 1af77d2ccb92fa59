//! The texts of e-mails, from `web/mail`. They contain nothing that a user wrote.

use jiff::Timestamp;
use rogerrat_actors::{Mail, MailContent};
use rogerrat_domain::{AccountId, Language};
use url::Url;

/// The texts of one kind of e-mail, in English and in Spanish.
macro_rules! texts {
    ($kind:literal) => {
        [
            include_str!(concat!("../../web/mail/", $kind, ".en.txt")),
            include_str!(concat!("../../web/mail/", $kind, ".es.txt")),
        ]
    };
}

const VERIFICATION: [&str; 2] = texts!("verification");
const RECOVERY: [&str; 2] = texts!("recovery");
const REMOVED: [&str; 2] = texts!("removed");
const RECOVERED: [&str; 2] = texts!("recovered");
const TEST: [&str; 2] = texts!("test");

/// The subject and the body of an e-mail.
pub(super) fn render(mail: &Mail, origin: &Url) -> (String, String) {
    let [english, spanish] = match &mail.content {
        MailContent::Verification { .. } => VERIFICATION,
        MailContent::Recovery(_) => RECOVERY,
        MailContent::Removed(_) => REMOVED,
        MailContent::Recovered(_) => RECOVERED,
        MailContent::Test => TEST,
    };
    let template = match mail.language {
        Language::En => english,
        Language::Es => spanish,
    };
    let host = origin.host_str().unwrap_or_default().to_owned();
    let origin = origin.origin().ascii_serialization();
    let mut values = vec![("{host}", host), ("{origin}", origin.clone()), ("{time}", utc(mail.at_ms))];
    match &mail.content {
        MailContent::Verification { account, code, link } => {
            values.extend([("{account}", account.to_string()), ("{code}", code.clone()), ("{secret}", link.clone())]);
        }
        MailContent::Recovery(links) => values.push(("{links}", links_text(links, &origin))),
        MailContent::Removed(account) | MailContent::Recovered(account) => {
            values.push(("{account}", account.to_string()));
        }
        MailContent::Test => {}
    }
    let text = values.iter().fold(template.to_owned(), |text, (place, value)| text.replace(place, value));
    let (subject, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    (subject.trim_start_matches("Subject: ").to_owned(), body.to_owned())
}

/// A paragraph for each account, with its id and link.
fn links_text(links: &[(AccountId, String)], origin: &str) -> String {
    links.iter().map(|(account, secret)| format!("{account}\n{origin}/account/recover#t={secret}\n\n")).collect()
}

/// A time as `2026-11-29 12:30 UTC`, from milliseconds since the epoch.
pub(super) fn utc(at_ms: u64) -> String {
    let time = Timestamp::from_millisecond(at_ms.cast_signed()).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
