//! Accounts and identities: opening, recovering and closing them, and what is theirs.
//!
//! What ends the key of an identity runs to its end even if who asked for it has gone: the sessions of that key must not
//! outlive it.

use std::future::Future;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_domain::account::{
    AccountOpened, AccountRecovered, AccountReply, IdentityReply, KEY_PREFIX, OwnedRow, RECOVERY_PREFIX,
    SESSION_PREFIX, TokenReply, identity_callsign,
};
use rogerrat_domain::op::{Rekey, Revoke};
use rogerrat_domain::webhook::Owner as HookOwner;
use rogerrat_domain::{
    AccountId, AccountLimits, Callsign, Code, Hint, Identity, IdentityRow, Refusal, TokenHash, limits, names,
};

use super::{Admitted, Hub};
use crate::error::HubError;
use crate::ports::accounts::{AccountChange, AccountChangeResult};
use crate::ports::log::LogError;
use crate::random::{random_token, random_u64};

/// How often a callsign that is taken is drawn again.
const NAME_TRIES: usize = 8;
/// How long until a channel whose mailbox was full is told again, and how often.
const TELL_AGAIN: Duration = Duration::from_millis(20);
const TELL_TRIES: usize = 250;
/// Channels told at once.
const TOLD_AT_ONCE: usize = 256;

/// An account whose session was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(pub(crate) AccountId);

impl Owner {
    /// The account.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.0
    }
}

impl Hub {
    /// Opens an account.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn open_account(&self) -> Result<AccountOpened, HubError> {
        let account_id = AccountId::from_random(random_u64());
        let (recovery_token, session_token) = (secret(RECOVERY_PREFIX), secret(SESSION_PREFIX));
        let open = AccountChange::Open {
            account: account_id.clone(),
            recovery: TokenHash::of(&recovery_token),
            session: TokenHash::of(&session_token),
            at_ms: self.shared.clock.now().at_ms,
        };
        self.change(open).await?;
        let hint = "Both tokens are shown only now. Keep recovery_token where only its owner finds it: it alone brings a \
                    lost session back. POST /api/account/identities with session_token as bearer makes an identity.";
        Ok(AccountOpened { account_id, recovery_token, session_token, hint })
    }

    /// Gives an account another session, for its recovery token.
    ///
    /// # Errors
    /// `unauthorized`; when it cannot be kept.
    pub async fn recover_account(&self, recovery_token: &str) -> Result<AccountRecovered, HubError> {
        let found = self.shared.ports.accounts.recovery(TokenHash::of(recovery_token)).await.map_err(unread)?;
        let unknown = || Refusal::new(Code::Unauthorized, "unknown recovery_token");
        let account_id = found.ok_or_else(unknown)?;
        let session_token = secret(SESSION_PREFIX);
        let enter = AccountChange::Enter {
            account: account_id.clone(),
            session: TokenHash::of(&session_token),
            sessions: limits::ACCOUNT_SESSIONS,
            at_ms: self.shared.clock.now().at_ms,
        };
        self.change(enter).await.map_err(|_| unknown())?;
        Ok(AccountRecovered { account_id, session_token })
    }

    /// Whose session a token is. A use counts as a sign of life.
    ///
    /// # Errors
    /// `unauthorized` for none, and for one that is unknown or was not used for too long.
    pub async fn admit_owner(&self, session_token: Option<&str>) -> Result<Owner, HubError> {
        let refusal = || {
            Refusal::new(Code::Unauthorized, "unknown or expired session token of an account")
                .hint(Hint::PresentAccountSession)
        };
        let token = session_token.filter(|token| token.starts_with(SESSION_PREFIX)).ok_or_else(refusal)?;
        let (session, now) = (TokenHash::of(token), self.shared.clock.now().at_ms);
        let found = self.shared.ports.accounts.session(session.clone()).await.map_err(unread)?;
        let idle_ms = |used_ms: u64| now.saturating_sub(used_ms);
        let (account, used_ms) =
            found.filter(|(_, used_ms)| idle_ms(*used_ms) < limits::ACCOUNT_SESSION_MS).ok_or_else(refusal)?;
        if idle_ms(used_ms) >= limits::ACCOUNT_USE_MS {
            // Nobody waits for it: lost, it is written with the next use.
            drop(self.shared.ports.accounts.change(AccountChange::Used { session, at_ms: now }));
        }
        Ok(Owner(account))
    }

    /// What an account is and has.
    ///
    /// # Errors
    /// `unauthorized` when it has just been closed; when it cannot be read.
    pub async fn account(&self, owner: &Owner) -> Result<AccountReply, HubError> {
        let facts = self.shared.ports.accounts.facts(owner.0.clone()).await.map_err(unread)?.ok_or_else(gone)?;
        Ok(AccountReply {
            account_id: owner.0.clone(),
            created_at: facts.created_at_ms,
            identities: self.identities(owner).await?,
            channels: facts.channels,
            webhooks: self.webhooks_of(&HookOwner::Account(owner.0.clone())).len(),
            limits: self.shared.per_account,
        })
    }

    /// What an account may have, and do.
    #[must_use]
    pub fn account_limits(&self) -> AccountLimits {
        self.shared.per_account
    }

    /// Closes an account: its sessions and identities end. Its channels are deleted if asked for, else they are nobody's.
    ///
    /// # Errors
    /// `unauthorized` when it has just been closed; when something cannot be deleted. Then the account is still there.
    pub async fn close_account(&self, owner: &Owner, with_channels: bool) -> Result<(), HubError> {
        let (hub, owner) = (self.clone(), owner.clone());
        to_the_end(async move {
            if with_channels {
                for (channel, _) in hub.shared.ports.accounts.channels(owner.0.clone()).await.map_err(unread)? {
                    let deleted = async { hub.delete(&hub.find(channel.as_str()).await?).await };
                    match deleted.await {
                        // Whoever refuses does not find it any more.
                        Ok(()) | Err(HubError::Refused(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            let ended = hub.change(AccountChange::Close { account: owner.0.clone() }).await?;
            hub.forget_webhooks(HookOwner::Account(owner.0)).await?;
            hub.end_keys(ended).await
        })
        .await
    }

    /// The identities of an account, by callsign.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn identities(&self, owner: &Owner) -> Result<Vec<IdentityRow>, HubError> {
        self.shared.ports.accounts.identities(owner.0.clone()).await.map_err(unread)
    }

    /// Adds an identity. Who has its callsign without being it keeps its session until the identity joins.
    ///
    /// # Errors
    /// What the wish is refused for; `limit_reached`; when it cannot be kept.
    pub async fn add_identity(&self, owner: &Owner, wish: Option<&str>) -> Result<IdentityReply, HubError> {
        let wish = wish.map(identity_callsign).transpose()?;
        for _ in 0..NAME_TRIES {
            let callsign = wish.clone().unwrap_or_else(|| names::identity(random_u64()));
            let identity_key = secret(KEY_PREFIX);
            let add = AccountChange::AddIdentity {
                callsign: callsign.clone(),
                identity: new_key(owner),
                key: TokenHash::of(&identity_key),
                limit: self.shared.per_account.identities,
                at_ms: self.shared.clock.now().at_ms,
            };
            match self.change_or(add, "identities of an account", self.shared.per_account.identities).await? {
                AccountChangeResult::Taken if wish.is_none() => continue,
                AccountChangeResult::Taken => break,
                _ => {
                    self.name_to_webhooks(&owner.0, &callsign, true).await;
                    return Ok(IdentityReply { callsign, identity_key });
                }
            }
        }
        Err(Refusal::new(Code::CallsignTaken, "this callsign is an identity already")
            .hint("wish for another one, or leave callsign out and the hub makes one up")
            .into())
    }

    /// Gives an identity another key. The old one is good no more, and its sessions end.
    ///
    /// # Errors
    /// `not_found`; when it cannot be kept.
    pub async fn rotate_key(&self, owner: &Owner, callsign: &str) -> Result<IdentityReply, HubError> {
        let callsign = Callsign::parse(callsign).map_err(|_| no_identity())?;
        let (hub, owner) = (self.clone(), owner.clone());
        to_the_end(async move {
            let identity_key = secret(KEY_PREFIX);
            let (identity, key) = (new_key(&owner), TokenHash::of(&identity_key));
            let rekey = AccountChange::Rekey { callsign: callsign.clone(), identity, key };
            let ended = hub.change(rekey).await.map_err(or_no_identity)?;
            hub.end_keys(ended).await?;
            Ok(IdentityReply { callsign, identity_key })
        })
        .await
    }

    /// Ends an identity, and its sessions. Its callsign is anybody's then.
    ///
    /// # Errors
    /// `not_found`; when it cannot be kept.
    pub async fn remove_identity(&self, owner: &Owner, callsign: &str) -> Result<(), HubError> {
        let callsign = Callsign::parse(callsign).map_err(|_| no_identity())?;
        let (hub, owner) = (self.clone(), owner.clone());
        to_the_end(async move {
            let remove = AccountChange::RemoveIdentity { callsign: callsign.clone(), account: owner.0.clone() };
            let ended = hub.change(remove).await.map_err(or_no_identity)?;
            hub.name_to_webhooks(&owner.0, &callsign, false).await;
            hub.end_keys(ended).await
        })
        .await
    }

    /// The channels of an account, oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn owned(&self, owner: &Owner) -> Result<Vec<OwnedRow>, HubError> {
        let owned = self.shared.ports.accounts.channels(owner.0.clone()).await.map_err(unread)?;
        let agents = |id: &str| self.shared.directory.get(id).map_or(0, |handle| handle.status.agents.load(Relaxed));
        let rows = owned.into_iter().map(|(id, settings)| OwnedRow {
            agent_count: agents(id.as_str()),
            id,
            created_at: settings.created_at_ms,
            retention: settings.retention,
            require_identity: settings.require_identity,
            trust_mode: settings.trust_mode,
        });
        Ok(rows.collect())
    }

    /// A channel of an account. One that is somebody else's is not told from one that is not there.
    ///
    /// # Errors
    /// `not_found`; when it cannot be read.
    pub async fn find_owned(&self, owner: &Owner, channel: &str) -> Result<Admitted, HubError> {
        let at = self.find(channel).await?;
        let is_ours = at.settings().creator_account_id.as_ref() == Some(&owner.0);
        if is_ours { Ok(at) } else { Err(Refusal::channel_not_found().into()) }
    }

    /// Gives a channel another token. The old one does not admit any more; who is there stays.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn rotate_token(&self, at: &Admitted) -> Result<TokenReply, HubError> {
        let join_token = random_token();
        self.ask(at, Rekey { token: TokenHash::of(&join_token) }).await?;
        Ok(TokenReply { channel_id: at.id().clone(), join_token })
    }

    /// Whom a joiner can prove to be: the callsign it will have, the identity, and whether its wish is somebody else's.
    pub(super) async fn verify_identity(
        &self,
        wish: Option<Callsign>,
        key: Option<&str>,
    ) -> Result<(Option<Callsign>, Option<Identity>, bool), HubError> {
        let accounts = &self.shared.ports.accounts;
        let named = match &wish {
            Some(wish) => accounts.named(vec![wish.clone()]).await.map_err(unread)?,
            None => Vec::new(),
        };
        let Some(key) = key else { return Ok((wish, None, !named.is_empty())) };
        let refusal = || {
            Refusal::new(Code::Unauthorized, "this identity_key is not good here")
                .hint("it was rotated, or belongs to another callsign: ask whoever owns the identity for its key")
        };
        let proved = match key.starts_with(KEY_PREFIX) {
            true => accounts.proof(TokenHash::of(key)).await.map_err(unread)?,
            false => None,
        };
        let (callsign, identity) = proved.ok_or_else(refusal)?;
        if named.iter().any(|(name, _)| *name != callsign) {
            return Err(refusal().into());
        }
        Ok((Some(callsign), Some(identity), false))
    }

    /// Makes a change that cannot find its name taken, and has no bound. Gives the keys that ended by it.
    async fn change(&self, change: AccountChange) -> Result<Vec<(Callsign, Identity)>, HubError> {
        match self.change_or(change, "", None).await? {
            AccountChangeResult::Done(ended) => Ok(ended),
            AccountChangeResult::Taken | AccountChangeResult::Full | AccountChangeResult::Missing => Err(gone().into()),
        }
    }

    async fn change_or(
        &self,
        change: AccountChange,
        what: &'static str,
        bound: Option<u32>,
    ) -> Result<AccountChangeResult, HubError> {
        match self.shared.ports.accounts.change(change).await.map_err(unkept)? {
            AccountChangeResult::Full => Err(Refusal::limit_reached(what, bound.unwrap_or_default() as usize).into()),
            AccountChangeResult::Missing => Err(gone().into()),
            changed => Ok(changed),
        }
    }

    /// Ends the sessions of keys that are good no more, on all channels in memory. The others look when they come back.
    async fn end_keys(&self, ended: Vec<(Callsign, Identity)>) -> Result<(), HubError> {
        let now = self.shared.clock.now();
        ended.iter().for_each(|(_, identity)| self.shared.account_policy.end(identity, now));
        // From here on no join with these keys is let in; who came before has said so in the status.
        let handles: Vec<_> = match ended.is_empty() {
            true => Vec::new(),
            false => {
                let told = self.shared.directory.iter().filter(|handle| handle.status.has_identities.load(SeqCst));
                told.map(|handle| handle.value().clone()).collect()
            }
        };
        for some in handles.chunks(TOLD_AT_ONCE) {
            let telling = some.iter().flat_map(|handle| ended.iter().map(move |key| (handle, key)));
            let telling = telling.map(|(handle, (callsign, identity))| async move {
                let at = Admitted(handle.clone());
                for _ in 0..TELL_TRIES {
                    // One that is not in memory looks for itself when it comes back.
                    if !handle.is_live() {
                        return Ok(());
                    }
                    let revoke = Revoke { callsign: callsign.clone(), identity: identity.clone() };
                    match self.ask(&at, revoke).await {
                        Err(HubError::Busy) => tokio::time::sleep(TELL_AGAIN).await,
                        Ok(_) | Err(HubError::Refused(_)) => return Ok(()),
                        Err(error) => return Err(error),
                    }
                }
                Err(HubError::Busy)
            });
            let unheard =
                |error: &HubError| log::error!(error:display; "a key has ended, and a session of it may not have");
            join_all(telling).await.into_iter().try_for_each(|told| told.inspect_err(unheard))?;
        }
        Ok(())
    }
}

/// Runs something to its end, whatever becomes of who waits for it.
async fn to_the_end<T: 'static>(work: impl Future<Output = Result<T, HubError>> + 'static) -> Result<T, HubError> {
    actix::spawn(work).await.map_err(|_| HubError::OutcomeUnknown)?
}

fn secret(prefix: &str) -> String {
    format!("{prefix}{}", random_token())
}

/// An identity's next key. Its number fits SQLite's integers.
fn new_key(owner: &Owner) -> Identity {
    Identity { account: owner.0.clone(), key_no: random_u64() >> 1 }
}

fn gone() -> Refusal {
    Refusal::new(Code::Unauthorized, "this account has been closed")
}

fn no_identity() -> Refusal {
    Refusal::new(Code::NotFound, "your account has no such identity").hint(Hint::ListIdentities)
}

/// A change that did not find what it was for.
fn or_no_identity(error: HubError) -> HubError {
    match error {
        HubError::Refused(refusal) if refusal.code == Code::Unauthorized => no_identity().into(),
        error => error,
    }
}

/// What a fault of the port is to who asked.
pub(super) fn unread(error: LogError) -> HubError {
    HubError::of_log("accounts could not be read")(error)
}

fn unkept(error: LogError) -> HubError {
    HubError::of_log("a change of an account was not kept")(error)
}
