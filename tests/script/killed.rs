//! The script is killed at every point of its conversation with the hub: no message is lost, and a line of the inbox is
//! never repeated or incomplete.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{fs, thread};

use rogerrat_testkit::{Channel, Hub, TIMEOUT, wait_until};
use serde_json::{Value, json};

use super::kit::ScriptUser;

/// Where a request stops: before it reaches the hub, after the hub has answered, or in the middle of the answer.
#[derive(Clone, Copy, Debug)]
enum Point {
    BeforeRequest,
    BeforeAnswer,
    InAnswer,
}

const POINTS: [Point; 3] = [Point::BeforeRequest, Point::BeforeAnswer, Point::InAnswer];

/// A proxy whose connection number `stop` stops at a point, and stays open until the gate is dropped. The script opens
/// one connection for each request.
struct Gate {
    address: SocketAddr,
    stopped: Receiver<()>,
    _held: SyncSender<()>,
}

impl Gate {
    fn before(hub: SocketAddr, stop: usize, point: Point) -> Self {
        let tcp_listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp_listener.local_addr().unwrap();
        let (stop_reached, stopped) = sync_channel(1);
        let (held, release) = sync_channel::<()>(1);
        thread::spawn(move || {
            for (no, client) in tcp_listener.incoming().enumerate() {
                let client = client.unwrap();
                if no == stop {
                    if !matches!(point, Point::BeforeRequest) {
                        let answer = relay(hub, &client);
                        if matches!(point, Point::InAnswer) {
                            (&client).write_all(&answer[..answer.len() - 3]).unwrap();
                        }
                    }
                    let _ = stop_reached.send(());
                    let _ = release.recv();
                    return;
                }
                let _ = (&client).write_all(&relay(hub, &client));
                let _ = client.shutdown(Shutdown::Both);
            }
        });
        Self { address, stopped, _held: held }
    }

    fn until_stopped(&self) {
        self.stopped.recv_timeout(TIMEOUT).unwrap();
    }
}

/// Passes one request to the hub and returns the whole answer.
fn relay(hub: SocketAddr, client: &TcpStream) -> Vec<u8> {
    let hub = TcpStream::connect(hub).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), hub.try_clone().unwrap());
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            if to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
    });
    let mut answer = Vec::new();
    let _ = (&hub).read_to_end(&mut answer);
    let _ = hub.shutdown(Shutdown::Both);
    answer
}

fn texts(lines: &str) -> Vec<String> {
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

/// A read, a check of what is in flight, an ack.
const REQUESTS: usize = 3;

/// Runs a round for each point of each request at the same time.
fn at_every_point(hub: &Hub, round: impl Fn(&Channel, ScriptUser, &Gate, &str) + Sync) {
    thread::scope(|scope| {
        for stop in 0..REQUESTS {
            for point in POINTS {
                let round = &round;
                scope.spawn(move || {
                    let channel = hub.channel();
                    let user = ScriptUser::joined(**hub, &channel, "bob");
                    let ann = channel.join("ann");
                    ann.say("one");
                    ann.say("two");
                    let gate = Gate::before(hub.0, stop, point);
                    let text = fs::read_to_string(user.profiles()).unwrap();
                    let through = format!("http://{}", gate.address);
                    fs::write(user.profiles(), text.replace(&hub.origin(), &through)).unwrap();
                    round(&channel, user, &gate, &format!("{point:?} of request {stop}"));
                });
            }
        }
    });
}

/// The script again, directly at the hub.
fn directly(hub: &Hub, user: &ScriptUser, gate: &Gate) {
    let text = fs::read_to_string(user.profiles()).unwrap();
    fs::write(user.profiles(), text.replace(&format!("http://{}", gate.address), &hub.origin())).unwrap();
}

#[test]
fn a01_a_doorbell_that_is_killed_anywhere_loses_nothing() {
    let hub = Hub::unlimited();
    let profile = |user: &ScriptUser| user.profiles();
    at_every_point(&hub, |channel, user, gate, point| {
        assert!(profile(&user).exists());
        let killed = user.start(&["wait", "--format", "jsonl", "--profile", &channel.id]);
        gate.until_stopped();
        let mut printed = texts(&killed.kill());
        directly(&hub, &user, gate);
        channel.join("ann").say("three");
        let mut runs = 0;
        while !printed.contains(&"three".to_owned()) {
            printed.extend(texts(&user.ok(&["wait", "--format", "jsonl"])));
            runs += 1;
            assert!(runs <= 3, "{point}: {printed:?}");
        }
        let mut times = BTreeMap::new();
        printed.iter().for_each(|text| *times.entry(text.as_str()).or_insert(0) += 1);
        let all = ["one", "two", "three"];
        assert!(all.iter().all(|text| times.contains_key(text)), "{point}: {printed:?}");
        assert!(times.values().all(|times| *times <= 2), "{point}: {printed:?}");
        assert_eq!(user.run(&["listen"]).code, Some(3), "{point}: everything is acknowledged");
    });
}

#[test]
fn a01_an_inbox_whose_listener_is_killed_anywhere_has_every_line_once() {
    let hub = Hub::unlimited();
    at_every_point(&hub, |channel, user, gate, point| {
        let inbox = user.home().join("inbox.jsonl");
        let listen = || user.start(&["listen-here", "--inbox", inbox.to_str().unwrap(), "--profile", &channel.id]);
        let killed = listen();
        gate.until_stopped();
        killed.kill();
        directly(&hub, &user, gate);
        // As if it had been killed while it wrote the last line.
        let text = fs::read_to_string(&inbox).unwrap_or_default();
        if !text.is_empty() && point.starts_with("BeforeRequest of request 2") {
            fs::write(&inbox, &text[..text.len() - 9]).unwrap();
        }
        let listening = listen();
        channel.join("ann").say("three");
        let text = || fs::read_to_string(&inbox).unwrap_or_default();
        wait_until("the last line is there", || text().contains("\"three\"") && text().ends_with('\n'));
        drop(listening);
        assert_eq!(texts(&text()), ["one", "two", "three"], "{point}");
    });
}

#[test]
fn a01_a_doorbell_does_not_acknowledge_what_another_read_was_given() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    let bob = super::kit::session_of(&user, &channel, "bob");
    let ann = channel.join("ann");
    ann.say("given to a read that was never seen");
    bob.get("listen?timeout=1&ack=manual&lease=2").ok();
    ann.say("newer");
    let printed = texts(&user.ok(&["wait", "--format", "jsonl"]));
    assert_eq!(printed, ["given to a read that was never seen", "newer"]);
    assert_eq!(user.run(&["listen"]).code, Some(3));
}

#[test]
fn a_doorbell_that_cannot_print_acknowledges_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    channel.join("ann").say("hello");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let process = user.command(&["wait"]).stdout(full).spawn().unwrap();
    let ended = rogerrat_testkit::wait_for_exit(process);
    assert!(ended.code == Some(1) && ended.err.contains("cannot write to standard output"), "{ended:?}");
    assert!(user.ok(&["wait"]).ends_with(": hello\n"));
}

#[test]
fn an_inbox_that_cannot_be_used_is_an_error() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let user = ScriptUser::joined(*hub, &channel, "bob");
    fs::create_dir(user.home().join("folder")).unwrap();
    user.run(&["listen-here", "--quiet", "--inbox", "folder"]).with_one_line(1, "folder");
}

#[test]
fn an_inbox_on_a_full_disk_gets_its_lines_later() {
    let hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"durability": "disk"}));
    let user = ScriptUser::joined(*hub, &channel, "bob");
    channel.join("ann").say("hello");
    let inbox = user.home().join("inbox.jsonl");
    // A folder in place of the file of the state: nothing can be written.
    let state = user.home().join("inbox.jsonl.state.new");
    fs::create_dir(&state).unwrap();
    let listening = user.start(&["listen-here", "--inbox", inbox.to_str().unwrap()]);
    wait_until("it is leased", || super::kit::session_of(&user, &channel, "bob").consumers()[0]["in_flight"] == 1);
    fs::remove_dir(&state).unwrap();
    wait_until("it is written", || fs::read_to_string(&inbox).unwrap_or_default().ends_with("}\n"));
    #[cfg(target_os = "linux")]
    wait_until("no failed attempt has left it open", || !listening.has_open(&inbox));
    drop(listening);
    assert_eq!(texts(&fs::read_to_string(&inbox).unwrap()), ["hello"]);
}
