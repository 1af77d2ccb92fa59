//! Places and settings: a restart changes none of them, on any channel.

use super::*;

fn place(callsign: &str, idx: u64) -> Place {
    Place { callsign: callsign.into(), idx, online: true }
}

#[test]
fn a_roster_keeps_names_numbers_and_presence() {
    let seen = |places: Vec<Place>| {
        let mut history = History::in_memory(Reading::Manual);
        history.crash().hear(Event::RosterSeen { channel: 0, places }).found()
    };
    assert_eq!(seen(vec![place("bob", 2), place("ann", 1)]), NOTHING);
    assert_eq!(seen(vec![place("ann", 1), place("bob", 3)]), [Violation::RosterChanged], "another number");
    assert_eq!(seen(vec![place("ann", 1)]), [Violation::RosterChanged], "a member is gone");
    let away = Place { online: false, ..place("bob", 2) };
    assert_eq!(seen(vec![place("ann", 1), away]), [Violation::RosterChanged], "a session has ended");
}

#[test]
fn d17_a_join_after_a_restart_finds_its_session_and_number() {
    let joined = |same_session, idx| {
        let mut history = History::on_disk(Reading::Manual);
        let member = history.bob;
        history.crash().hear(Event::Rejoined { member, same_session, idx }).found()
    };
    assert_eq!(joined(true, 2), NOTHING);
    assert_eq!(joined(false, 2), [Violation::SessionLost]);
    assert_eq!(joined(true, 3), [Violation::RosterChanged]);
}

#[test]
fn a_member_that_is_turned_away_is_reported_once_in_a_life() {
    let mut history = History::in_memory(Reading::Manual);
    let member = history.bob;
    let turned_away = || Event::TurnedAway { member, answer: "404".into() };
    history.crash().hear(turned_away()).hear(turned_away()).crash().hear(turned_away());
    assert_eq!(history.found(), [Violation::SessionLost]);
    assert_eq!(history.oracle.violations.counts[&Violation::SessionLost], 2);
}

#[test]
fn settings_and_tokens_stay() {
    let mut history = History::in_memory(Reading::Manual);
    history.hear(Event::SettingsSeen { channel: 0, settings: "a".into() }).crash();
    history.hear(Event::SettingsSeen { channel: 0, settings: "a".into() });
    history.hear(Event::StrangerSeen { channel: 0, let_in: false });
    assert_eq!(history.found(), NOTHING);
    history.hear(Event::SettingsSeen { channel: 0, settings: "b".into() });
    history.hear(Event::StrangerSeen { channel: 0, let_in: true });
    assert_eq!(history.found(), [Violation::SettingsChanged, Violation::TokenChanged]);
}

#[test]
fn the_history_is_what_was_sent_last() {
    let seen = |durable, ids: &[u64]| {
        let mut history = History::new(Reading::Manual, durable);
        history.say(1, 10).crash().say(2, 20).hear(Event::HistorySeen { channel: 0, ids: ids.to_vec() }).found()
    };
    assert_eq!(seen(true, &[10, 20]), NOTHING);
    assert_eq!(seen(true, &[20]), [Violation::HistoryWrong], "10 was on disk");
    assert_eq!(seen(false, &[20]), NOTHING);
    assert_eq!(seen(false, &[20, 10]), [Violation::HistoryWrong]);
}

#[test]
fn a_task_that_does_not_end_is_a_violation() {
    let mut history = History::on_disk(Reading::Manual);
    assert_eq!(history.hear(Event::Unfinished { what: "bob".into() }).found(), [Violation::Unfinished]);
}
