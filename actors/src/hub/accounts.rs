//! Accounts and identities: describing and deleting them, and the channels they own.
//!
//! An operation that revokes a key completes even if its caller disconnects: the sessions of that key must not outlive
//! it.

use std::future::Future;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_domain::account::{
    AccountReply, IdentityReply, KEY_PREFIX, OwnedChannel, OwnedChannelReply, TokenReply, identity_callsign,
};
use rogerrat_domain::op::{Revoke, Roster, RosterReply, RotateToken};
use rogerrat_domain::webhook::{HookOwner, PUSH_KEY};
use rogerrat_domain::{
    AccountId, AccountLimits, Callsign, ChannelId, Code, Hint, Identity, IdentityRow, Refusal, Settings, TokenHash,
    names,
};

use super::{AccountOwner, Admitted, Hub};
use crate::error::HubError;
use crate::ports::accounts::{AccountChange, AccountChangeResult};
use crate::ports::error::LogError;
use crate::random::{random_token, random_u64};

/// How often a random callsign is drawn if the last one was taken.
const NAME_TRIES: usize = 8;
/// How long until a revocation is sent again to a channel whose mailbox was full, and how often.
const REVOKE_RETRY: Duration = Duration::from_millis(20);
const REVOKE_TRIES: usize = 250;
/// Channels to which a revocation is sent concurrently.
const REVOKE_AT_ONCE: usize = 256;

impl Hub {
    /// Describes an account.
    ///
    /// # Errors
    /// `unauthorized` when the account has just been deleted; an error when it cannot be read.
    pub async fn account(&self, owner: &AccountOwner) -> Result<AccountReply, HubError> {
        let facts = self
            .shared
            .ports
            .accounts
            .facts(owner.account.clone())
            .await
            .map_err(unread)?
            .ok_or_else(Refusal::account_deleted)?;
        Ok(AccountReply {
            account_id: owner.account.clone(),
            created_at: facts.created_at_ms,
            identities: self.identities(owner).await?,
            channels: facts.channels,
            webhooks: self.shared.webhooks.hooks.webhooks(&HookOwner::Account(owner.account.clone())),
            sessions: self.account_sessions(owner).await?.sessions.len(),
            email: self.account_email(owner).await?,
            limits: self.shared.per_account,
        })
    }

    /// Quotas and rate limits of an account.
    #[must_use]
    pub fn account_limits(&self) -> AccountLimits {
        self.shared.per_account
    }

    /// Deletes an account with its sessions and identities. Its channels are deleted if `with_channels`, else they
    /// remain, without an owner.
    ///
    /// # Errors
    /// `unauthorized` when the account has just been deleted; an error when something cannot be deleted, and then the
    /// account remains.
    pub async fn close_account(&self, owner: &AccountOwner, with_channels: bool) -> Result<(), HubError> {
        let (hub, owner) = (self.clone(), owner.clone());
        uncancelled(async move {
            if with_channels {
                for (channel, _) in hub.shared.ports.accounts.channels(owner.account.clone()).await.map_err(unread)? {
                    let deleted = async { hub.delete(&hub.find(channel.as_str()).await?).await };
                    match deleted.await {
                        // A refusal means that the channel no longer exists.
                        Ok(()) | Err(HubError::Refused(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            let ended = hub.change(AccountChange::Close { account: owner.account.clone() }).await?;
            hub.forget_webhooks(HookOwner::Account(owner.account)).await?;
            hub.end_keys(ended).await
        })
        .await
    }

    /// The identities of an account, by callsign.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn identities(&self, owner: &AccountOwner) -> Result<Vec<IdentityRow>, HubError> {
        self.shared.ports.accounts.identities(owner.account.clone()).await.map_err(unread)
    }

    /// Adds an identity. A member that has its callsign without the key keeps its session until the identity joins.
    ///
    /// # Errors
    /// `invalid` or `callsign_taken` for the callsign; `limit_reached`; an error when it cannot be stored.
    pub async fn add_identity(&self, owner: &AccountOwner, wish: Option<&str>) -> Result<IdentityReply, HubError> {
        let wish = wish.map(identity_callsign).transpose()?;
        for _ in 0..NAME_TRIES {
            let callsign = wish.clone().unwrap_or_else(|| names::identity_callsign(random_u64()));
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
                    self.name_to_webhooks(&owner.account, &callsign, true).await;
                    return Ok(IdentityReply { callsign, identity_key });
                }
            }
        }
        Err(callsign_taken().into())
    }

    /// Rotates an identity's key. The old key is revoked and its sessions are closed.
    ///
    /// # Errors
    /// `not_found`; an error when it cannot be stored.
    pub async fn rotate_key(&self, owner: &AccountOwner, callsign: &str) -> Result<IdentityReply, HubError> {
        let callsign = Callsign::parse(callsign).map_err(|_| no_identity())?;
        let (hub, owner) = (self.clone(), owner.clone());
        uncancelled(async move {
            let identity_key = secret(KEY_PREFIX);
            let (identity, key) = (new_key(&owner), TokenHash::of(&identity_key));
            let rekey = AccountChange::Rekey { callsign: callsign.clone(), identity, key };
            let ended = hub.change(rekey).await.map_err(or_no_identity)?;
            hub.end_keys(ended).await?;
            hub.push_to_account(&owner.account, PUSH_KEY, callsign.as_str()).await;
            Ok(IdentityReply { callsign, identity_key })
        })
        .await
    }

    /// Removes an identity and closes its sessions. Its callsign becomes available.
    ///
    /// # Errors
    /// `not_found`; an error when it cannot be stored.
    pub async fn remove_identity(&self, owner: &AccountOwner, callsign: &str) -> Result<(), HubError> {
        let callsign = Callsign::parse(callsign).map_err(|_| no_identity())?;
        let (hub, owner) = (self.clone(), owner.clone());
        uncancelled(async move {
            let remove = AccountChange::RemoveIdentity { callsign: callsign.clone(), account: owner.account.clone() };
            let ended = hub.change(remove).await.map_err(or_no_identity)?;
            hub.name_to_webhooks(&owner.account, &callsign, false).await;
            hub.end_keys(ended).await
        })
        .await
    }

    /// The channels of an account, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn owned(&self, owner: &AccountOwner) -> Result<Vec<OwnedChannel>, HubError> {
        let owned = self.shared.ports.accounts.channels(owner.account.clone()).await.map_err(unread)?;
        let agents = |id: &str| self.shared.directory.get(id).map_or(0, |handle| handle.status.agents.load(Relaxed));
        let rows = owned.into_iter().map(|(id, settings)| {
            let agents = agents(id.as_str());
            owned_row(id, &settings, agents)
        });
        Ok(rows.collect())
    }

    /// A channel of an account, with its members.
    ///
    /// # Errors
    /// `not_found` for a channel that the account does not own; an error when it cannot be read.
    pub async fn owned_channel(&self, owner: &AccountOwner, channel: &str) -> Result<OwnedChannelReply, HubError> {
        let at = self.find_owned(owner, channel).await?;
        let RosterReply { roster, roster_with_index, roster_all, members, .. } =
            self.roster(&at, Roster { session: None, limit: None }).await?;
        let channel = owned_row(at.id().clone(), &at.settings(), roster.len());
        Ok(OwnedChannelReply { channel, roster, roster_with_index, roster_all, members })
    }

    /// A channel of an account. A channel of another account is reported as not found.
    ///
    /// # Errors
    /// `not_found`; an error when it cannot be read.
    pub async fn find_owned(&self, owner: &AccountOwner, channel: &str) -> Result<Admitted, HubError> {
        let at = self.find(channel).await?;
        let is_ours = at.settings().creator_account_id.as_ref() == Some(&owner.account);
        if is_ours { Ok(at) } else { Err(Refusal::channel_not_found().into()) }
    }

    /// Rotates a channel's token. The old token is no longer accepted; live sessions stay.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn rotate_token(&self, at: &Admitted) -> Result<TokenReply, HubError> {
        let join_token = random_token();
        self.ask(at, RotateToken { token: TokenHash::of(&join_token) }).await?;
        Ok(TokenReply { channel_id: at.id().clone(), join_token })
    }

    /// Resolves the caller's credentials to a callsign and identity, and reports whether the requested callsign is
    /// taken.
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
            Refusal::new(Code::Unauthorized, "invalid identity_key")
                .hint("it was rotated, or belongs to another callsign: ask the owner of the identity for its key")
                .field("identity_key")
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

    /// Makes a change that involves no unique name and no quota. Returns the identities whose keys it revoked.
    pub(super) async fn change(&self, change: AccountChange) -> Result<Vec<(Callsign, Identity)>, HubError> {
        match self.change_or(change, "", None).await? {
            AccountChangeResult::Done(ended) => Ok(ended),
            AccountChangeResult::Taken | AccountChangeResult::Full | AccountChangeResult::Missing => {
                Err(Refusal::account_deleted().into())
            }
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
            AccountChangeResult::Missing => Err(Refusal::account_deleted().into()),
            changed => Ok(changed),
        }
    }

    /// Ends the sessions of revoked keys on all channels in memory. Other channels check when they are recovered.
    pub(super) async fn end_keys(&self, ended: Vec<(Callsign, Identity)>) -> Result<(), HubError> {
        let now = self.shared.clock.now();
        ended.iter().for_each(|(_, identity)| self.shared.account_policy.end(identity, now));
        // From here on no join with these keys succeeds; a channel that admitted one before has published it in its
        // status.
        let handles: Vec<_> = match ended.is_empty() {
            true => Vec::new(),
            false => {
                let handles = self.shared.directory.iter().filter(|handle| handle.status.has_identities.load(SeqCst));
                handles.map(|handle| handle.value().clone()).collect()
            }
        };
        for some in handles.chunks(REVOKE_AT_ONCE) {
            let revocations = some.iter().flat_map(|handle| ended.iter().map(move |key| (handle, key)));
            let revocations = revocations.map(|(handle, (callsign, identity))| async move {
                let at = Admitted(handle.clone());
                for _ in 0..REVOKE_TRIES {
                    // A channel that is not in memory checks when it is recovered.
                    if !handle.is_live() {
                        return Ok(());
                    }
                    let revoke = Revoke { callsign: callsign.clone(), identity: identity.clone() };
                    match self.ask(&at, revoke).await {
                        Err(HubError::Busy) => tokio::time::sleep(REVOKE_RETRY).await,
                        Ok(_) | Err(HubError::Refused(_)) => return Ok(()),
                        Err(error) => return Err(error),
                    }
                }
                Err(HubError::Busy)
            });
            let log_failure =
                |error: &HubError| log::error!(error:display; "key revoked, but one of its sessions may still be open");
            join_all(revocations).await.into_iter().try_for_each(|result| result.inspect_err(log_failure))?;
        }
        Ok(())
    }
}

/// Spawns the work, so that cancelling the caller does not cancel it.
async fn uncancelled<T: 'static>(work: impl Future<Output = Result<T, HubError>> + 'static) -> Result<T, HubError> {
    actix::spawn(work).await.map_err(|_| HubError::OutcomeUnknown)?
}

/// Describes a channel to its owner.
fn owned_row(id: ChannelId, settings: &Settings, agent_count: usize) -> OwnedChannel {
    OwnedChannel {
        id,
        created_at: settings.created_at_ms,
        retention: settings.retention,
        require_identity: settings.require_identity,
        trust_mode: settings.trust_mode,
        durability: settings.durability,
        dm_visibility: settings.dm_visibility,
        agent_count,
    }
}

/// A new token or key.
pub(super) fn secret(prefix: &str) -> String {
    format!("{prefix}{}", random_token())
}

/// An identity's next key.
fn new_key(owner: &AccountOwner) -> Identity {
    key_of(owner.account.clone())
}

/// A key of an account's identity. Its number fits SQLite's integers.
pub(super) fn key_of(account: AccountId) -> Identity {
    Identity { account, key_no: random_u64() >> 1 }
}

pub(super) fn callsign_taken() -> Refusal {
    Refusal::new(Code::CallsignTaken, "this callsign already belongs to an identity")
        .hint("choose another callsign, or omit it and the hub picks one")
}

fn no_identity() -> Refusal {
    Refusal::new(Code::NotFound, "identity not found").hint(Hint::ListIdentities)
}

/// Turns a missing account or identity into `not_found`.
fn or_no_identity(error: HubError) -> HubError {
    match error {
        HubError::Refused(refusal) if refusal.code == Code::Unauthorized => no_identity().into(),
        error => error,
    }
}

/// Converts an error of the store.
pub(super) fn unread(error: LogError) -> HubError {
    HubError::of_log("could not read accounts")(error)
}

pub(super) fn unkept(error: LogError) -> HubError {
    HubError::of_log("could not store a change of an account")(error)
}
