//! Opening accounts, and their sessions: starting, using, listing and ending them.

use rogerrat_domain::account::{CreateAccountReply, RECOVERY_PREFIX, RecoverAccountReply, SESSION_PREFIX};
use rogerrat_domain::account_session::{
    AccountSessionId, AccountSessionRow, AccountSessionsReply, RotateRecoveryReply, SessionLabel, session_not_found,
};
use rogerrat_domain::webhook::{PUSH_RECOVERY, PUSH_SESSION};
use rogerrat_domain::{AccountId, Code, Hint, Refusal, TokenHash, limits};

use super::Hub;
use super::accounts::{secret, unread};
use crate::error::HubError;
use crate::ports::accounts::{AccountChange, StoredSession};
use crate::random::random_u64;

/// The account of a caller who presented a session token of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountOwner {
    pub(super) account: AccountId,
    /// The hash of the token.
    session: TokenHash,
}

impl AccountOwner {
    /// The account's id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.account
    }
}

impl Hub {
    /// Creates an account. The label is that of its first session.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn open_account(&self, label: Option<SessionLabel>) -> Result<CreateAccountReply, HubError> {
        let account_id = AccountId::from_random(random_u64());
        let (recovery_token, session_token) = (secret(RECOVERY_PREFIX), secret(SESSION_PREFIX));
        let open = AccountChange::Open {
            account: account_id.clone(),
            recovery: TokenHash::of(&recovery_token),
            session: TokenHash::of(&session_token),
            label,
            at_ms: self.shared.clock.now().at_ms,
        };
        self.change(open).await?;
        let hint = "Both tokens are shown only now. Store recovery_token where only its owner finds it: it is the only way to \
                    get another session. Create an identity with session_token.";
        Ok(CreateAccountReply { account_id, recovery_token, session_token, hint })
    }

    /// Adds a session to an account, for its recovery token.
    ///
    /// # Errors
    /// `unauthorized`; an error when it cannot be stored.
    pub async fn recover_account(
        &self,
        recovery_token: &str,
        label: Option<SessionLabel>,
    ) -> Result<RecoverAccountReply, HubError> {
        let recovery = TokenHash::of(recovery_token);
        let found = self.shared.ports.accounts.recovery(recovery.clone()).await.map_err(unread)?;
        let unknown = || Refusal::new(Code::Unauthorized, "unknown recovery_token");
        let account_id = found.ok_or_else(unknown)?;
        let session_token = secret(SESSION_PREFIX);
        let enter = AccountChange::Enter {
            account: account_id.clone(),
            // It may have been rotated since it was read.
            recovery,
            session: TokenHash::of(&session_token),
            label,
            sessions: limits::ACCOUNT_SESSIONS,
            at_ms: self.shared.clock.now().at_ms,
        };
        self.change(enter).await.map_err(|error| match error {
            HubError::Refused(_) => unknown().into(),
            error => error,
        })?;
        self.push_to_account(&account_id, PUSH_SESSION, "").await;
        Ok(RecoverAccountReply { account_id, session_token })
    }

    /// Finds the account of a session token, and records the use of the session.
    ///
    /// # Errors
    /// `unauthorized` without a token, and for one that is unknown or expired.
    pub async fn admit_owner(&self, session_token: Option<&str>) -> Result<AccountOwner, HubError> {
        let refusal = || {
            Refusal::new(Code::Unauthorized, "unknown or expired account session token")
                .hint(Hint::PresentAccountSession)
        };
        let token = session_token.filter(|token| token.starts_with(SESSION_PREFIX)).ok_or_else(refusal)?;
        let (session, now) = (TokenHash::of(token), self.shared.clock.now().at_ms);
        let found = self.shared.ports.accounts.session(session.clone()).await.map_err(unread)?;
        let (account, used_ms) = found.filter(|(_, used_ms)| self.is_session_live(*used_ms)).ok_or_else(refusal)?;
        if now.saturating_sub(used_ms) >= limits::ACCOUNT_USE_MS {
            // Not awaited: if the write is lost, the next use writes it.
            drop(self.shared.ports.accounts.change(AccountChange::Used { session: session.clone(), at_ms: now }));
        }
        Ok(AccountOwner { account, session })
    }

    /// The sessions of an account, most recently used first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn account_sessions(&self, owner: &AccountOwner) -> Result<AccountSessionsReply, HubError> {
        let now_ms = self.shared.clock.now().at_ms;
        let row = |stored: StoredSession| {
            let current = stored.token == owner.session;
            AccountSessionRow {
                sid: AccountSessionId::of(&stored.token),
                label: stored.label,
                created_at: stored.created_at_ms,
                last_used_at: if current { now_ms } else { stored.used_ms },
                current,
            }
        };
        let mut sessions: Vec<_> = self.stored_sessions(owner).await?.into_iter().map(row).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used_at));
        Ok(AccountSessionsReply { sessions })
    }

    /// Ends a session of an account: its token is no longer accepted.
    ///
    /// # Errors
    /// `not_found`; an error when it cannot be stored.
    pub async fn end_account_session(&self, owner: &AccountOwner, sid: &str) -> Result<(), HubError> {
        let sessions = self.stored_sessions(owner).await?;
        let named = sessions.into_iter().find(|stored| AccountSessionId::of(&stored.token).as_str() == sid);
        let session = named.ok_or_else(session_not_found)?.token;
        self.end_stored_session(owner, session).await
    }

    /// Ends the session that the caller presented.
    ///
    /// # Errors
    /// `not_found` if it has just ended; an error when it cannot be stored.
    pub async fn end_own_session(&self, owner: &AccountOwner) -> Result<(), HubError> {
        self.end_stored_session(owner, owner.session.clone()).await
    }

    /// Replaces the recovery token of an account. The previous one is no longer accepted; sessions stay.
    ///
    /// # Errors
    /// `unauthorized` when the account has just been deleted; an error when it cannot be stored.
    pub async fn rotate_recovery(&self, owner: &AccountOwner) -> Result<RotateRecoveryReply, HubError> {
        let recovery_token = secret(RECOVERY_PREFIX);
        let (account, recovery) = (owner.account.clone(), TokenHash::of(&recovery_token));
        self.change(AccountChange::RotateRecovery { account: account.clone(), recovery }).await?;
        self.push_to_account(&account, PUSH_RECOVERY, "").await;
        Ok(RotateRecoveryReply { account_id: account, recovery_token })
    }

    async fn end_stored_session(&self, owner: &AccountOwner, session: TokenHash) -> Result<(), HubError> {
        let end = AccountChange::EndSession { account: owner.account.clone(), session };
        let ended = self.change(end).await.map(|_| ());
        ended.map_err(|error| match error {
            HubError::Refused(_) => session_not_found().into(),
            error => error,
        })
    }

    /// The sessions of an account that have not expired.
    async fn stored_sessions(&self, owner: &AccountOwner) -> Result<Vec<StoredSession>, HubError> {
        let mut sessions = self.shared.ports.accounts.sessions(owner.account.clone()).await.map_err(unread)?;
        sessions.retain(|stored| self.is_session_live(stored.used_ms));
        Ok(sessions)
    }

    fn is_session_live(&self, used_ms: u64) -> bool {
        self.shared.clock.expiry_ms().saturating_sub(used_ms) < limits::ACCOUNT_SESSION_MS
    }
}
