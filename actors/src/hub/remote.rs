//! Remote control: a channel with an agent and a phone, created together or not at all; and a phone for a channel that
//! exists.

use std::sync::Arc;

use rogerrat_domain::account::{IdentityReply, KEY_PREFIX, RECOVERY_PREFIX, SESSION_PREFIX, identity_callsign};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::op::{CreateDraft, SetPin};
use rogerrat_domain::remote::RemoteInput;
use rogerrat_domain::{AccountId, Callsign, Refusal, Settings, TokenHash, names};

use super::accounts::{callsign_taken, key_of, secret};
use super::channels::{ID_TRIES, creation, is_created};
use super::{AccountOwner, Admitted, Created, Hub, Shared};
use crate::error::HubError;
use crate::ports::accounts::{AccountChange, AccountChangeResult, Opened};
use crate::random::{random_pin, random_token, random_u64};

/// The channel of a remote control, its two identities, and every secret of them. They are shown only once.
#[derive(Clone, Debug)]
pub struct RemoteControl {
    /// The channel and its token.
    pub created: Created,
    /// The owner password: a PIN.
    pub pin: String,
    /// The account that owns channel and identities.
    pub account_id: AccountId,
    /// The recovery token and the session token of the account, if it was created too.
    pub account_tokens: Option<(String, String)>,
    /// The identity of the agent.
    pub agent: IdentityReply,
    /// The identity of the person.
    pub phone: IdentityReply,
}

/// A phone that was added to a channel.
#[derive(Clone, Debug)]
pub struct PhoneLink {
    /// The identity of the person.
    pub phone: IdentityReply,
    /// The owner password, if the channel had none: a PIN.
    pub pin: Option<String>,
}

/// What is created with the channel.
struct Companions {
    account: AccountId,
    tokens: Option<(String, String)>,
    agent: IdentityReply,
    phone: IdentityReply,
    changes: Vec<AccountChange>,
}

impl Hub {
    /// Opens remote control: creates a channel for identities only, with a PIN as owner password, an identity for the
    /// agent, one for the person, and unless there is an `owner` an account that owns them, whose session gets this label. All of it or nothing.
    ///
    /// # Errors
    /// `invalid` for the input; `callsign_taken`; `limit_reached`; an error when it cannot be stored.
    pub async fn open_remote_control(
        &self,
        input: &RemoteInput,
        owner: Option<&AccountOwner>,
        label: Option<&SessionLabel>,
    ) -> Result<RemoteControl, HubError> {
        let Shared { passwords, clock, ports, per_account, .. } = &*self.shared;
        let wish = |wish: &Option<String>| wish.as_deref().map(identity_callsign).transpose();
        let wishes = [wish(&input.agent_callsign)?, wish(&input.phone_callsign)?];
        if wishes[0].is_some() && wishes[0] == wishes[1] {
            return Err(Refusal::invalid("agent_callsign and phone_callsign must differ").into());
        }
        let pin = random_pin();
        let draft = CreateDraft::check(input.channel(pin.clone()), self.shared.member_ttl_ms)?;
        let hash = passwords.hash(pin.clone()).await?;
        let token = random_token();
        for _ in 0..ID_TRIES {
            let Companions { account, tokens, agent, phone, changes } = self.companions(&wishes, owner, label);
            let at_ms = clock.now().at_ms;
            let settings = draft.settings(&token, Some(hash.clone()), Some(account.clone()), at_ms);
            let settings = Arc::new(Settings { has_pin: true, ..settings });
            let id = names::channel_id(random_u64());
            let record = creation(id.clone(), settings.clone());
            match ports.accounts.open_channel(record, account.clone(), per_account.channels, changes).await {
                Opened::Tried(appended) if is_created(appended)? => {}
                Opened::Tried(_) => continue,
                Opened::NotMade(AccountChangeResult::Taken) if wishes.iter().any(Option::is_none) => continue,
                Opened::NotMade(AccountChangeResult::Taken) => break,
                Opened::Full => return Err(self.channels_full()),
                Opened::NotMade(AccountChangeResult::Full) => {
                    let bound = per_account.identities.unwrap_or_default() as usize;
                    return Err(Refusal::limit_reached("identities of an account", bound).into());
                }
                Opened::Missing | Opened::NotMade(_) => return Err(Refusal::account_deleted().into()),
            }
            for identity in [&agent, &phone] {
                self.name_to_webhooks(&account, &identity.callsign, true).await;
            }
            let created = Created { channel: self.add_created(id, settings), token };
            return Ok(RemoteControl { created, pin, account_id: account, account_tokens: tokens, agent, phone });
        }
        Err(callsign_taken().into())
    }

    /// Draws the names and secrets of what is created with the channel.
    fn companions(
        &self,
        wishes: &[Option<Callsign>; 2],
        owner: Option<&AccountOwner>,
        label: Option<&SessionLabel>,
    ) -> Companions {
        let at_ms = self.shared.clock.now().at_ms;
        let (account, tokens) = match owner {
            Some(owner) => (owner.id().clone(), None),
            None => {
                let account = AccountId::from_random(random_u64());
                (account, Some((secret(RECOVERY_PREFIX), secret(SESSION_PREFIX))))
            }
        };
        let identity = |wish: &Option<Callsign>| IdentityReply {
            callsign: wish.clone().unwrap_or_else(|| names::identity_callsign(random_u64())),
            identity_key: secret(KEY_PREFIX),
        };
        let [agent, phone] = wishes.each_ref().map(identity);
        let open = tokens.as_ref().map(|(recovery, session)| AccountChange::Open {
            account: account.clone(),
            recovery: TokenHash::of(recovery),
            session: TokenHash::of(session),
            label: label.cloned(),
            at_ms,
        });
        let add = |identity: &IdentityReply| AccountChange::AddIdentity {
            callsign: identity.callsign.clone(),
            identity: key_of(account.clone()),
            key: TokenHash::of(&identity.identity_key),
            limit: self.shared.per_account.identities,
            at_ms,
        };
        let changes = open.into_iter().chain([add(&agent), add(&phone)]).collect();
        Companions { account, tokens, agent, phone, changes }
    }

    /// Adds a person to a channel that exists: creates an identity, and an owner password if the channel has none.
    ///
    /// # Errors
    /// `forbidden` on a band, and where the owner password would be missing on a channel of another account;
    /// `callsign_taken`; `limit_reached`; an error when it cannot be stored.
    pub async fn add_phone(
        &self,
        at: &Admitted,
        owner: &AccountOwner,
        wish: Option<&str>,
    ) -> Result<PhoneLink, HubError> {
        let pin = match SetPin::is_needed(&at.settings(), owner.id())? {
            true => {
                let pin = random_pin();
                Some((self.shared.passwords.hash(pin.clone()).await?, pin))
            }
            false => None,
        };
        let phone = self.add_identity(owner, wish).await?;
        let pin = match pin {
            None => None,
            Some((hash, pin)) => match self.ask(at, SetPin { hash, account: owner.id().clone() }).await {
                // Another request may have set one in the meantime.
                Ok(is_set) => is_set.then_some(pin),
                Err(error) => {
                    let _ = self.remove_identity(owner, phone.callsign.as_str()).await;
                    return Err(error);
                }
            },
        };
        Ok(PhoneLink { phone, pin })
    }
}
