//! Members and settings: a restart changes none of them, on any channel.

use super::*;

fn entry(callsign: &str, idx: u64) -> RosterEntry {
    RosterEntry { callsign: callsign.into(), idx, online: true }
}

#[test]
fn the_roster_keeps_names_numbers_and_presence() {
    let seen = |entries: Vec<RosterEntry>| {
        let mut history = History::in_memory(ReadMode::Manual);
        history.crash().record(Event::RosterReceived { channel: 0, entries }).violations()
    };
    assert_eq!(seen(vec![entry("bob", 2), entry("ann", 1)]), NONE);
    assert_eq!(seen(vec![entry("ann", 1), entry("bob", 3)]), [Violation::RosterChanged], "another number");
    assert_eq!(seen(vec![entry("ann", 1)]), [Violation::RosterChanged], "a member is gone");
    let away = RosterEntry { online: false, ..entry("bob", 2) };
    assert_eq!(seen(vec![entry("ann", 1), away]), [Violation::RosterChanged], "a session has ended");
}

#[test]
fn d17_a_join_after_a_restart_returns_the_same_session_and_number() {
    let joined = |same_session, idx| {
        let mut history = History::on_disk(ReadMode::Manual);
        let member = history.bob;
        history.crash().record(Event::Rejoined { member, same_session, idx }).violations()
    };
    assert_eq!(joined(true, 2), NONE);
    assert_eq!(joined(false, 2), [Violation::SessionLost]);
    assert_eq!(joined(true, 3), [Violation::RosterChanged]);
}

#[test]
fn a_refused_member_is_reported_once_per_boot() {
    let mut history = History::in_memory(ReadMode::Manual);
    let member = history.bob;
    let refused = || Event::MemberRefused { member, response: "404".into() };
    history.crash().record(refused()).record(refused()).crash().record(refused());
    assert_eq!(history.violations(), [Violation::SessionLost]);
    assert_eq!(history.oracle.violations.counts[&Violation::SessionLost], 2);
}

#[test]
fn settings_and_tokens_do_not_change() {
    let mut history = History::in_memory(ReadMode::Manual);
    history.record(Event::SettingsReceived { channel: 0, settings: "a".into() }).crash();
    history.record(Event::SettingsReceived { channel: 0, settings: "a".into() });
    history.record(Event::WrongTokenTried { channel: 0, accepted: false });
    assert_eq!(history.violations(), NONE);
    history.record(Event::SettingsReceived { channel: 0, settings: "b".into() });
    history.record(Event::WrongTokenTried { channel: 0, accepted: true });
    assert_eq!(history.violations(), [Violation::SettingsChanged, Violation::WrongTokenAccepted]);
}

#[test]
fn the_history_has_the_last_messages() {
    let seen = |durable, ids: &[u64]| {
        let mut history = History::new(ReadMode::Manual, durable);
        history
            .broadcast(1, 10)
            .crash()
            .broadcast(2, 20)
            .record(Event::HistoryReceived { channel: 0, ids: ids.to_vec() })
            .violations()
    };
    assert_eq!(seen(true, &[10, 20]), NONE);
    assert_eq!(seen(true, &[20]), [Violation::HistoryWrong], "10 was on disk");
    assert_eq!(seen(false, &[20]), NONE);
    assert_eq!(seen(false, &[20, 10]), [Violation::HistoryWrong]);
}

#[test]
fn an_unfinished_task_is_a_violation() {
    let mut history = History::on_disk(ReadMode::Manual);
    assert_eq!(history.record(Event::Unfinished { what: "bob".into() }).violations(), [Violation::Unfinished]);
}
