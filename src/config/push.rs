//! `[push]`: web push. Push services want to know whom to contact, so that is what turns it on.

use rogerrat_webhook_sender::PushHost;
use url::{Host, Url};

use super::parse;
use super::raw::Value;
use super::reader::Reader;
use crate::host_info::{is_below, is_public_name};

/// Domains for documentation and tests (RFC 6761), which push services do not accept as a contact either.
const RESERVED_DOMAINS: [&str; 3] = ["invalid", "test", "example"];
const NO_CONTACT: &str = "push services need a contact: set push.contact to a mailto: or https: address, or \
                          server.origin to a public https address";

/// Web push.
#[derive(Clone, Debug)]
pub(crate) struct Push {
    /// Where push services reach the operator; none uses the origin of the hub.
    contact: Option<String>,
    /// Push services to send to in addition to those of browsers.
    pub hosts: Vec<PushHost>,
}

impl Push {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let contact = reader.read("push.contact", contact);
        let hosts = reader.read_shown(
            "push.hosts",
            |value| parse::list(value, "host names, names such as *.example.org, or origins", PushHost::parse),
            |hosts| format!("[{}]", hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(",")),
        );
        Some(Self { contact: contact?, hosts: hosts? })
    }

    /// The contact to give to push services.
    ///
    /// # Errors
    /// Why the hub sends no push messages.
    pub(crate) fn contact(&self, origin: Option<&Url>) -> Result<String, &'static str> {
        if let Some(contact) = &self.contact {
            return Ok(contact.clone());
        }
        let origin = origin.filter(|origin| origin.scheme() == "https" && is_public(origin.host()));
        origin.map(|origin| origin.origin().ascii_serialization()).ok_or(NO_CONTACT)
    }
}

fn contact(value: &Value) -> Result<Option<String>, String> {
    let text = parse::text(value, "a mailto: or https: address")?;
    if text.is_empty() {
        return Ok(None);
    }
    let is_usable = match text.split_once(':') {
        Some(("mailto", address)) => address.split_once('@').is_some_and(|(user, name)| {
            let is_plain = |c: char| c.is_ascii_graphic() && !"?,;<>\"@".contains(c);
            !user.is_empty() && address.chars().filter(|c| *c != '@').all(is_plain) && is_public(Host::parse(name).ok())
        }),
        Some(("https", _)) => Url::parse(text).is_ok_and(|url| is_public(url.host())),
        _ => false,
    };
    if !is_usable || text.len() > 254 {
        return Err("expected a mailto: or https: address with a public host name, which push services can use".into());
    }
    Ok(Some(text.to_owned()))
}

/// Whether a host has a name on the public internet.
fn is_public<S: AsRef<str>>(host: Option<Host<S>>) -> bool {
    let Some(Host::Domain(name)) = host else { return false };
    let name = name.as_ref().trim_end_matches('.');
    is_public_name(name) && !RESERVED_DOMAINS.iter().any(|domain| is_below(name, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<String>, String> {
        contact(&Value::Text(text.to_owned()))
    }

    #[test]
    fn a_contact_is_a_real_address() {
        for good in ["mailto:operator@hub.example.org", "https://hub.example.org/about"] {
            assert_eq!(read(good).unwrap().as_deref(), Some(good));
        }
        assert_eq!(read("").unwrap(), None);
        for bad in [
            "operator@example.org",
            "mailto:",
            "mailto:@example.org",
            "mailto:a@b@example.org",
            "mailto:a@localhost",
            "mailto:a@hub.local",
            "mailto:a@10.0.0.1",
            "mailto:a b@example.org",
            "http://hub.example.org",
            "https://localhost",
            "https://hub.invalid",
            "https://10.0.0.1",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_contact_a_public_https_origin_is_used() {
        let push = Push { contact: None, hosts: Vec::new() };
        let of = |origin: &str| push.contact(Some(&Url::parse(origin).unwrap()));
        assert_eq!(of("https://hub.example.org").unwrap(), "https://hub.example.org");
        for private in ["http://hub.example.org", "https://localhost:7424", "https://10.0.0.2", "https://hub.lan"] {
            assert_eq!(of(private), Err(NO_CONTACT), "{private}");
        }
        assert_eq!(push.contact(None), Err(NO_CONTACT));
        let push = Push { contact: Some("mailto:a@example.org".into()), hosts: Vec::new() };
        assert_eq!(push.contact(None).unwrap(), "mailto:a@example.org");
    }
}
