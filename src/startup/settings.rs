//! What the parts of a hub get from the configuration.

use std::sync::Arc;

use rogerrat_actors::{DisabledPush, HubRules, PushSender, stored_push_key};
use rogerrat_domain::{AccountLimits, BacklogLimits};
use rogerrat_store::StoreOptions;
use rogerrat_webhook_sender::{HttpWebhookSender, SsrfGuard, SystemResolver, Vapid};

use super::StartError;
use super::store::OpenStore;
use crate::config::{Config, Storage};

/// How long an unused channel stays in memory if unloading it loses no data.
const LOSSLESS_IDLE_MS: u64 = 5 * 60_000;

pub(super) fn rules(config: &Config) -> HubRules {
    let limit = |n: u32| (n > 0).then_some(n);
    let channels = &config.channels;
    let days_ms = |days: u32| u64::from(days) * 24 * 3600 * 1000;
    HubRules {
        sends_per_minute: limit(config.limits.send_per_session),
        sends_per_minute_band: limit(config.limits.send_per_session_band),
        idle_ms: Some(u64::from(channels.idle_minutes) * 60_000),
        idle_lossless_ms: Some(LOSSLESS_IDLE_MS),
        backlog: BacklogLimits {
            messages: config.storage.backlog_messages as usize,
            bytes: (config.storage.backlog_mib as usize) << 20,
        },
        unused_ms: limit(channels.anonymous_unused_days).map(days_ms),
        member_ttl_ms: channels.member_ttl_seconds * 1000,
        per_account: AccountLimits {
            channels: limit(config.accounts.channels),
            identities: limit(config.accounts.identities),
            webhooks: limit(config.accounts.webhooks),
            sends_per_minute: limit(config.limits.send_per_account),
        },
        mails_per_hour: config.email.per_hour,
    }
}

/// The sender of web push. Its key pair is made at the first start, also while push is off.
pub(super) async fn push_sender(
    config: &Config,
    store: &OpenStore,
    sender: &HttpWebhookSender,
) -> Result<Arc<dyn PushSender>, StartError> {
    let new_key = Vapid::new_key()?;
    let pair = stored_push_key(store.log(), &store.key, || new_key).await?;
    match config.push.contact(config.server.origin.as_ref()) {
        Ok(contact) => Ok(sender.push_sender(Vapid::of(&pair, contact)?, config.push.hosts.clone())),
        Err(why) => Ok(Arc::new(DisabledPush(why.into()))),
    }
}

/// The rules for webhook targets.
pub(super) fn guard(config: &Config) -> SsrfGuard {
    let server = &config.server;
    // Behind a proxy, with a public origin or a tunnel, a hub on a loopback address serves other machines.
    let is_public = !server.trusted_proxies.is_empty() || server.origin.is_some() || server.tunnel.is_some();
    let is_loopback = server.host.is_loopback() && !is_public;
    SsrfGuard::new(&server.webhook_allow, server.webhook_ports.clone(), is_loopback, Arc::new(SystemResolver))
}

pub(super) fn options(storage: &Storage) -> StoreOptions {
    StoreOptions { max_mib: storage.max_mib, ..StoreOptions::default() }
}
