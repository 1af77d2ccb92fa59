//! Identity keys that are revoked while a join or the recovery of a channel is under way.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::op::{CreateInput, Join, JoinInput, Keepalive};
use rogerrat_domain::{
    AccountId, Callsign, ChannelId, Code, Identity, IdentityRow, Record, SessionId, Settings, TokenHash,
};
use tokio::sync::oneshot;

use super::harness::{TestHub, started};
use crate::ports::accounts::{AccountChange, AccountChangeResult, AccountFacts, Accounts, Opened, StoredSession};
use crate::ports::emails::{EmailChange, EmailChangeResult, EmailStore, SealedEmail, StoredEmails};
use crate::ports::error::LogError;
use crate::{AccountOwner, Hub, HubError, MemoryAccounts, MemoryLog, Ports};

/// Accounts whose answer about callsigns can be held up, so that it is old when it comes.
struct Slow {
    accounts: MemoryAccounts,
    gate: Mutex<Option<oneshot::Receiver<()>>>,
    asked: AtomicBool,
}

impl EmailStore for Slow {
    fn change_email(&self, change: EmailChange) -> BoxFuture<'static, Result<EmailChangeResult, LogError>> {
        self.accounts.change_email(change)
    }

    fn emails(&self, account: AccountId) -> BoxFuture<'static, Result<StoredEmails, LogError>> {
        self.accounts.emails(account)
    }

    fn recoverable(&self, lookup: EmailLookup) -> BoxFuture<'static, Result<Vec<SealedEmail>, LogError>> {
        self.accounts.recoverable(lookup)
    }
}

impl Accounts for Slow {
    fn change(&self, change: AccountChange) -> BoxFuture<'static, Result<AccountChangeResult, LogError>> {
        self.accounts.change(change)
    }

    fn open_channel(
        &self,
        record: Record,
        owner: AccountId,
        limit: Option<u32>,
        with: Vec<AccountChange>,
    ) -> BoxFuture<'static, Opened> {
        self.accounts.open_channel(record, owner, limit, with)
    }

    fn session(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<(AccountId, u64)>, LogError>> {
        self.accounts.session(token)
    }

    fn sessions(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<StoredSession>, LogError>> {
        self.accounts.sessions(account)
    }

    fn recovery(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<AccountId>, LogError>> {
        self.accounts.recovery(token)
    }

    fn facts(&self, account: AccountId) -> BoxFuture<'static, Result<Option<AccountFacts>, LogError>> {
        self.accounts.facts(account)
    }

    fn identities(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<IdentityRow>, LogError>> {
        self.accounts.identities(account)
    }

    fn channels(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<(ChannelId, Settings)>, LogError>> {
        self.accounts.channels(account)
    }

    fn proof(&self, key: TokenHash) -> BoxFuture<'static, Result<Option<(Callsign, Identity)>, LogError>> {
        self.accounts.proof(key)
    }

    fn named(&self, callsigns: Vec<Callsign>) -> BoxFuture<'static, Result<Vec<(Callsign, Identity)>, LogError>> {
        let (answer, gate) = (self.accounts.named(callsigns), self.gate.lock().unwrap().take());
        self.asked.store(true, SeqCst);
        Box::pin(async move {
            let answer = answer.await;
            if let Some(gate) = gate {
                gate.await.unwrap();
            }
            answer
        })
    }
}

/// A hub with a channel, and an account with the identity `ann` on it.
struct Fixture {
    test_hub: TestHub,
    accounts: Arc<Slow>,
    owner: AccountOwner,
    session: SessionId,
    identity: Identity,
}

impl Fixture {
    async fn new() -> Self {
        let log = Arc::new(MemoryLog::default());
        let accounts = MemoryAccounts::beside(log.clone());
        let accounts = Arc::new(Slow { accounts, gate: Mutex::default(), asked: AtomicBool::default() });
        let test_hub =
            TestHub::on(Ports { accounts: accounts.clone(), ..Ports::with_log(log) }, CreateInput::default()).await;
        let opened = test_hub.hub.open_account(None).await.unwrap();
        let owner = test_hub.hub.admit_owner(Some(&opened.session_token)).await.unwrap();
        let key = test_hub.hub.add_identity(&owner, Some("ann")).await.unwrap().identity_key;
        let input = JoinInput { identity_key: Some(key), ..JoinInput::default() };
        let joined = test_hub.hub.join(&test_hub.at, input, None, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
        let session = SessionId::present(Some(&joined.session_id)).unwrap().unwrap();
        let (_, identity) = accounts.accounts.named(vec![joined.callsign]).await.unwrap().remove(0);
        Self { test_hub, accounts, owner, session, identity }
    }

    fn hub(&self) -> &Hub {
        &self.test_hub.hub
    }

    async fn keepalive(&self) -> Result<(), HubError> {
        self.hub().ask(&self.test_hub.at, Keepalive { session: self.session.clone() }).await.map(|_| ())
    }
}

fn code(result: Result<(), HubError>) -> Option<Code> {
    result.err().map(|error| error.into_refusal().code)
}

#[actix_rt::test]
async fn a_join_verified_before_its_key_was_revoked_is_refused() {
    let fixture = Fixture::new().await;
    assert_eq!(code(fixture.keepalive().await), None);
    fixture.hub().rotate_key(&fixture.owner, "ann").await.unwrap();
    assert_eq!(code(fixture.keepalive().await), Some(Code::SessionExpired));
    let late = Join {
        callsign: Some(Callsign::parse("ann").unwrap()),
        original_spelling: None,
        identity: Some(fixture.identity.clone()),
        is_reserved: false,
        presented_session: SessionId::present(Some("a-session-of-my-own")).unwrap(),
        human_authorized: false,
        shown_bytes: None,
        never_take_over: false,
        about: None,
        generation: 7,
        callsign_seed: 7,
    };
    let refused = fixture.hub().ask(&fixture.test_hub.at, late).await.unwrap_err();
    assert_eq!(refused.into_refusal().code, Code::Unauthorized);
    assert!(fixture.test_hub.roster().await.roster.is_empty());
}

#[actix_rt::test]
async fn a_channel_recovered_during_a_revocation_learns_of_it_before_it_serves() {
    let fixture = Fixture::new().await;
    super::crash_recovery::crash(&fixture.test_hub).await;
    let (open, gate) = oneshot::channel();
    *fixture.accounts.gate.lock().unwrap() = Some(gate);
    fixture.accounts.asked.store(false, SeqCst);
    let mut asking = pin!(fixture.keepalive());
    started(&mut asking).await;
    while !fixture.accounts.asked.load(SeqCst) {
        tokio::task::yield_now().await;
    }
    // The channel has its answer, and is not in memory yet: whoever ends the key now does not find it.
    fixture.hub().rotate_key(&fixture.owner, "ann").await.unwrap();
    open.send(()).unwrap();
    assert_eq!(code(asking.await), Some(Code::SessionExpired));
    assert!(fixture.test_hub.roster().await.roster.is_empty());
}

#[actix_rt::test]
async fn a_channel_not_in_memory_ends_sessions_of_keys_revoked_meanwhile() {
    let fixture = Fixture::new().await;
    super::crash_recovery::crash(&fixture.test_hub).await;
    fixture.hub().remove_identity(&fixture.owner, "ann").await.unwrap();
    assert_eq!(code(fixture.keepalive().await), Some(Code::SessionExpired));
    super::crash_recovery::crash(&fixture.test_hub).await;
    assert_eq!(code(fixture.keepalive().await), Some(Code::SessionExpired), "it is in the log");
}

#[actix_rt::test]
async fn an_account_session_ends_after_30_days_without_use() {
    const DAY_MS: u64 = 24 * 3_600_000;
    let fixture = Fixture::new().await;
    let opened = fixture.hub().open_account(None).await.unwrap();
    let use_it = || async { fixture.hub().admit_owner(Some(&opened.session_token)).await.map(|_| ()) };
    for _ in 0..3 {
        fixture.test_hub.pass(29 * DAY_MS).await;
        assert_eq!(code(use_it().await), None, "a use is a sign of life");
    }
    fixture.test_hub.pass(30 * DAY_MS).await;
    assert_eq!(code(use_it().await), Some(Code::Unauthorized));
}
