//! What nobody can find out about an address, and how many e-mails are sent.

use std::time::Duration;

use rogerrat_testkit::{Hub, Reply, timed, wait_until};

use super::account_client::Account;
use super::email::{attach, hub_with_mail, request, verified};
use super::mail_server::{Behavior, MailServer};

const TRIES: usize = 200;

/// What a caller sees of a reply, besides its time: the status, the headers that do not always differ, and the body.
fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let differs = |name: &str| ["date", "x-request-id"].contains(&name);
    let headers = reply.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut headers: Vec<_> = headers.filter(|(name, _)| !differs(name)).collect();
    // Their order is random.
    headers.sort_unstable();
    (reply.status, headers, reply.text())
}

#[test]
fn d42_two_hundred_tries_do_not_tell_a_known_address_from_an_unknown_one() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    verified(&hub, &server, "known@example.org", 0);
    let addresses = ["known@example.org", "other@example.org"];
    let mut times = [Vec::new(), Vec::new()];
    let expected = seen(&request(&hub, "nobody@example.org"));
    for _ in 0..TRIES {
        // Alternating, so that a busy machine is busy for both.
        for (address, times) in addresses.iter().zip(&mut times) {
            let (time, reply) = timed(|| request(&hub, address));
            assert_eq!(seen(&reply), expected);
            times.push(time);
        }
    }
    let [known, unknown] = times.map(median);
    println!("median of {TRIES} tries: known {known:?}, unknown {unknown:?}");
    // The request does not wait for the lookup (a test of the actors shows it), so this only guards against a mistake that
    // takes as long as a write or a mail server would.
    let (less, more) = (known.min(unknown), known.max(unknown));
    assert!(more < less * 5 + Duration::from_millis(50), "known {known:?}, unknown {unknown:?}");
    server.mail(3);
    wait_until("all are done", || hub.get("/metrics").send().text().contains("rogerrat_mails_queued 0"));
    assert_eq!(server.count(), 4, "a code, and three e-mails with links");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn d42_attaching_does_not_tell_who_else_has_an_address() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[]);
    verified(&hub, &server, "known@example.org", 0);
    // As many e-mails as the address may get in an hour.
    for _ in 0..4 {
        request(&hub, "known@example.org");
    }
    server.mail(3);
    let bob = Account::open(&hub);
    let mut replies = Vec::new();
    for address in ["known@example.org", "kn0wn@example.org"] {
        for _ in 0..4 {
            let reply = attach(&bob, address);
            replies.push((reply.status, reply.json()["verified"].clone(), reply.json()["code"].clone()));
        }
    }
    assert_eq!(replies[..4], replies[4..]);
    assert_eq!(
        replies.iter().map(|(status, ..)| *status).collect::<Vec<_>>(),
        [202, 202, 202, 429, 202, 202, 202, 429]
    );
}

#[test]
fn requests_of_a_client_are_limited_for_an_hour() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[("ROGERRAT_LIMITS__EMAIL_PER_ADDRESS", "3")]);
    verified(&hub, &server, "ann@example.org", 0);
    let bob = Account::open(&hub);
    attach(&bob, "bob@example.org");
    server.newest_of(2);
    assert_eq!(request(&hub, "ann@example.org").status, 202);
    server.newest_of(3);
    let refused = attach(&bob, "carol@example.org");
    refused.refused(429, "rate_limited");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 60, "{}", refused.text());
    let recovering = request(&hub, "ann@example.org");
    assert_eq!((recovering.status, recovering.text()), (202, "{\"ok\":true}".to_owned()));
    wait_until("it is dropped", || dropped(&hub) == 1);
    assert_eq!(server.count(), 3);
}

#[test]
fn the_hub_sends_a_number_of_emails_an_hour() {
    let server = MailServer::start();
    let hub = hub_with_mail(&server, &[("ROGERRAT_EMAIL__PER_HOUR", "2")]);
    verified(&hub, &server, "ann@example.org", 0);
    request(&hub, "ann@example.org");
    server.newest_of(2);
    let bob = Account::open(&hub);
    assert_eq!(attach(&bob, "bob@example.org").status, 202, "that links were sent is not shown");
    wait_until("it is dropped", || dropped(&hub) == 1);
    attach(&bob, "bob@example.org").refused(429, "rate_limited");
    assert_eq!(request(&hub, "ann@example.org").status, 202);
    wait_until("it is dropped", || dropped(&hub) == 2);
    assert_eq!(server.count(), 2);
}

#[test]
fn a_mail_server_that_hangs_or_fails_holds_up_nothing_else() {
    let server = MailServer::start();
    let mut hub = hub_with_mail(&server, &[]);
    verified(&hub, &server, "ann@example.org", 0);
    server.next([Behavior::Hang, Behavior::Hang, Behavior::Hang, Behavior::Hang]);
    for _ in 0..3 {
        assert_eq!(request(&hub, "ann@example.org").status, 202);
    }
    let bob = Account::open(&hub);
    assert_eq!(attach(&bob, "bob@example.org").status, 202);
    wait_until("four connections hang", || server.connections() == 5);
    let (time, _) = timed(|| hub.channel().join("ann"));
    assert!(time < Duration::from_secs(10), "{time:?}");
    assert!(hub.get("/metrics").send().text().contains("rogerrat_mails_queued 4"));
    hub.stop();
}

fn dropped(hub: &Hub) -> u64 {
    let metrics = hub.get("/metrics").send().text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("rogerrat_mails_total{status=\"dropped\"} "));
    line.unwrap().parse().unwrap()
}
