//! Scripted lives of stored sessions.

use rogerrat_actors::{Clock, HubRules, Log, MemoryLog, Ports};
use rogerrat_domain::{AccountLimits, BacklogLimits, ChannelId, HubKey, SessionId};

use super::super::memberships::Membership;
use super::*;

fn nonce(n: usize) -> Nonce {
    (n as u128).to_be_bytes()
}

fn membership(session: &str) -> Membership {
    let session = SessionId::present(Some(session)).unwrap().unwrap();
    Membership { channel: ChannelId::parse("quiet-otter").unwrap(), session, callsign: None, used_ms: 0 }
}

fn bound() -> SessionState {
    SessionState::Bound(Memberships::one(membership("a-session-of-ann")))
}

#[test]
fn a_membership_is_remembered_for_seven_days_after_its_last_use() {
    let store = SessionStore::in_memory();
    drop(store.put(nonce(1), bound(), 0));
    assert_eq!(store.get(&nonce(1), LIFETIME_MS - 1), Some(bound()));
    assert_eq!(store.get(&nonce(1), 2 * LIFETIME_MS - 2), Some(bound()));
    assert_eq!(store.get(&nonce(1), 3 * LIFETIME_MS), None);
    store.sweep(3 * LIFETIME_MS);
    assert_eq!(store.len(), 0);
}

#[test]
fn the_stored_form_is_the_one_that_existing_databases_hold() {
    let json = SessionRecord::new(bound(), 7).to_json().unwrap();
    let session = r#"{"channel":"quiet-otter","session":"#;
    assert!(json.starts_with(&format!(r#"{{"standing":{{"bound":{session}"#)), "{json}");
    assert!(json.ends_with(r#"}},"used_ms":7}"#), "{json}");
    let unbound = SessionRecord::new(SessionState::Unbound, 7).to_json().unwrap();
    assert_eq!(unbound, r#"{"standing":"unbound","used_ms":7}"#);
}

#[test]
fn a_change_keeps_what_an_earlier_one_made_and_does_not_revive_a_deleted_session() {
    let store = SessionStore::in_memory();
    let join = |session: &str| {
        let new = membership(session);
        drop(store.change(nonce(1), 5, move |before, used_ms| {
            Some(before.map_or_else(|| Memberships::one(new.clone()), |all| all.joined(new.clone(), None, used_ms)))
        }));
    };
    join("a-session-of-ann");
    join("a-session-of-bob");
    let Some(SessionState::Bound(both)) = store.get(&nonce(1), 6) else { panic!() };
    assert_eq!(both.iter().count(), 2);
    drop(store.change(nonce(1), 7, |_, _| None));
    assert_eq!(store.get(&nonce(1), 7), Some(SessionState::Unbound));
    drop(store.put(nonce(1), SessionState::Deleted, 8));
    join("a-session-of-ann");
    assert_eq!(store.get(&nonce(1), 9), Some(SessionState::Deleted));
}

#[test]
fn d30_the_store_is_bounded_and_evicts_what_was_unused_for_longest() {
    let store = SessionStore::in_memory();
    for n in 0..MAX_SESSIONS {
        drop(store.put(nonce(n), SessionState::Unbound, n as u64));
    }
    assert!(store.get(&nonce(0), MAX_SESSIONS as u64).is_some());
    drop(store.put(nonce(MAX_SESSIONS), SessionState::Unbound, MAX_SESSIONS as u64));
    assert_eq!(store.len(), MAX_SESSIONS - MAX_SESSIONS / 10);
    assert!(store.get(&nonce(0), MAX_SESSIONS as u64).is_some(), "it was used just now");
    assert!(store.get(&nonce(1), MAX_SESSIONS as u64).is_none());
    assert!(store.get(&nonce(MAX_SESSIONS), MAX_SESSIONS as u64).is_some());
}

#[test]
fn d30_the_bound_holds_when_all_were_used_at_the_same_time() {
    let store = SessionStore::in_memory();
    for n in 0..=MAX_SESSIONS {
        drop(store.put(nonce(n), SessionState::Unbound, 7));
    }
    assert_eq!(store.len(), MAX_SESSIONS - MAX_SESSIONS / 10);
}

#[actix_web::test]
async fn d30_expired_rows_of_another_version_are_deleted() {
    let log = Arc::new(MemoryLog::default());
    let now_ms = Clock::start().now().at_ms;
    let of_other_version = |used_ms: u64| Some(format!(r#"{{"standing":{{"seated":[7]}},"used_ms":{used_ms}}}"#));
    for n in 1..4 {
        log.put_row(ROW_KIND, row_name(&nonce(n)), of_other_version(now_ms)).await.unwrap();
    }
    let store = SessionStore::load(&hub(log.clone(), Clock::start()).await).await.unwrap();
    let left = async || {
        let mut names: Vec<_> = log.rows(ROW_KIND).await.unwrap().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    };
    store.sweep(now_ms);
    assert_eq!(left().await.len(), 3, "they have not expired");
    // Its client has joined again.
    store.put(nonce(2), bound(), now_ms + 8 * DAY_MS).await;
    store.sweep_unreadable(&store.records.read().unwrap(), now_ms + 9 * DAY_MS);
    assert_eq!(left().await, [row_name(&nonce(2))]);
}

/// A hub on a log.
pub(in crate::mcp) async fn hub(log: Arc<dyn Log>, clock: Clock) -> Hub {
    let per_account = AccountLimits { channels: None, identities: None, webhooks: None, sends_per_minute: None };
    let rules = HubRules {
        sends_per_minute: None,
        sends_per_minute_band: None,
        idle_ms: None,
        idle_lossless_ms: None,
        backlog: BacklogLimits { messages: 100, bytes: 1 << 20 },
        unused_ms: None,
        member_ttl_ms: 1_000_000,
        per_account,
        mails_per_hour: 0,
    };
    Hub::start(rules, Ports::with_log(log), HubKey::new([7; 32]), clock).await.unwrap()
}
