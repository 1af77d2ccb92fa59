//! E-mail addresses of accounts: validation, the requests and replies of their API, and how the hub stores them.
//!
//! An address is stored encrypted. It is found by a hash that depends on the hub's key, so that a copy of the database
//! alone reveals no address.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::encryptor::{Encryptor, NONCE_BYTES};
use crate::hub_key::HubKey;
use crate::ids::AccountId;
use crate::limits;
use crate::refusal::Refusal;
use crate::token::TokenHash;

/// The prefix of the secret in the link that verifies an address.
pub const VERIFY_PREFIX: &str = "rr_mail_";
/// The prefix of the secret in the link that recovers an account.
pub const EMAIL_RECOVERY_PREFIX: &str = "rr_back_";

/// Characters of the part before the `@`, besides ASCII letters and digits (RFC 5322, 3.2.3), and the dot.
const LOCAL_CHARS: &[u8] = b"!#$%&'*+/=?^_`{|}~-.";
/// Characters of the part before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_MAX_CHARS: usize = 64;
/// Characters between two dots of a host name (RFC 1035, 2.3.4).
const LABEL_MAX_CHARS: usize = 63;

/// A valid e-mail address: ASCII, with a host name that has a dot. Neither part is quoted.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Validates an address. White space around it is dropped.
    ///
    /// # Errors
    /// `invalid`. The refusal does not repeat the address.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        if is_address(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Refusal::invalid(format!("email must be an address of at most {} characters", limits::EMAIL_CHARS))
            .hint("send it as name@example.org, in ASCII and without a display name"))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as replies show it: the first character and the host, such as `a…@example.org`.
    #[must_use]
    pub fn masked(&self) -> MaskedEmail {
        let (local, host) = self.0.split_once('@').unwrap_or_default();
        MaskedEmail(format!("{}…@{host}", local.get(..1).unwrap_or_default()))
    }
}

/// Does not show the address.
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

fn is_address(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let is_local = local.bytes().all(|b| b.is_ascii_alphanumeric() || LOCAL_CHARS.contains(&b));
    let has_parts = local.split('.').all(|part| !part.is_empty());
    text.len() <= limits::EMAIL_CHARS && local.len() <= LOCAL_MAX_CHARS && is_local && has_parts && is_host(host)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (1..=LABEL_MAX_CHARS).contains(&label.len()) && is_plain && !label.starts_with('-') && !label.ends_with('-')
    };
    // The last label of an IPv4 address is a number.
    let is_name = host.rsplit_once('.').is_some_and(|(_, last)| last.bytes().any(|b| b.is_ascii_alphabetic()));
    is_name && host.split('.').all(is_label)
}

/// An e-mail address that is shortened so that it can be shown: its first character and its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 254, examples("a…@example.org"))]
pub struct MaskedEmail(String);

/// The hash by which the accounts of an address are found. It depends on the hub's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailLookup([u8; 32]);

impl EmailLookup {
    /// The hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Encrypts, decrypts and hashes addresses and codes with the hub's key.
#[derive(Clone)]
pub struct EmailKeys {
    addresses: Encryptor,
    lookups: HubKey,
    codes: HubKey,
}

impl EmailKeys {
    /// The keys of the hub with this key.
    #[must_use]
    pub fn of(key: &HubKey) -> Self {
        Self {
            addresses: Encryptor::new(key, "e-mail address"),
            lookups: key.derive("e-mail lookup"),
            codes: key.derive("e-mail code"),
        }
    }

    /// The hash of an address, in which upper and lower case are the same.
    #[must_use]
    pub fn lookup(&self, address: &EmailAddress) -> EmailLookup {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.lookups.derive(&address.0.to_ascii_lowercase()).bytes());
        EmailLookup(hash)
    }

    /// Encrypts the address of an account. A nonce must be used only once.
    #[must_use]
    pub fn seal(&self, address: &EmailAddress, account: &AccountId, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        self.addresses.encrypt(address.0.as_bytes(), account.as_str(), nonce)
    }

    /// Decrypts the address of an account; none if it was not encrypted for this account with the hub's key.
    #[must_use]
    pub fn open(&self, sealed: &[u8], account: &AccountId) -> Option<EmailAddress> {
        EmailAddress::parse(std::str::from_utf8(&self.addresses.decrypt(sealed, account.as_str())?).ok()?).ok()
    }

    /// The hash of an account's code. Without the hub's key, codes cannot be tried.
    #[must_use]
    pub fn code(&self, account: &AccountId, code: &str) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.codes.derive(&format!("{account} {code}")).bytes());
        TokenHash::of_stored(hash)
    }
}

/// The body of a request to attach an address, and of one to recover accounts by e-mail.
#[derive(Clone, Deserialize, ToSchema)]
pub struct EmailInput {
    /// The address.
    #[schema(format = "email", max_length = 254)]
    pub email: String,
}

/// The body of a request to verify an address.
#[derive(Clone, Deserialize, ToSchema)]
pub struct VerifyEmailInput {
    /// The code of six digits from the e-mail, or the secret from its link.
    #[schema(max_length = 64)]
    pub code: String,
}

/// What a request presents to verify an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VerificationInput<'a> {
    /// What should be a code of six digits. It needs a session of the account.
    Code(&'a str),
    /// The secret from a link, which needs no session.
    Link(&'a str),
}

impl VerifyEmailInput {
    /// What it presents.
    #[must_use]
    pub fn proof(&self) -> VerificationInput<'_> {
        let text = self.code.trim();
        if text.starts_with(VERIFY_PREFIX) { VerificationInput::Link(text) } else { VerificationInput::Code(text) }
    }
}

/// The body of a request to recover an account with the link of an e-mail.
#[derive(Clone, Deserialize, ToSchema)]
pub struct ConfirmRecoveryInput {
    /// The secret from the link, which follows `#t=`.
    #[schema(max_length = 64)]
    pub token: String,
    /// A name for the new session, such as `phone`, by which you recognize it in the list of sessions. Taken from the
    /// `User-Agent` if omitted.
    #[schema(min_length = 1, max_length = 64)]
    pub label: Option<String>,
}

/// An address that waits for its code.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttachEmailReply {
    /// The address, shortened.
    pub email: MaskedEmail,
    /// Always false: the code in the e-mail verifies it.
    pub verified: bool,
    /// When the code expires, in milliseconds since the epoch.
    pub expires_at: u64,
}

/// An address that recovers the account from now on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VerifyEmailReply {
    /// The address, shortened.
    pub email: MaskedEmail,
    /// Always true.
    pub verified: bool,
}

/// An account that was recovered by e-mail. Its tokens are returned only once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConfirmRecoveryReply {
    /// The account's id.
    pub account_id: AccountId,
    /// Authenticates the account as a bearer token. Earlier session tokens stay valid: list the sessions and end those you
    /// do not recognize.
    pub session_token: String,
    /// The new recovery token. The previous one is no longer accepted.
    pub recovery_token: String,
}

/// The e-mail address of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountEmail {
    /// The address, shortened.
    pub address: MaskedEmail,
    /// Whether it recovers the account. If not, it waits for its code.
    pub verified: bool,
    /// When that code expires, in milliseconds since the epoch. Null for a verified address.
    #[schema(required)]
    pub expires_at: Option<u64>,
    /// The address that replaces it when its code is entered. Null if there is none.
    #[schema(required)]
    pub next: Option<NextEmail>,
}

/// An address that is to replace another one, and waits for its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextEmail {
    /// The address, shortened.
    pub address: MaskedEmail,
    /// When the code expires, in milliseconds since the epoch.
    pub expires_at: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_ascii_with_a_host() {
        let longest = format!("a@{}.org", [&"b".repeat(63)[..]; 4].join(".").split_at(248).0);
        for good in
            ["a@b.co", " ann+tag@Example.ORG ", "o'neill.x@mail.example.org", "1@xn--bcher-kva.example", &longest]
        {
            assert_eq!(EmailAddress::parse(good).unwrap().as_str(), good.trim());
        }
        let long = format!("{}@example.org", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b.org",
            "a@b",
            "a b@c.org",
            "a@b..org",
            "a@.org",
            "a@b.org.",
            "a@-b.org",
            "a@1.2.3.4",
            "a@[1.2.3.4]",
            "\"a b\"@c.org",
            "Ann <a@b.org>",
            "a@b.org, c@d.org",
            "a@b.org\r\nBcc: c@d.org",
            "ä@b.org",
            "a@bücher.org",
            ".a@b.org",
            "a..b@c.org",
            "a@b@c.org",
            "a\0@b.org",
            &long,
            &"a@b.org".repeat(40),
        ] {
            let refusal = EmailAddress::parse(bad).unwrap_err();
            assert!(bad.len() < 3 || !refusal.text.contains(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_is_shown_shortened_and_never_by_debug() {
        let address = EmailAddress::parse("ann.smith@example.org").unwrap();
        assert_eq!(serde_json::to_value(address.masked()).unwrap(), "a…@example.org");
        assert!(!format!("{address:?}").contains("ann"));
    }

    #[test]
    fn an_address_is_sealed_for_one_account_and_found_in_any_case() {
        let keys = EmailKeys::of(&HubKey::new([7; 32]));
        let [ann, bob] = [1, 2].map(AccountId::from_random);
        let [lower, upper] = ["ann@example.org", "Ann@Example.ORG"].map(|text| EmailAddress::parse(text).unwrap());
        assert_eq!(keys.lookup(&lower), keys.lookup(&upper));
        assert_ne!(keys.lookup(&lower), EmailKeys::of(&HubKey::new([8; 32])).lookup(&lower));
        let sealed = keys.seal(&upper, &ann, [1; 24]);
        assert_eq!(keys.open(&sealed, &ann).unwrap(), upper);
        assert!(keys.open(&sealed, &bob).is_none());
        assert!(!sealed.windows(7).any(|part| part.eq_ignore_ascii_case(b"example")));
        assert_ne!(keys.code(&ann, "123456"), keys.code(&bob, "123456"));
        assert_ne!(keys.code(&ann, "123456"), TokenHash::of("123456"));
    }
}
