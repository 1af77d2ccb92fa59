//! The links that a person opens on a phone. Their secrets are in the fragment, which browsers send to no server.

use std::net::SocketAddr;

use actix_web::HttpRequest;
use rogerrat_domain::account::IdentityReply;
use url::{Host, Url};

use crate::host_info;
use crate::web::state::AppState;

/// What a link lets its holder do.
pub(super) struct PhoneAccess<'a> {
    pub(super) channel: &'a str,
    pub(super) token: &'a str,
    pub(super) phone: &'a IdentityReply,
    pub(super) owner_password: Option<&'a str>,
    /// The name that the page shows for the person.
    pub(super) name: Option<&'a str>,
}

impl PhoneAccess<'_> {
    /// The link with everything the page needs.
    pub(super) fn url(&self, origin: &str) -> String {
        self.link(origin, self.owner_password)
    }

    /// The link without the owner password.
    pub(super) fn protected_url(&self, origin: &str) -> String {
        self.link(origin, None)
    }

    fn link(&self, origin: &str, owner_password: Option<&str>) -> String {
        let Self { channel, token, phone, name, .. } = self;
        let key = Some(phone.identity_key.as_str());
        // The page takes even an encoded `&` for a separator, because programs that show links encode it.
        let name = name.map(|name| name.replace('&', "\u{ff06}"));
        let parts = [
            ("t", Some(*token)),
            ("k", key),
            ("cs", Some(phone.callsign.as_str())),
            ("p", owner_password),
            ("n", name.as_deref()),
        ];
        let parts = parts.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", encoded(value?))));
        format!("{origin}/remote/{channel}#{}", parts.collect::<Vec<_>>().join("&"))
    }

    /// The text for the person.
    pub(super) fn handoff(&self, url: &str, protected_url: &str) -> String {
        let last = "A link is a key: whoever has it and the PIN instructs the agent. Do not forward it.";
        match self.owner_password {
            Some(pin) => format!(
                "Control this agent from your phone. Open this link, or scan its QR code:\n{url}\n\nThe same without the \
                 PIN, for a chat that others can read:\n{protected_url}\nIts PIN: {pin}\n\n{last}"
            ),
            None => format!(
                "Control this agent from your phone. Open this link, or scan its QR code:\n{protected_url}\nThe page asks \
                 for the owner password of the channel, which you have.\n\n{last}"
            ),
        }
    }
}

/// Encodes a value of the fragment.
pub(crate) fn encoded(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

impl AppState {
    /// The origin of links for other devices: the configured one, else that of the tunnel, else the first address in the
    /// local network with `--lan`, else that of the request.
    pub(crate) fn link_origin(&self, request: &HttpRequest) -> String {
        if let Some(origin) = &self.origin {
            return origin.origin().ascii_serialization();
        }
        if let Some(origin) = self.hosts.tunnel.origin() {
            return origin;
        }
        if let Some(bound) = self.bound().filter(|_| self.lan)
            && let Some(address) = host_info::addresses_of(bound).first()
        {
            return format!("{}://{}", self.scheme, SocketAddr::new(*address, bound.port()));
        }
        self.public_origin(request)
    }
}

/// Why no phone can open a link to this origin; none if one can.
pub(super) fn notice(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let is_local = match url.host()? {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(v4) => v4.is_loopback() || v4.is_unspecified(),
        Host::Ipv6(v6) => {
            let mapped = v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback() || v4.is_unspecified());
            v6.is_loopback() || v6.is_unspecified() || mapped
        }
    };
    is_local.then(|| {
        format!(
            "No phone can open these links: {origin} is this machine itself. To reach the hub from the local network, \
             restart it with `--lan`; from anywhere, with `--tunnel cloudflared`; if it has a public address, with \
             `--origin`."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_add_a_part_to_the_fragment() {
        let phone = IdentityReply {
            callsign: rogerrat_domain::Callsign::parse("ann").unwrap(),
            identity_key: "rr_id_a-b_c".into(),
        };
        let access = PhoneAccess {
            channel: "quiet-otter-3a8f",
            token: "t0ken",
            phone: &phone,
            owner_password: Some("012345"),
            name: Some("R&D; a+b #1%26p=9\n"),
        };
        let start = "http://h:1/remote/quiet-otter-3a8f#t=t0ken&k=rr_id_a-b_c&cs=ann";
        let name = "&n=R%EF%BC%86D%3B%20a%2Bb%20%231%2526p%3D9%0A";
        assert_eq!(access.url("http://h:1"), format!("{start}&p=012345{name}"));
        assert_eq!(access.protected_url("http://h:1"), format!("{start}{name}"));
        let text = access.handoff("the link", "the protected link");
        assert!(text.contains("\nthe link\n") && text.contains("\nthe protected link\n") && text.contains("012345"));
        let text = PhoneAccess { owner_password: None, ..access }.handoff("x", "the protected link");
        assert!(text.contains("\nthe protected link\n") && !text.contains("PIN:"), "{text}");
    }

    #[test]
    fn a_link_to_this_machine_comes_with_a_notice() {
        for local in ["http://127.0.0.1:7424", "http://localhost", "http://park.localhost:1", "http://[::1]:7424"] {
            let notice = notice(local).unwrap();
            assert!(notice.contains("`--lan`") && notice.contains("`--tunnel "), "{local}: {notice}");
        }
        for other in ["http://192.168.1.5:7424", "https://hub.example.org", "http://[2001:db8::1]:7424", "http://box"] {
            assert!(notice(other).is_none(), "{other}");
        }
    }
}
