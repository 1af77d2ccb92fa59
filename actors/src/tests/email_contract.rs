//! What every store of e-mail addresses must do, as functions that take a new store.

use rogerrat_actors::{
    AccountChange, AccountChangeResult, EmailChange, EmailChangeResult, EmailProof, PendingEmail, Ports, SealedEmail,
};
use rogerrat_domain::email::{EmailAddress, EmailKeys, EmailLookup};
use rogerrat_domain::limits::EMAIL_CODE_MS;
use rogerrat_domain::{HubKey, Language};

use super::account_contract::{hash, id, open};

const AT_MS: u64 = 1_000_000;

fn lookup(address: &str) -> EmailLookup {
    EmailKeys::of(&HubKey::new([7; 32])).lookup(&EmailAddress::parse(address).unwrap())
}

fn email(n: u64, address: &str) -> SealedEmail {
    SealedEmail { account: id(n), sealed: format!("sealed {address}").into_bytes(), language: Language::Es }
}

/// Lets an address of account `n` wait for the code "code `n`" or the link "link `n`".
pub(crate) fn attach(n: u64, address: &str) -> EmailChange {
    let (code, link) = (hash(&format!("code {n}")), hash(&format!("link {n}")));
    let expires_ms = AT_MS + EMAIL_CODE_MS;
    EmailChange::Attach(PendingEmail { email: email(n, address), lookup: lookup(address), code, link, expires_ms })
}

/// Verifies an address, of which one may recover two accounts.
pub(crate) fn verify(proof: EmailProof) -> EmailChange {
    EmailChange::Verify { proof, accounts: 2, tries: 3, at_ms: AT_MS }
}

pub(crate) fn code(n: u64, text: &str) -> EmailProof {
    EmailProof::Code(id(n), hash(text))
}

async fn change(ports: &Ports, change: EmailChange) -> EmailChangeResult {
    ports.accounts.change_email(change).await.unwrap()
}

async fn has_verified(ports: &Ports, n: u64, address: &str) {
    assert_eq!(change(ports, attach(n, address)).await, EmailChangeResult::Done);
    let verified = change(ports, verify(EmailProof::Link(hash(&format!("link {n}"))))).await;
    assert!(matches!(verified, EmailChangeResult::Verified { .. }), "{verified:?}");
}

/// Runs every contract, each on a new store.
pub(crate) async fn emails(new: impl AsyncFn() -> Ports) {
    an_address_is_verified_once_and_wrong_codes_count(&new().await).await;
    an_address_recovers_a_bounded_number_of_accounts(&new().await).await;
    a_link_recovers_its_account_once(&new().await).await;
    addresses_are_removed_with_their_account(&new().await).await;
    codes_and_links_expire(&new().await).await;
}

async fn an_address_is_verified_once_and_wrong_codes_count(ports: &Ports) {
    assert_eq!(change(ports, attach(1, "ann@example.org")).await, EmailChangeResult::Missing, "there is no account");
    open(ports, 1, 10).await;
    assert_eq!(change(ports, verify(code(1, "code 1"))).await, EmailChangeResult::Missing, "there is no address");
    assert_eq!(change(ports, attach(1, "ann@example.org")).await, EmailChangeResult::Done);
    for _ in 0..3 {
        assert_eq!(change(ports, verify(code(1, "other"))).await, EmailChangeResult::Wrong);
    }
    assert_eq!(change(ports, verify(code(1, "code 1"))).await, EmailChangeResult::Missing, "the code is void");
    assert_eq!(change(ports, attach(1, "ann@example.org")).await, EmailChangeResult::Done, "a new code");
    let stored = ports.accounts.emails(id(1)).await.unwrap();
    assert_eq!(stored.pending, Some((email(1, "ann@example.org"), AT_MS + EMAIL_CODE_MS)));
    let verified = EmailChangeResult::Verified { email: email(1, "ann@example.org"), replaced: None };
    assert_eq!(change(ports, verify(code(1, "code 1"))).await, verified);
    assert_eq!(change(ports, verify(code(1, "code 1"))).await, EmailChangeResult::Missing);
    assert_eq!(change(ports, attach(1, "new@example.org")).await, EmailChangeResult::Done);
    let replaced = Some(email(1, "ann@example.org"));
    let verified = EmailChangeResult::Verified { email: email(1, "new@example.org"), replaced };
    assert_eq!(change(ports, verify(EmailProof::Link(hash("link 1")))).await, verified);
    let stored = ports.accounts.emails(id(1)).await.unwrap();
    assert_eq!((stored.verified, stored.pending), (Some(email(1, "new@example.org")), None));
    assert!(ports.accounts.recoverable(lookup("ann@example.org")).await.unwrap().is_empty());
}

async fn an_address_recovers_a_bounded_number_of_accounts(ports: &Ports) {
    for n in [3, 1, 2] {
        open(ports, n, 10).await;
    }
    has_verified(ports, 3, "ann@example.org").await;
    has_verified(ports, 1, "ann@example.org").await;
    has_verified(ports, 1, "ann@example.org").await;
    assert_eq!(change(ports, attach(2, "ann@example.org")).await, EmailChangeResult::Done);
    assert_eq!(change(ports, verify(code(2, "code 2"))).await, EmailChangeResult::Full);
    let mut expected = vec![email(1, "ann@example.org"), email(3, "ann@example.org")];
    expected.sort_by(|a, b| a.account.cmp(&b.account));
    assert_eq!(ports.accounts.recoverable(lookup("ann@example.org")).await.unwrap(), expected);
}

async fn a_link_recovers_its_account_once(ports: &Ports) {
    for n in [1, 2] {
        open(ports, n, 10).await;
    }
    has_verified(ports, 1, "ann@example.org").await;
    let links = vec![(id(1), hash("secret 1")), (id(2), hash("secret 2"))];
    let expires_ms = AT_MS + EMAIL_CODE_MS;
    let add = EmailChange::AddLinks { lookup: lookup("ann@example.org"), links, expires_ms };
    assert_eq!(change(ports, add).await, EmailChangeResult::Done);
    assert_eq!(change(ports, attach(1, "new@example.org")).await, EmailChangeResult::Done);
    let recover = |link: &str, at_ms| EmailChange::Recover {
        link: hash(link),
        recovery: hash("recovered"),
        session: hash("late"),
        label: None,
        sessions: 1,
        at_ms,
    };
    assert_eq!(change(ports, recover("secret 2", AT_MS)).await, EmailChangeResult::Missing, "another's address");
    assert_eq!(change(ports, recover("secret 1", expires_ms)).await, EmailChangeResult::Missing, "it has expired");
    let recovered = EmailChangeResult::Recovered(email(1, "ann@example.org"));
    assert_eq!(change(ports, recover("secret 1", AT_MS)).await, recovered);
    assert_eq!(change(ports, recover("secret 1", AT_MS)).await, EmailChangeResult::Missing);
    let accounts = &ports.accounts;
    assert_eq!(accounts.recovery(hash("recovered")).await.unwrap(), Some(id(1)));
    assert_eq!(accounts.recovery(hash("recovery 1")).await.unwrap(), None);
    assert_eq!(accounts.session(hash("late")).await.unwrap(), Some((id(1), AT_MS)));
    assert_eq!(accounts.session(hash("session 1")).await.unwrap(), None, "one session is allowed");
    assert_eq!(accounts.emails(id(1)).await.unwrap().pending, None);
}

async fn addresses_are_removed_with_their_account(ports: &Ports) {
    for n in [1, 2] {
        open(ports, n, 10).await;
    }
    has_verified(ports, 1, "ann@example.org").await;
    has_verified(ports, 2, "ann@example.org").await;
    assert_eq!(change(ports, attach(2, "new@example.org")).await, EmailChangeResult::Done);
    let closed = ports.accounts.change(AccountChange::Close { account: id(2) }).await.unwrap();
    assert_eq!(closed, AccountChangeResult::Done(Vec::new()));
    assert_eq!(ports.accounts.recoverable(lookup("ann@example.org")).await.unwrap(), [email(1, "ann@example.org")]);
    assert_eq!(change(ports, verify(EmailProof::Link(hash("link 2")))).await, EmailChangeResult::Missing);
    let removed = EmailChangeResult::Removed(Some(email(1, "ann@example.org")));
    assert_eq!(change(ports, EmailChange::Remove(id(1))).await, removed);
    assert_eq!(change(ports, EmailChange::Remove(id(1))).await, EmailChangeResult::Missing);
    assert_eq!(ports.accounts.emails(id(1)).await.unwrap().verified, None);
}

async fn codes_and_links_expire(ports: &Ports) {
    open(ports, 1, 10).await;
    assert_eq!(change(ports, attach(1, "ann@example.org")).await, EmailChangeResult::Done);
    let sweep = |at_ms| EmailChange::Sweep { at_ms };
    assert_eq!(change(ports, sweep(AT_MS + 1)).await, EmailChangeResult::Done);
    assert!(ports.accounts.emails(id(1)).await.unwrap().pending.is_some());
    assert_eq!(change(ports, sweep(AT_MS - 1)).await, EmailChangeResult::Done, "the clock was set back");
    assert!(ports.accounts.emails(id(1)).await.unwrap().pending.is_none());
}
