//! Accounts in the file of a store: what is left of them.

use std::sync::Arc;

use rogerrat_actors::{AccountChange, Accounts as _, AppendResult, Log as _, PutHook, WebhookStore};
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{Entry, TokenHash};

use super::fixtures::{TempDir, channel, created, due, hook, record};
use crate::tests::account_contract::{id, open_account};
use crate::verify;

#[actix_rt::test]
async fn closing_an_account_deletes_its_webhooks() {
    let dir = TempDir::new();
    let store = dir.open();
    let mut hooks = Vec::new();
    for n in [1, 2] {
        store.change(open_account(n, 10)).await.unwrap();
        hooks.push(hook(&store.key(), u128::from(n), HookOwner::Account(id(n))));
        assert_eq!(store.put_hook(&hooks[hooks.len() - 1], None).await.unwrap(), PutHook::Done);
        WebhookStore::enqueue(&store, due(&store.key(), &hooks[hooks.len() - 1], None)).await.unwrap();
    }
    store.change(AccountChange::Close { account: id(1) }).await.unwrap();
    let left = store.hooks().await.unwrap();
    assert!(left.len() == 1 && left[0].hook.id == hooks[1].id && left[0].due == 1, "{left:?}");
    assert!(store.due(&hooks[0].id, 0, 10).await.unwrap().is_empty());
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.accounts, report.webhooks, report.deliveries), (1, 1, 1));
}

#[actix_rt::test]
async fn changed_settings_survive_reopening() {
    let dir = TempDir::new();
    let changed = {
        let store = dir.open();
        store.append(record("c", 1, vec![created()])).await;
        let mut settings = store.find(&channel("c")).await.unwrap().unwrap();
        settings.token = Some(TokenHash::of("the new token"));
        let changed = record("c", 2, vec![Entry::Settings { settings: Arc::new(settings) }]);
        store.append(changed).await
    };
    assert_eq!(changed, AppendResult::Done);
    let store = dir.open();
    assert!(store.find(&channel("c")).await.unwrap().unwrap().admits(Some("the new token")));
}
