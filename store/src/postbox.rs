//! The store as the webhooks' actor sees it.

use std::future::ready;

use rogerrat_actors::{Doing, KeptHook, LogError, Postbox};
use rogerrat_domain::webhook::{DeliveryState, Due, Hook, HookId, Owner, Row};

use super::Store;
use super::job::Work;
use super::letters::{self, Bundle, Letters};

type Plain = Result<(), LogError>;

fn unwritable<T: Send + 'static>(error: &serde_json::Error) -> Doing<Result<T, LogError>> {
    Box::pin(ready(Err(LogError::Failed(error.to_string()))))
}

impl Postbox for Store {
    fn hooks(&self) -> Doing<Result<Vec<KeptHook>, LogError>> {
        self.readers.ask(letters::hooks)
    }

    fn put_hook(&self, hook: &Hook) -> Doing<Result<bool, LogError>> {
        let json = match serde_json::to_vec(hook) {
            Ok(json) => json,
            Err(error) => return unwritable(&error),
        };
        let work = Letters::Hook { hook: hook.id.clone(), owner: hook.owner.clone(), json };
        self.write_if(Work::Letters(work))
    }

    fn drop_hook(&self, hook: &HookId) -> Doing<Plain> {
        self.write(Work::Letters(Letters::DropHook(hook.to_string())))
    }

    fn drop_hooks(&self, owner: &Owner) -> Doing<Plain> {
        self.write(Work::Letters(Letters::DropHooks(owner.to_string())))
    }

    fn enqueue(&self, due: Due) -> Doing<Plain> {
        match Bundle::of(due) {
            Ok(bundle) => self.write(Work::Letters(Letters::Enqueue(bundle))),
            Err(error) => unwritable(&error),
        }
    }

    fn due(&self, hook: &HookId, after: u64, limit: usize) -> Doing<Result<Vec<Row>, LogError>> {
        let hook = hook.clone();
        self.readers.ask(move |connection| letters::due(connection, hook.as_str(), after, limit))
    }

    fn hidden(&self, no: u64) -> Doing<Result<Option<Vec<u8>>, LogError>> {
        self.readers.ask(move |connection| letters::hidden(connection, no))
    }

    fn keep(&self, hook: &HookId, row: &Row) -> Doing<Plain> {
        let json = match serde_json::to_vec(&row.delivery) {
            Ok(json) => json,
            Err(error) => return unwritable(&error),
        };
        let is_done = row.delivery.state != DeliveryState::Due;
        self.write(Work::Letters(Letters::Keep { no: row.no, hook: hook.to_string(), json, is_done }))
    }

    fn deliveries(&self, hook: &HookId, limit: usize) -> Doing<Result<Vec<Row>, LogError>> {
        let hook = hook.clone();
        self.readers.ask(move |connection| letters::deliveries(connection, hook.as_str(), limit))
    }
}
