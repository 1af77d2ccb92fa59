//! HTTP/2 clients that attack the hub: each loses its connection or its request, and the hub serves everyone else. Random
//! frames are generated from fixed seeds.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use rogerrat_testkit::{Hub, TIMEOUT, wait_until};

use super::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW,
    frame, header_block,
};

/// Connections of the random test.
const CONNECTIONS: u64 = 150;
/// Frames of each.
const FRAMES: usize = 60;

const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/livez")];

/// The hub answers, and no thread of it has panicked.
#[track_caller]
fn is_sound(hub: &Hub) {
    assert_eq!(hub.get("/livez").send().status, 200);
    let log = hub.log();
    assert!(!log.contains("panicked"), "{log}");
}

/// Splits a header block into one HEADERS frame and CONTINUATION frames.
fn send_block(http2: &mut Http2, stream: u32, block: &[u8]) {
    let mut pieces = block.chunks(16_000).peekable();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        let end = if kind == HEADERS { END_STREAM } else { 0 };
        http2.frame(kind, last | end, stream, piece);
        kind = CONTINUATION;
    }
}

/// Reads until the connection ends or a frame matches.
fn until(http2: &mut Http2, kind: u8) -> bool {
    std::iter::from_fn(|| http2.read()).any(|frame| frame.kind == kind)
}

#[test]
fn d12_a_large_header_list_is_refused_before_it_is_stored() {
    let hub = Hub::start();
    let names: Vec<_> = (0..26_000).map(|n| format!("x{n}")).collect();
    // Different names, one name, and one large field that is repeated by its index.
    let different: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    let same = vec![("x", ""); 26_000];
    for fields in [different, same] {
        let mut http2 = Http2::open(*hub, WINDOW);
        send_block(&mut http2, 1, &header_block(&[&GET[..], &fields].concat()));
        let end = std::iter::from_fn(|| http2.read()).find(|frame| frame.kind == HEADERS || frame.kind == GOAWAY);
        if let Some(head) = end.filter(|frame| frame.kind == HEADERS) {
            assert!(String::from_utf8_lossy(&head.payload).contains("431") || head.payload.len() < 40, "{head:?}");
        }
        is_sound(&hub);
    }
    let mut bomb = header_block(&GET);
    // Adds a field of 4,000 bytes to the dynamic table, then refers to it 15,000 times.
    bomb.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    bomb.extend_from_slice(&[b'y'; 4_000]);
    bomb.extend_from_slice(&[0x80 | 62; 15_000]);
    let mut http2 = Http2::open(*hub, WINDOW);
    send_block(&mut http2, 1, &bomb);
    assert!(std::iter::from_fn(|| http2.read()).any(|frame| frame.kind == HEADERS || frame.kind == GOAWAY));
    is_sound(&hub);
}

#[test]
fn d30_the_requests_of_one_connection_are_limited() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let agents: Vec<_> = (0..30).map(|n| channel.join(&format!("agent{n}"))).collect();
    let mut http2 = Http2::open(*hub, WINDOW);
    let mut refused = false;
    for n in 0..300 {
        let agent = &agents[n % agents.len()];
        http2.request_consumer(agent, &format!("c{}", n / agents.len()));
    }
    http2.frame(PING, 0, 0, &[1; 8]);
    while let Some(frame) = http2.read() {
        refused |= frame.kind == RST_STREAM && frame.payload == 7_u32.to_be_bytes();
        if frame.kind == PING {
            break;
        }
    }
    assert!(refused, "streams above the limit are refused with REFUSED_STREAM");
    is_sound(&hub);
}

#[test]
fn d30_floods_do_no_harm() {
    let hub = Hub::start();
    let block = header_block(&GET);
    let rapid_reset: Vec<u8> = (0..5_000)
        .flat_map(|n| {
            let stream = 2 * n + 1;
            [frame(HEADERS, END_HEADERS | END_STREAM, stream, &block), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])]
        })
        .flatten()
        .collect();
    let mut continuations = frame(HEADERS, END_STREAM, 1, &block);
    continuations.extend((0..5_000).flat_map(|_| frame(CONTINUATION, 0, 1, &[])));
    let mut empty_data = frame(HEADERS, END_HEADERS, 1, &block);
    empty_data.extend((0..50_000).flat_map(|_| frame(DATA, 0, 1, &[])));
    let floods = [
        ("resets", rapid_reset),
        ("continuations", continuations),
        ("empty data", empty_data),
        ("pings", (0..50_000).flat_map(|_| frame(PING, 0, 0, &[0; 8])).collect()),
        ("settings", (0..20_000).flat_map(|_| frame(SETTINGS, 0, 0, &[])).collect()),
        ("window overflow", (0..3).flat_map(|_| frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff])).collect()),
        ("unknown frames", (0..20_000).flat_map(|_| frame(0xfe, 0xff, 1, b"grease")).collect()),
    ];
    for (name, flood) in floods {
        let mut tcp = TcpStream::connect(hub.0).unwrap();
        tcp.set_write_timeout(Some(TIMEOUT)).unwrap();
        let start = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
        // The hub may close the connection in the middle of the flood.
        let _ = tcp.write_all(&start).and_then(|()| tcp.write_all(&flood));
        is_sound(&hub);
        let _ = tcp.shutdown(Shutdown::Both);
        println!("{name}");
    }
}

#[test]
fn malformed_requests_end_a_connection_or_a_stream() {
    let hub = Hub::start();
    let long_path = "/".repeat(120);
    let heads: [&[(&str, &str)]; 12] = [
        &[],
        &[(":method", "GET")],
        &[(":method", "GET"), (":scheme", "http"), (":path", "")],
        &[(":method", "GET"), (":scheme", "http"), (":path", "livez"), (":authority", "localhost")],
        &[(":method", ""), (":scheme", "http"), (":path", "/livez"), (":authority", "localhost")],
        &[(":method", "CONNECT"), (":authority", "localhost:1")],
        &[(":method", "CONNECT"), (":authority", "@@@"), (":scheme", "http"), (":path", "/x")],
        &[(":method", "GET"), (":scheme", "http"), (":path", "*"), (":authority", "a b")],
        &[(":method", "GET"), (":scheme", "http"), (":path", &long_path), (":authority", "[::1")],
        &[(":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "localhost"), (":x", "y")],
        &[("x", "y"), (":method", "GET"), (":scheme", "http"), (":path", "/livez"), (":authority", "localhost")],
        &[
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/api/channels"),
            (":authority", "localhost"),
            ("content-length", "5"),
            ("content-length", "6"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
        ],
    ];
    for head in heads {
        let mut http2 = Http2::open(*hub, WINDOW);
        http2.frame(HEADERS, END_HEADERS | END_STREAM, 1, &header_block(head));
        http2.frame(PING, 0, 0, &[1; 8]);
        until(&mut http2, PING);
        is_sound(&hub);
    }
}

/// A small xorshift generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next().to_be_bytes()[0]).collect()
    }

    /// A frame: valid, nearly valid, or noise.
    fn frame(&mut self, hosts: &[&str], paths: &[String], next_stream: &mut u32) -> Vec<u8> {
        let stream = match self.below(4) {
            0 => 0,
            1 => u32::try_from(self.below(16)).unwrap(),
            _ => {
                *next_stream += 2;
                *next_stream
            }
        };
        let mut pick = |from: &[&str]| from[usize::try_from(self.below(from.len() as u64)).unwrap()].to_owned();
        let methods = ["GET", "POST", "HEAD", "DELETE", "OPTIONS", "CONNECT", "PRI", "get", ""];
        let (method, host) = (pick(&methods), pick(hosts));
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let path = pick(&paths);
        let fields =
            [(":method", &*method), (":scheme", "http"), (":authority", &*host), (":path", &*path), ("accept", "*/*")];
        let flags = u8::try_from(self.below(256)).unwrap();
        match self.below(8) {
            0..=2 => {
                let mut block = header_block(&fields);
                if self.below(3) == 0 {
                    let at = usize::try_from(self.below(block.len() as u64)).unwrap();
                    block[at] ^= self.next().to_be_bytes()[0];
                }
                frame(HEADERS, END_HEADERS | flags & END_STREAM, stream, &block)
            }
            3 => frame(DATA, flags & END_STREAM, stream, &self.bytes(300)),
            4 => {
                frame(SETTINGS, 0, 0, &self.bytes(5).iter().flat_map(|b| [0, b % 8, 0, *b, *b, 0]).collect::<Vec<_>>())
            }
            5 => frame(8, 0, stream, &u32::try_from(self.below(1 << 32)).unwrap().to_be_bytes()),
            6 => frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]),
            _ => {
                let kind = u8::try_from(self.below(12)).unwrap();
                frame(kind, flags, stream, &self.bytes(64))
            }
        }
    }
}

#[test]
fn random_frames_do_no_harm() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let ann = channel.join("ann");
    let paths: Vec<_> = ["listen?timeout=1", "stream", "history", "send", "join", "roster", "transcript", "%ff", "x"]
        .iter()
        .map(|what| channel.path(what))
        .chain(["/livez", "/mcp", "/", "*", "", "/api/channels", "/%00", "//", "?"].map(str::to_owned))
        .collect();
    for seed in 1..=CONNECTIONS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut tcp = TcpStream::connect(hub.0).unwrap();
        tcp.set_write_timeout(Some(TIMEOUT)).unwrap();
        let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
        let mut stream = 1;
        for _ in 0..FRAMES {
            bytes.extend(random.frame(&["localhost", "evil.example", "", "[::1]:1", "a b"], &paths, &mut stream));
        }
        let cut = if seed.is_multiple_of(3) { bytes.len() / 2 } else { bytes.len() };
        let _ = tcp.write_all(&bytes[..cut]);
        if seed.is_multiple_of(2) {
            let _ = tcp.shutdown(Shutdown::Write);
            let _ = tcp.read(&mut [0; 4096]);
        }
    }
    is_sound(&hub);
    ann.say("still here");
    wait_until("no poll of the attackers remains", || {
        let metrics = hub.get("/metrics").send().text();
        metrics.lines().any(|line| line == "rogerrat_polls_parked 0")
    });
}
