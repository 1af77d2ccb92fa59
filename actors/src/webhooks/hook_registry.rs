//! The hooks in memory: read by every channel, written by the webhook actor.
//!
//! A channel looks here with every message. If there are no hooks, that costs one atomic load.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dashmap::DashMap;
use rogerrat_domain::push::SubscribedMember;
use rogerrat_domain::webhook::{Hook, HookId, HookOwner};
use rogerrat_domain::{AccountId, Callsign, ChannelId, MemberNo, MessageId, limits};

use super::push_window::PushWindow;
use crate::ports::lanes::{Lane, Lanes};
use crate::ports::webhook_store::StoredHook;

/// Members whose leaving is remembered for a subscription, so that it is announced once.
const ANNOUNCED_GONE: usize = 16;

/// A hook, and the size of its queue.
#[derive(Debug)]
pub(crate) struct HookHandle {
    pub(crate) id: HookId,
    pub(crate) lane: Lane,
    /// Whether it is a push subscription.
    pub(crate) is_push: bool,
    hook: RwLock<Hook>,
    is_on: AtomicBool,
    due: AtomicU64,
    bytes: AtomicU64,
    /// Whether a wake-up is in the actor's mailbox.
    pub(crate) woken: AtomicBool,
    /// How often it was pushed to.
    pub(crate) push_window: Mutex<PushWindow>,
    /// Of a push subscription: whether its member's last message will be looked at, here or by another hub.
    pub(crate) is_watched: AtomicBool,
    /// Members whose leaving was announced to it, with the messages that they did not answer.
    announced_gone: Mutex<VecDeque<(MemberNo, MessageId)>>,
}

/// A reserved slot in a hook's queue. If it is dropped before the delivery is stored, the slot is free again.
#[derive(Debug)]
pub(crate) struct QueuePermit {
    pub(crate) handle: Arc<HookHandle>,
    bytes: u64,
    is_persisted: bool,
}

impl HookHandle {
    fn new(kept: StoredHook) -> Self {
        let StoredHook { hook, due, bytes } = kept;
        Self {
            id: hook.id.clone(),
            lane: Lane::of(&hook.id),
            is_push: hook.push.is_some(),
            is_on: AtomicBool::new(hook.off_ms.is_none()),
            hook: RwLock::new(hook),
            due: AtomicU64::new(due),
            bytes: AtomicU64::new(bytes),
            woken: AtomicBool::new(false),
            push_window: Mutex::default(),
            is_watched: AtomicBool::new(false),
            announced_gone: Mutex::default(),
        }
    }

    /// The current state of the hook.
    pub(crate) fn hook(&self) -> Hook {
        self.with(Hook::clone)
    }

    /// Reads the current state of the hook, without a copy of it.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Hook) -> T) -> T {
        read(&self.hook.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Relaxed)
    }

    pub(crate) fn due(&self) -> u64 {
        self.due.load(Relaxed)
    }

    /// Replaces the hook.
    pub(crate) fn set(&self, hook: Hook) {
        self.is_on.store(hook.off_ms.is_none(), Relaxed);
        *self.hook.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// Records that the leaving of a member is announced. Returns false if it was for the same message.
    pub(crate) fn announces_gone(&self, gone: MemberNo, asked: MessageId) -> bool {
        let mut announced = self.announced_gone.lock().unwrap_or_else(PoisonError::into_inner);
        if announced.contains(&(gone, asked)) {
            return false;
        }
        if announced.len() >= ANNOUNCED_GONE {
            announced.pop_front();
        }
        announced.push_back((gone, asked));
        true
    }

    /// Reserves a slot in the queue, if there is one.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Option<QueuePermit> {
        let due = self.due.fetch_add(1, Relaxed);
        let weight = self.bytes.fetch_add(bytes, Relaxed);
        let permit = QueuePermit { handle: self.clone(), bytes, is_persisted: false };
        // A message larger than the bound is accepted if the queue is empty.
        let fits = due < limits::HOOK_QUEUE && (due == 0 || weight + bytes <= limits::HOOK_QUEUE_BYTES);
        fits.then_some(permit)
    }

    /// Frees a slot. Where hubs share a log, another one may have reserved it.
    pub(crate) fn release(&self, bytes: u64) {
        let less = |by: u64| move |n: u64| Some(n.saturating_sub(by));
        // It always returns a number.
        let _ = self.due.fetch_update(Relaxed, Relaxed, less(1));
        let _ = self.bytes.fetch_update(Relaxed, Relaxed, less(bytes));
    }

    /// Sets the size of the queue to that in the log. Slots that are reserved at this moment are not counted.
    pub(crate) fn set_queue(&self, due: u64, bytes: u64) {
        self.due.store(due, Relaxed);
        self.bytes.store(bytes, Relaxed);
    }
}

impl QueuePermit {
    /// Keeps the slot, because its delivery is stored.
    pub(crate) fn keep(mut self) -> Arc<HookHandle> {
        self.is_persisted = true;
        self.handle.clone()
    }
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        if !self.is_persisted {
            self.handle.release(self.bytes);
        }
    }
}

/// The hooks of one owner.
pub(crate) type HookHandles = Arc<[Arc<HookHandle>]>;

/// All hooks.
#[derive(Debug, Default)]
pub(crate) struct HookRegistry {
    by_id: DashMap<HookId, Arc<HookHandle>>,
    by_owner: DashMap<HookOwner, HookHandles>,
    /// The current owners of identities, for accounts that have hooks. A member keeps the identity it joined with.
    identities: DashMap<Callsign, AccountId>,
    of_channels: AtomicUsize,
    of_accounts: AtomicUsize,
    /// A wake-up was lost in a full mailbox: the actor must check all hooks.
    pub(crate) missed: AtomicBool,
}

impl HookRegistry {
    /// A registry of stored hooks.
    pub(crate) fn holding(stored: Vec<StoredHook>) -> Self {
        let directory = Self::default();
        stored.into_iter().for_each(|hook| drop(directory.add(hook)));
        directory
    }

    /// The hooks of a channel.
    pub(crate) fn of_channel(&self, channel: &ChannelId) -> Option<HookHandles> {
        if self.of_channels.load(Relaxed) == 0 {
            return None;
        }
        self.of(&HookOwner::Channel(channel.clone()))
    }

    /// Another hub looks at the messages of a member: its next message is to be looked at again.
    pub(crate) fn looked_elsewhere(&self, channel: &ChannelId, member: SubscribedMember) {
        for handle in self.of_channel(channel).iter().flat_map(|handles| handles.iter()) {
            if handle.with(|hook| hook.push.as_ref().is_some_and(|push| push.member == Some(member))) {
                handle.is_watched.store(false, Relaxed);
            }
        }
    }

    /// The hooks of an account, for a message to one of its identities, if the account still owns that identity.
    pub(crate) fn of_identity(&self, callsign: &Callsign, account: &AccountId) -> Option<HookHandles> {
        if self.of_accounts.load(Relaxed) == 0 || self.identities.get(callsign).is_none_or(|whose| *whose != *account) {
            return None;
        }
        self.of(&HookOwner::Account(account.clone()))
    }

    /// Whether a hook of the account posts DMs to its identity, and its last attempt did not fail.
    pub(crate) fn reaches(&self, callsign: &Callsign, account: &AccountId) -> bool {
        let hooks = self.of_identity(callsign, account);
        hooks.is_some_and(|hooks| {
            hooks.iter().any(|hook| !hook.is_push && hook.is_on() && hook.with(|hook| hook.failures == 0))
        })
    }

    /// Records that an account with hooks owns an identity.
    pub(crate) fn name(&self, callsign: Callsign, account: AccountId) {
        self.identities.insert(callsign, account);
    }

    /// Records that the account no longer owns the identity.
    pub(crate) fn unname(&self, callsign: &Callsign, account: &AccountId) {
        self.identities.remove_if(callsign, |_, whose| whose == account);
    }

    /// Records which identities an account with hooks owns, and no others.
    pub(crate) fn name_all(&self, account: &AccountId, callsigns: impl IntoIterator<Item = Callsign>) {
        let named: Vec<_> = callsigns.into_iter().collect();
        self.identities.retain(|callsign, whose| whose != account || named.contains(callsign));
        named.into_iter().for_each(|callsign| self.name(callsign, account.clone()));
    }

    /// The accounts that have hooks.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        let owners = self.by_owner.iter().filter_map(|handles| match handles.key() {
            HookOwner::Account(account) => Some(account.clone()),
            HookOwner::Channel(_) => None,
        });
        owners.collect()
    }

    /// Number of the owner's webhooks, without its push subscriptions.
    pub(crate) fn webhooks(&self, owner: &HookOwner) -> usize {
        let handles = self.of(owner);
        handles.iter().flat_map(|handles| handles.iter()).filter(|handle| !handle.is_push).count()
    }

    pub(crate) fn of(&self, owner: &HookOwner) -> Option<HookHandles> {
        self.by_owner.get(owner).map(|handles| handles.value().clone())
    }

    /// A hook, if it belongs to the owner.
    pub(crate) fn get(&self, owner: &HookOwner, hook: &str) -> Option<Arc<HookHandle>> {
        self.of(owner)?.iter().find(|handle| handle.id.as_str() == hook).cloned()
    }

    pub(crate) fn find(&self, hook: &HookId) -> Option<Arc<HookHandle>> {
        self.by_id.get(hook).map(|handle| handle.value().clone())
    }

    /// Hooks with due deliveries.
    pub(crate) fn with_due(&self) -> Vec<Arc<HookHandle>> {
        self.by_id.iter().filter(|handle| handle.due() > 0).map(|handle| handle.value().clone()).collect()
    }

    /// The hooks of lanes.
    pub(crate) fn in_lanes(&self, lanes: Lanes) -> Vec<Arc<HookHandle>> {
        let handles = self.by_id.iter().filter(|handle| lanes.contains(handle.lane));
        handles.map(|handle| handle.value().clone()).collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<HookHandle>> {
        self.by_id.iter().map(|handle| handle.value().clone()).collect()
    }

    /// The number of hooks, of disabled hooks, and of due deliveries.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        self.by_id
            .iter()
            .filter(|handle| !handle.is_push)
            .fold((0, 0, 0), |(all, off, due), handle| (all + 1, off + u64::from(!handle.is_on()), due + handle.due()))
    }

    /// The number of push subscriptions.
    pub(crate) fn pushes(&self) -> u64 {
        self.by_id.iter().filter(|handle| handle.is_push).count() as u64
    }

    /// Adds a hook.
    pub(crate) fn add(&self, kept: StoredHook) -> Arc<HookHandle> {
        let owner = kept.hook.owner.clone();
        let handle = Arc::new(HookHandle::new(kept));
        self.by_id.insert(handle.id.clone(), handle.clone());
        let mut handles = self.by_owner.entry(owner.clone()).or_default();
        *handles = handles.iter().cloned().chain([handle.clone()]).collect();
        drop(handles);
        self.counter(&owner).fetch_add(1, Relaxed);
        handle
    }

    /// Removes a hook.
    pub(crate) fn remove(&self, handle: &HookHandle) {
        let owner = handle.hook().owner;
        if self.by_id.remove(&handle.id).is_none() {
            return;
        }
        if let Some(mut handles) = self.by_owner.get_mut(&owner) {
            *handles = handles.iter().filter(|other| other.id != handle.id).cloned().collect();
        }
        let was_last = self.by_owner.remove_if(&owner, |_, handles| handles.is_empty()).is_some();
        if let (HookOwner::Account(account), true) = (&owner, was_last) {
            self.identities.retain(|_, whose| whose != account);
        }
        self.counter(&owner).fetch_sub(1, Relaxed);
    }

    fn counter(&self, owner: &HookOwner) -> &AtomicUsize {
        match owner {
            HookOwner::Channel(_) => &self.of_channels,
            HookOwner::Account(_) => &self.of_accounts,
        }
    }
}
