//! The texts, the headers, and the addresses of servers.

use lettre::Address;
use rogerrat_actors::{Mail, MailContent};
use rogerrat_domain::email::EmailAddress;
use rogerrat_domain::{AccountId, Language};
use url::Url;

use super::server::{MailFrom, SmtpEncryption, SmtpServer, is_loopback};
use super::template::utc;
use super::{MailSettings, Smtp, template};

const AT_MS: u64 = 1_795_955_400_000;

fn account() -> AccountId {
    AccountId::from_random(7)
}

fn contents() -> [MailContent; 5] {
    let link = || (account(), "rr_back_SECRET".to_owned());
    [
        MailContent::Verification { account: account(), code: "012345".into(), link: "rr_mail_SECRET".into() },
        MailContent::Recovery(vec![link(), link()]),
        MailContent::Removed(account()),
        MailContent::Recovered(account()),
        MailContent::Test,
    ]
}

fn mail(language: Language, content: MailContent) -> Mail {
    Mail { to: EmailAddress::parse("ann@example.org").unwrap(), language, at_ms: AT_MS, content }
}

#[test]
fn every_text_has_a_subject_and_all_its_values() {
    let origin = Url::parse("https://hub.example.org").unwrap();
    for language in [Language::En, Language::Es] {
        for content in contents() {
            let kind = content.kind();
            let (subject, body) = template::render(&mail(language, content), &origin);
            let all = format!("{subject}\n{body}");
            assert!(subject.contains("hub.example.org") && !subject.contains(['\r', '\n']), "{subject}");
            assert!(!all.contains(['{', '}']), "{kind}: {all}");
            assert!(all.contains("https://hub.example.org") && all.contains("2026-11-29 12:30 UTC"), "{all}");
            assert_eq!(all.contains(account().as_str()), kind != "test", "{all}");
            assert!(body.lines().all(|line| line.len() <= 110 || line.contains("://")), "{all}");
        }
    }
    let (subject, body) = template::render(&mail(Language::En, contents()[0].clone()), &origin);
    assert!(subject.contains("012345") && body.contains("\n012345\n"), "{body}");
    assert!(body.contains("\nhttps://hub.example.org/account/verify#c=rr_mail_SECRET\n"), "{body}");
    let (_, body) = template::render(&mail(Language::En, contents()[1].clone()), &origin);
    assert_eq!(body.matches("\nhttps://hub.example.org/account/recover#t=rr_back_SECRET\n").count(), 2, "{body}");
}

#[test]
fn a_message_is_plain_text_that_nothing_replies_to() {
    let settings = MailSettings {
        server: SmtpServer::parse("smtp://localhost?tls=none").unwrap(),
        password: None,
        from: MailFrom::parse("The hub <hub@example.org>").unwrap(),
        origin: Url::parse("https://hub.example.org:8443").unwrap(),
    };
    let smtp = Smtp::new(&settings).unwrap();
    for content in contents() {
        let message = smtp.message(&mail(Language::Es, content)).unwrap().formatted();
        let message = String::from_utf8(message).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        for line in [
            "To: ann@example.org",
            "From: \"The hub\" <hub@example.org>",
            "Date: Sun, 29 Nov 2026 12:30:00 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.lines().any(|l| l == line), "{line} is not in\n{head}");
        }
        assert!(head.lines().any(|l| l.starts_with("Message-ID: <") && l.ends_with("@hub.example.org>")), "{head}");
        assert!(message.is_ascii() && message.lines().all(|line| line.len() < 998));
    }
}

#[test]
fn every_address_the_hub_accepts_is_one_for_the_library() {
    for text in [
        "a@b.co",
        "o'neill.x+y@mail.example.org",
        "!#$%&'*+/=?^_`{|}~-@x-1.example",
        &format!("{}@b.co", "a".repeat(64)),
    ] {
        EmailAddress::parse(text).unwrap().as_str().parse::<Address>().unwrap();
    }
}

#[test]
fn a_server_is_encrypted_unless_it_is_on_the_same_machine() {
    let parse =
        |text: &str| SmtpServer::parse(text).map(|s| (s.host, s.port, s.encryption, s.user.unwrap_or_default()));
    let expected = |host: &str, port, encryption, user: &str| Ok((host.to_owned(), port, encryption, user.to_owned()));
    assert_eq!(parse("smtps://mail.example.org"), expected("mail.example.org", 465, SmtpEncryption::Tls, ""));
    assert_eq!(
        parse("smtps://hub%40example.org@mail.example.org:4465/"),
        expected("mail.example.org", 4465, SmtpEncryption::Tls, "hub@example.org")
    );
    assert_eq!(parse("smtp://u@mail.example.org"), expected("mail.example.org", 587, SmtpEncryption::StartTls, "u"));
    assert_eq!(parse("smtp://127.0.0.1:2525?tls=required"), expected("127.0.0.1", 2525, SmtpEncryption::StartTls, ""));
    for local in ["localhost", "127.0.0.1", "127.0.0.2"] {
        assert_eq!(parse(&format!("smtp://{local}?tls=none")), expected(local, 25, SmtpEncryption::None, ""));
    }
    assert_eq!(parse("smtp://[::1]:26?tls=none"), expected("::1", 26, SmtpEncryption::None, ""));
    for wrong in [
        "",
        "mail.example.org",
        "smtp://",
        "smtps:///x",
        "https://mail.example.org",
        "smtp://mail.example.org?tls=none",
        "smtp://mail.example.org?tls=opportunistic",
        "smtps://u:secret@mail.example.org",
        "smtps://mail.example.org/path",
        "smtps://mail.example.org#x",
        "smtps://u%0d%0a@mail.example.org",
    ] {
        let expected = parse(wrong).unwrap_err();
        assert!(!expected.contains("secret"), "{wrong}");
    }
    for (url, local) in
        [("http://localhost:1", true), ("http://[::1]", true), ("http://127.9.9.9", true), ("http://a.org", false)]
    {
        assert_eq!(is_loopback(&Url::parse(url).unwrap()), local, "{url}");
    }
}

#[test]
fn times_are_dates() {
    for (at_ms, expected) in [
        (0, "1970-01-01 00:00 UTC"),
        (951_782_400_000, "2000-02-29 00:00 UTC"),
        (4_107_542_399_000, "2100-02-28 23:59 UTC"),
        (AT_MS, "2026-11-29 12:30 UTC"),
    ] {
        assert_eq!(utc(at_ms), expected);
    }
}
