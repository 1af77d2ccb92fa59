//! Idempotency: the sends of a member that had keys, so that a repeated send returns the first result.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::entry::SendKey;
use crate::ids::MessageId;
use crate::message::Message;
use crate::{Now, limits};

use super::snapshot::IdempotencySnapshot;

/// The result of a send that had an idempotency key.
#[derive(Clone, Debug)]
pub(crate) struct CachedSend {
    pub(crate) body_hash: [u8; 32],
    pub(crate) id: MessageId,
    pub(crate) at_ms: u64,
    pub(crate) queued: bool,
    pub(crate) to: Arc<str>,
    until_ms: u64,
}

/// The sends of one member that had idempotency keys. Boxed, because few members use any.
#[derive(Debug, Default)]
pub(crate) struct IdempotencyCache(Option<Box<CachedSends>>);

#[derive(Debug, Default)]
struct CachedSends {
    by_key: HashMap<Arc<str>, CachedSend>,
    /// The keys, oldest first.
    order: VecDeque<Arc<str>>,
}

impl IdempotencyCache {
    /// The send that used a key, for as long as it is remembered.
    pub(crate) fn get(&self, key: &str, now: Now) -> Option<&CachedSend> {
        self.0.as_ref()?.by_key.get(key).filter(|r| r.until_ms > now.uptime_ms)
    }

    /// The cached sends, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &CachedSend)> {
        self.0.iter().flat_map(|cache| cache.order.iter().filter_map(|key| cache.by_key.get_key_value(key)))
    }

    /// Adds a cached send from a snapshot.
    pub(super) fn restore(&mut self, snapshot: IdempotencySnapshot, now: Now) {
        let IdempotencySnapshot { key: SendKey { key, body_hash }, id, at_ms, queued, to } = snapshot;
        let until_ms = now.uptime_ms + limits::IDEMPOTENCY_MS;
        let cache = self.0.get_or_insert_default();
        cache.by_key.insert(key.clone(), CachedSend { body_hash, id, at_ms, queued, to, until_ms });
        cache.order.push_back(key);
    }

    /// Caches a send.
    pub(crate) fn insert(&mut self, key: &SendKey, message: &Message, to: Arc<str>, queued: bool, now: Now) {
        let cache = self.0.get_or_insert_default();
        cache.make_space(now);
        let cached = CachedSend {
            body_hash: key.body_hash,
            id: message.id,
            at_ms: message.at_ms,
            queued,
            to,
            until_ms: now.uptime_ms + limits::IDEMPOTENCY_MS,
        };
        if cache.by_key.insert(key.key.clone(), cached).is_none() {
            cache.order.push_back(key.key.clone());
        }
        assert!(cache.by_key.len() <= limits::IDEMPOTENCY_KEYS, "the cache is bounded");
    }
}

impl CachedSends {
    /// Drops expired sends, and the oldest one if the cache is full.
    fn make_space(&mut self, now: Now) {
        while let Some(oldest) = self.order.front() {
            let is_expired = self.by_key.get(oldest).is_none_or(|r| r.until_ms <= now.uptime_ms);
            if !is_expired && self.order.len() < limits::IDEMPOTENCY_KEYS {
                break;
            }
            self.by_key.remove(oldest);
            self.order.pop_front();
        }
    }
}
