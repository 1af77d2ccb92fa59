//! Connections that break in the middle of a response.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::{fs, thread};

use rogerrat_testkit::{ClientCommand, Hub, client_env, wait_until};
use serde_json::Value;

/// A proxy to the hub whose first connection breaks after a number of response bytes; later ones work.
fn breaking_proxy(hub: SocketAddr, first_bytes: usize) -> SocketAddr {
    let tcp_listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp_listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut left = first_bytes;
        for client in tcp_listener.incoming() {
            let (client, hub) = (client.unwrap(), TcpStream::connect(hub).unwrap());
            let (from, to) = (client.try_clone().unwrap(), hub.try_clone().unwrap());
            thread::spawn(move || relay(from, to, usize::MAX));
            thread::spawn(move || relay(hub, client, left));
            left = usize::MAX;
        }
    });
    address
}

fn relay(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut piece = [0; 4096];
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut piece) else { break };
        let passed = read.min(left);
        if to.write_all(&piece[..passed]).is_err() {
            break;
        }
        left -= passed;
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

#[test]
fn a_connection_cut_anywhere_neither_loses_nor_duplicates_a_line() {
    let hub = Hub::unlimited();
    let rounds: Vec<_> = (0..16)
        .map(|round| {
            let channel = hub.channel();
            let (ann, bob) = (channel.join("ann"), channel.join("bob"));
            ann.say_numbers(0..5);
            let origin = format!("http://{}", breaking_proxy(channel.target.0, 40 + round * 100));
            let inbox = hub.folder().join(format!("inbox {round}"));
            let variables = client_env(&channel, &origin, &bob.session);
            let listener =
                ClientCommand::start(&["listen-here", "--verbose", "--inbox", inbox.to_str().unwrap()], &variables);
            (ann, inbox, listener)
        })
        .collect();
    let mut cut = 0;
    for (ann, inbox, listener) in rounds {
        ann.say("5");
        let text = || fs::read_to_string(&inbox).unwrap_or_default();
        wait_until("all have come", || text().ends_with('\n') && text().contains(r#""text":"5""#));
        let texts = text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone()).collect();
        assert_eq!(Value::Array(texts), serde_json::json!(["0", "1", "2", "3", "4", "5"]));
        listener.signal("TERM");
        cut += usize::from(listener.wait_for_exit().err.contains("trying again"));
    }
    assert!(cut > 8, "only {cut} were cut");
}
