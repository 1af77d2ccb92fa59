//! Tests of the history and its pages.

use crate::op::harness::{START_MS, TestChannel, draft, rules};
use crate::op::{History, HistoryReply, OlderMessages, OlderPage};
use crate::{BacklogLimits, DmVisibility, Durability, MessageId, Rules, Settings, TokenHash};

fn durable(dm_visibility: DmVisibility) -> TestChannel {
    let settings =
        Settings { durability: Durability::Disk, dm_visibility, ..Settings::plain(TokenHash::of("t"), START_MS) };
    let mut test = TestChannel::opened(settings, rules(), 0, None);
    let _ = ["ann", "bob", "eve"].map(|callsign| test.join(callsign));
    test
}

fn page(
    test: &mut TestChannel,
    before: Option<MessageId>,
    n: usize,
    thread: Option<&str>,
) -> (Vec<MessageId>, Option<MessageId>) {
    let history = History { session: None, n, thread: thread.map(str::to_owned), before };
    let HistoryReply { history, before, more } = test.query(&history).unwrap();
    assert_eq!(more, 0);
    (history.iter().map(|message| message.id).collect(), before)
}

fn older(test: &mut TestChannel, who: Option<&str>, before: MessageId, n: usize) -> OlderPage {
    let session = who.map(|who| test.session(who));
    test.query(&OlderMessages { session, before, n }).unwrap()
}

#[test]
fn a24_pages_of_the_ring_are_complete_and_the_last_one_says_so() {
    let mut test = TestChannel::new();
    test.join("ann");
    assert_eq!(page(&mut test, None, 20, None), (vec![], None));
    assert_eq!(page(&mut test, Some(START_MS), 20, None), (vec![], None));
    let ids: Vec<_> = (0..45).map(|n| test.send("ann", "all", &n.to_string()).id).collect();
    let (mut all, mut before) = (Vec::new(), None);
    for expected in [20, 20, 5] {
        let (ids, next) = page(&mut test, before, 20, None);
        assert_eq!(ids.len(), expected);
        all.splice(..0, ids.iter().copied());
        assert_eq!(next, (all.len() < 45).then(|| ids[0]));
        before = next;
    }
    assert_eq!(all, ids);
    assert_eq!(page(&mut test, None, 45, None), (ids.clone(), None), "exactly all");
    assert_eq!(page(&mut test, Some(ids[0]), 20, None), (vec![], None));
}

#[test]
fn a24_before_need_not_be_the_id_of_a_message() {
    let mut test = TestChannel::new();
    test.join("ann");
    let first = test.send("ann", "all", "first").id;
    test.at(test.now.uptime_ms + 1000);
    let second = test.send("ann", "all", "second").id;
    for before in [first + 1, first + 500, second] {
        assert_eq!(page(&mut test, Some(before), 20, None).0, [first], "{before}");
    }
    assert_eq!(page(&mut test, Some(second + 1_000_000), 20, None).0, [first, second], "one from the future");
    assert_eq!(page(&mut test, Some(1), 20, None), (vec![], None));
}

#[test]
fn a24_a_page_says_that_older_messages_are_in_the_log() {
    let mut test = durable(DmVisibility::Channel);
    let ids: Vec<_> = (0..250).map(|n| test.send("ann", "all", &n.to_string()).id).collect();
    assert_eq!(page(&mut test, None, 100, None), (ids[150..].to_vec(), Some(ids[150])));
    assert_eq!(page(&mut test, Some(ids[150]), 100, None), (vec![], Some(ids[150])), "none of them is in memory");
    assert_eq!(page(&mut test, Some(ids[160]), 100, None), (ids[150..160].to_vec(), Some(ids[150])));
    assert_eq!(older(&mut test, None, ids[150], 100), OlderPage { ids: ids[50..150].to_vec(), before: Some(ids[50]) });
    assert_eq!(older(&mut test, None, ids[50], 100), OlderPage { ids: ids[..50].to_vec(), before: None });
    assert_eq!(older(&mut test, None, ids[100] + 1, 1).ids, [ids[100]]);
    assert_eq!(older(&mut test, None, ids[0], 9), OlderPage { ids: vec![], before: None });
}

#[test]
fn a24_evicted_messages_are_not_announced() {
    let rules = Rules { backlog: BacklogLimits { messages: 120, bytes: 1 << 30 }, ..rules() };
    let settings = Settings { durability: Durability::Disk, ..Settings::plain(TokenHash::of("t"), START_MS) };
    let mut test = TestChannel::opened(settings, rules, 0, None);
    test.join("ann");
    let ids: Vec<_> = (0..300).map(|n| test.send("ann", "all", &n.to_string()).id).collect();
    assert_eq!(older(&mut test, None, ids[200], 100), OlderPage { ids: ids[180..200].to_vec(), before: None });
}

#[test]
fn a24_d21_a_page_neither_shows_nor_counts_private_dms_of_others() {
    let mut test = durable(DmVisibility::Private);
    let open = test.send("ann", "all", "open").id;
    let dms: Vec<_> = (0..50).map(|n| test.send("ann", "bob", &n.to_string()).id).collect();
    test.send_many("ann", "all", 100);
    let newest = test.send("ann", "all", "newest").id;
    for (who, ids) in
        [(None, vec![open]), (Some("eve"), vec![open]), (Some("ann"), dms.clone()), (Some("bob"), dms.clone())]
    {
        let OlderPage { ids: found, before } = older(&mut test, who, newest - 100, 50);
        assert!(found.ends_with(&ids[ids.len() - 1..]) && found.len() <= 50, "{who:?} {found:?}");
        assert_eq!(before.is_some(), who.is_some_and(|who| who != "eve"), "{who:?}");
        assert!(who.is_some_and(|who| who != "eve") || !found.iter().any(|id| dms.contains(id)));
    }
    // Only private DMs are older: nothing is.
    let mut test = durable(DmVisibility::Private);
    test.send("ann", "bob", "psst");
    let ids: Vec<_> = (0..3).map(|n| test.send("ann", "all", &n.to_string()).id).collect();
    assert_eq!(page(&mut test, None, 3, None), (ids, None));
}

#[test]
fn a24_a_page_of_a_thread_continues_where_it_stopped() {
    let mut test = durable(DmVisibility::Channel);
    let mut of_thread = Vec::new();
    for n in 0..30 {
        let thread = (n % 3 == 0).then(|| "t".to_owned());
        let draft = crate::op::Draft { thread, ..*draft("all", &n.to_string()) };
        let sent = test.try_send("ann", Box::new(draft)).unwrap();
        of_thread.extend((n % 3 == 0).then_some(sent.id));
    }
    let (newest, before) = page(&mut test, None, 4, Some("t"));
    assert_eq!(newest, of_thread[6..]);
    let (rest, end) = page(&mut test, before, 100, Some("t"));
    assert_eq!((rest, end), (of_thread[..6].to_vec(), None));
}

#[test]
fn a24_a_page_from_the_log_is_bounded_in_bytes() {
    let mut test = durable(DmVisibility::Channel);
    let big = "x".repeat(8000);
    let mut ids: Vec<_> = (0..200).map(|_| test.send("ann", "all", &big).id).collect();
    ids.extend((0..100).map(|n| test.send("ann", "all", &n.to_string()).id));
    let OlderPage { ids: found, before } = older(&mut test, None, ids[200], 100);
    assert_eq!(found.len(), 100);
    assert_eq!(before, Some(found[0]));
    let OlderPage { ids: found, before } = older(&mut test, None, ids[200], 200);
    assert!((100..140).contains(&found.len()), "1 MiB of them: {}", found.len());
    assert_eq!(before, Some(found[0]));
}
