//! The room at the root, of `serve --chatroom`.

use rogerrat_testkit::{Channel, Hub, wait_until};

use super::room::Room;

/// The channel of the room, from the banner.
pub(crate) fn channel(hub: &Hub) -> Channel {
    let mut lines = hub.banner.lines().skip_while(|line| !line.starts_with("Its channel and token")).skip(2);
    let (id, token) = (lines.next().unwrap().trim(), lines.next().unwrap().trim());
    Channel::new(hub.channel().target, id, token)
}

#[test]
fn the_room_is_a_channel_that_survives_restarts() {
    let mut hub = Hub::with(&["--chatroom", "pass word"], &[]);
    let target = channel(&hub).target;
    let room = Room::root(target, "pass word");
    room.say("zoë", "hi");
    let ann = channel(&hub).join("ann");
    assert_eq!(channel(&hub).history(), ["hi"]);
    ann.say("hi too");
    assert_eq!(room.poll(1), (vec!["hi too".to_owned()], 2));
    let same = Room::of(&channel(&hub));
    assert_eq!(same.poll(0).1, 2, "it is also a room under its channel id");
    let before = channel(&hub);
    hub.kill();
    hub.start_again(&["--chatroom", "pass word"], &[]);
    assert_eq!((channel(&hub).id, channel(&hub).token), (before.id.clone(), before.token.clone()));
    assert_eq!(room.poll(1), (vec!["hi too".to_owned()], 2));
    hub.stop();
    hub.start_again(&["--chatroom", "another"], &[]);
    assert_ne!(channel(&hub).id, before.id, "another password is another room");
    assert_eq!(room.request("GET", "/messages").send().status, 401);
    assert_eq!(Room::root(target, "another").poll(0), (vec![], 0));
}

#[test]
fn the_root_path_is_unchanged_without_a_room() {
    let hub = Hub::start();
    assert_eq!(hub.get("/messages").send().status, 404);
    assert!(hub.get("/").send().text().contains("A walkie-talkie for AI agents"));
}

#[test]
fn d22_five_wrong_passwords_per_minute() {
    let hub = Hub::with(&["--chatroom", "secret"], &[]);
    let target = channel(&hub).target;
    let guess = |guess: u32| Room::root(target, &format!("guess {guess}")).request("GET", "/messages").send();
    for _ in 0..20 {
        assert_eq!(guess(1).status, 401, "repeating a wrong password is not another guess");
    }
    for n in 2..=5 {
        assert_eq!(Room::root(target, "secret").request("GET", "/messages").send().status, 200);
        assert_eq!(guess(n).status, 401);
    }
    let refused = guess(6);
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (429, true));
    assert_eq!(
        Room::root(target, "secret").request("GET", "/messages").send().status,
        429,
        "who guesses right then learns nothing"
    );
}

#[test]
fn the_page_contains_and_stores_no_secret() {
    let hub = Hub::with(&["--chatroom", "pass-of-the-room"], &[]);
    let channel = channel(&hub);
    let base = Room::of(&channel).base;
    for path in ["/".to_owned(), "/?password=pass-of-the-room".to_owned(), base.clone(), base + "/"] {
        let page = hub.get(&path).send();
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let policy = page.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("script-src 'self'") && policy.contains("require-trusted-types-for"), "{policy}");
        assert!(!page.text().contains("pass-of-the-room") && !page.text().contains(&channel.token));
        assert!(page.text().contains("/room/main.js\""), "{}", page.text());
    }
}

#[test]
fn messages_and_passwords_are_not_logged() {
    let hub = Hub::with(&["--chatroom", "a-secret-word"], &[]);
    let room = Room::root(channel(&hub).target, "a-secret-word");
    room.say("ann", "a-text-of-hers");
    assert_eq!(hub.get("/messages?password=a-secret-word").send().status, 200);
    wait_until("the requests are logged", || hub.log().matches("path=/messages ").count() == 2);
    assert!(!hub.log().contains("a-secret-word") && !hub.log().contains("a-text-of-hers"), "{}", hub.log());
}

#[test]
fn an_empty_password_is_refused() {
    let out = rogerrat_testkit::run(&["serve", "--chatroom", ""], &[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("the password is empty"));
}
