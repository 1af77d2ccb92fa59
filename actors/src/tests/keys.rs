//! Keys of identities that end while something is on its way: a join, or the channel itself.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use rogerrat_domain::op::{CreateInput, Join, JoinInput, Keepalive};
use rogerrat_domain::{
    AccountId, Callsign, ChannelId, Code, Identity, IdentityRow, Record, SessionId, Settings, TokenHash,
};
use tokio::sync::oneshot;

use super::rig::{Rig, started};
use crate::ports::accounts::{AccountChange, AccountChangeResult, AccountFacts, Accounts, Opened};
use crate::ports::log::LogError;
use crate::{Hub, HubError, MemoryAccounts, MemoryLog, Owner, Ports};

/// Accounts whose answer about callsigns can be held up, so that it is old when it comes.
struct Slow {
    accounts: MemoryAccounts,
    gate: Mutex<Option<oneshot::Receiver<()>>>,
    asked: AtomicBool,
}

impl Accounts for Slow {
    fn change(&self, change: AccountChange) -> BoxFuture<'static, Result<AccountChangeResult, LogError>> {
        self.accounts.change(change)
    }

    fn open_channel(&self, record: Record, owner: AccountId, limit: Option<u32>) -> BoxFuture<'static, Opened> {
        self.accounts.open_channel(record, owner, limit)
    }

    fn session(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<(AccountId, u64)>, LogError>> {
        self.accounts.session(token)
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
struct Stage {
    rig: Rig,
    accounts: Arc<Slow>,
    owner: Owner,
    session: SessionId,
    identity: Identity,
}

impl Stage {
    async fn new() -> Self {
        let log = Arc::new(MemoryLog::default());
        let accounts = MemoryAccounts::beside(log.clone());
        let accounts = Arc::new(Slow { accounts, gate: Mutex::default(), asked: AtomicBool::default() });
        let rig = Rig::on(Ports { accounts: accounts.clone(), ..Ports::with_log(log) }, CreateInput::default()).await;
        let opened = rig.hub.open_account().await.unwrap();
        let owner = rig.hub.admit_owner(Some(&opened.session_token)).await.unwrap();
        let key = rig.hub.add_identity(&owner, Some("ann")).await.unwrap().identity_key;
        let input = JoinInput { identity_key: Some(key), ..JoinInput::default() };
        let joined = rig.hub.join(&rig.at, input, None, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
        let session = SessionId::present(Some(&joined.session_id)).unwrap().unwrap();
        let (_, identity) = accounts.accounts.named(vec![joined.callsign]).await.unwrap().remove(0);
        Self { rig, accounts, owner, session, identity }
    }

    fn hub(&self) -> &Hub {
        &self.rig.hub
    }

    async fn keepalive(&self) -> Result<(), HubError> {
        self.hub().ask(&self.rig.at, Keepalive { session: self.session.clone() }).await.map(|_| ())
    }
}

fn code(result: Result<(), HubError>) -> Option<Code> {
    result.err().map(|error| error.into_refusal().code)
}

#[actix_rt::test]
async fn a_join_that_was_proved_before_its_key_ended_comes_too_late() {
    let stage = Stage::new().await;
    assert_eq!(code(stage.keepalive().await), None);
    stage.hub().rotate_key(&stage.owner, "ann").await.unwrap();
    assert_eq!(code(stage.keepalive().await), Some(Code::SessionExpired));
    let late = Join {
        callsign: Some(Callsign::parse("ann").unwrap()),
        spelled: None,
        identity: Some(stage.identity.clone()),
        is_reserved: false,
        presented: SessionId::present(Some("a-session-of-my-own")).unwrap(),
        human_authorized: false,
        yields: false,
        generation: 7,
        dice: 7,
    };
    let refused = stage.hub().ask(&stage.rig.at, late).await.unwrap_err();
    assert_eq!(refused.into_refusal().code, Code::Unauthorized);
    assert!(stage.rig.roster().await.roster.is_empty());
}

#[actix_rt::test]
async fn a_channel_that_comes_back_while_a_key_ends_learns_it_before_anybody_is_served() {
    let stage = Stage::new().await;
    super::revival::crash(&stage.rig).await;
    let (open, gate) = oneshot::channel();
    *stage.accounts.gate.lock().unwrap() = Some(gate);
    stage.accounts.asked.store(false, SeqCst);
    let mut asking = pin!(stage.keepalive());
    started(&mut asking).await;
    while !stage.accounts.asked.load(SeqCst) {
        tokio::task::yield_now().await;
    }
    // The channel has its answer, and is not in memory yet: whoever ends the key now does not find it.
    stage.hub().rotate_key(&stage.owner, "ann").await.unwrap();
    open.send(()).unwrap();
    assert_eq!(code(asking.await), Some(Code::SessionExpired));
    assert!(stage.rig.roster().await.roster.is_empty());
}

#[actix_rt::test]
async fn a_channel_that_was_down_ends_the_sessions_of_keys_that_ended_meanwhile() {
    let stage = Stage::new().await;
    super::revival::crash(&stage.rig).await;
    stage.hub().remove_identity(&stage.owner, "ann").await.unwrap();
    assert_eq!(code(stage.keepalive().await), Some(Code::SessionExpired));
    super::revival::crash(&stage.rig).await;
    assert_eq!(code(stage.keepalive().await), Some(Code::SessionExpired), "it is in the log");
}

#[actix_rt::test]
async fn a_session_of_an_account_ends_when_nobody_used_it_for_30_days() {
    const DAY_MS: u64 = 24 * 3_600_000;
    let stage = Stage::new().await;
    let opened = stage.hub().open_account().await.unwrap();
    let use_it = || async { stage.hub().admit_owner(Some(&opened.session_token)).await.map(|_| ()) };
    for _ in 0..3 {
        stage.rig.pass(29 * DAY_MS).await;
        assert_eq!(code(use_it().await), None, "a use is a sign of life");
    }
    stage.rig.pass(30 * DAY_MS).await;
    assert_eq!(code(use_it().await), Some(Code::Unauthorized));
}
