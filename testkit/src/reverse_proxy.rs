//! A proxy between clients and a hub that treats event streams as some proxies do: it holds them back, cuts them, or
//! speaks HTTP/1.0.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a proxy does to the response of a stream. The default is to pass everything on.
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamHandling {
    /// Holds back event streams by GET until they end.
    pub holds_get: bool,
    /// Holds back event streams by POST until they end.
    pub holds_post: bool,
    /// Passes the head and the first event on before it holds the rest back.
    pub passes_first_event: bool,
    /// Keeps its connection to the hub when the client has disconnected.
    pub ignores_disconnects: bool,
    /// Responds with HTTP/1.0, without a length and without chunks.
    pub is_http10: bool,
    /// Cuts every connection whose hub is silent for so long.
    pub cuts_silence: Option<Duration>,
}

/// A running proxy. It stops when the test process ends.
#[derive(Debug)]
pub struct ReverseProxy {
    /// Where clients connect to.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    hub: SocketAddr,
    /// The Host of forwarded requests; none keeps that of the client.
    host: Option<String>,
    handling: StreamHandling,
    passes_all: AtomicBool,
    requests: Mutex<Vec<String>>,
    /// Connections to the hub whose client may have gone.
    kept: Mutex<Vec<TcpStream>>,
}

impl ReverseProxy {
    /// Starts a proxy in front of a hub.
    pub fn start(hub: SocketAddr, handling: StreamHandling) -> Self {
        Self::forwarding(hub, handling, None)
    }

    /// Starts a proxy that forwards as the program of a tunnel does: with the public host, and the address of the client.
    pub fn tunnel(hub: SocketAddr, handling: StreamHandling, host: &str) -> Self {
        Self::forwarding(hub, handling, Some(host.to_owned()))
    }

    fn forwarding(hub: SocketAddr, handling: StreamHandling, host: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (passes_all, requests, kept) = (AtomicBool::new(false), Mutex::default(), Mutex::default());
        let state = Arc::new(State { hub, host, handling, passes_all, requests, kept });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (state, client) = (Arc::clone(&shared), client.unwrap());
                thread::spawn(move || relay(&state, client));
            }
        });
        Self { address, state }
    }

    /// Its `http://` origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it passes everything on.
    pub fn pass_all(&self) {
        self.state.passes_all.store(true, SeqCst);
    }

    /// The request lines so far, without the query.
    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }
}

fn relay(state: &Arc<State>, client: TcpStream) {
    let _ = try_relay(state, client);
}

fn try_relay(state: &Arc<State>, mut client: TcpStream) -> io::Result<()> {
    let request = read_request(&mut client)?;
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    state.requests.lock().unwrap().push(line.split(['?', ' ']).take(2).collect::<Vec<_>>().join(" "));
    let mut hub = TcpStream::connect(state.hub)?;
    hub.write_all(&state.host.as_ref().map_or(request.clone(), |host| with_host(&request, host)))?;
    let StreamHandling { holds_get, holds_post, ignores_disconnects, cuts_silence, .. } = state.handling;
    hub.set_read_timeout(cuts_silence)?;
    match ignores_disconnects {
        true => state.kept.lock().unwrap().push(hub.try_clone()?),
        false => watch(client.try_clone()?, hub.try_clone()?),
    }
    let holds = if line.starts_with("GET ") { holds_get } else { holds_post };
    let holds = holds && !state.passes_all.load(SeqCst);
    let passed = pass_response(state.handling, holds, &mut hub, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    passed
}

/// Closes the connection to the hub when the client disconnects.
fn watch(mut client: TcpStream, hub: TcpStream) {
    thread::spawn(move || {
        while let Ok(1..) = client.read(&mut [0; 1024]) {}
        let _ = hub.shutdown(Shutdown::Both);
    });
}

fn pass_response(handling: StreamHandling, holds: bool, hub: &mut TcpStream, client: &mut TcpStream) -> io::Result<()> {
    let (mut input, mut piece) = (Vec::new(), [0; 16 * 1024]);
    let head_bytes = loop {
        if let Some(at) = find(&input, b"\r\n\r\n") {
            break at + 4;
        }
        match hub.read(&mut piece)? {
            0 => return Ok(()),
            bytes => input.extend_from_slice(&piece[..bytes]),
        }
    };
    let head = String::from_utf8_lossy(&input[..head_bytes]).to_lowercase();
    let holds = holds && head.contains("text/event-stream");
    let mut body = input.split_off(head_bytes);
    let mut dechunks = false;
    if handling.is_http10 {
        dechunks = head.contains("chunked");
        input = b"HTTP/1.0 200 OK\r\n".to_vec();
        input.extend(
            format!("content-type: {}\r\n\r\n", if holds { "text/event-stream" } else { "text/plain" }).bytes(),
        );
    }
    let mut held = Vec::new();
    let mut pass = |bytes: Vec<u8>, is_first: bool| match holds && !(is_first && handling.passes_first_event) {
        true => {
            held.extend(bytes);
            Ok(Vec::new())
        }
        false => client.write_all(&bytes).map(|()| Vec::<u8>::new()),
    };
    pass(input, true)?;
    let mut is_first = true;
    loop {
        let ready = if dechunks { take_chunks(&mut body) } else { std::mem::take(&mut body) };
        if !ready.is_empty() {
            pass(ready, is_first)?;
            is_first = false;
        }
        match hub.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => body.extend_from_slice(&piece[..bytes]),
            // The silence was too long, or the connection broke: what is held is lost.
            Err(_) => return Ok(()),
        }
    }
    client.write_all(&held)
}

/// Takes all complete chunks, without their framing.
fn take_chunks(input: &mut Vec<u8>) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(line) = find(input, b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&input[..line]).unwrap(), 16).unwrap();
        let end = line + 2 + size + 2;
        if input.len() < end {
            break;
        }
        body.extend_from_slice(&input[line + 2..line + 2 + size]);
        input.drain(..end);
    }
    body
}

/// A request with another Host, and with the address of its client.
fn with_host(request: &[u8], host: &str) -> Vec<u8> {
    let head_bytes = find(request, b"\r\n\r\n").unwrap();
    let (head, rest) = request.split_at(head_bytes);
    let head = String::from_utf8_lossy(head);
    let lines = head.lines().filter(|line| !line.to_lowercase().starts_with("host:"));
    let head = lines.collect::<Vec<_>>().join("\r\n");
    let forwarded = format!("\r\nHost: {host}\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https");
    [head.as_bytes(), forwarded.as_bytes(), rest].concat()
}

/// Reads a request with its body, and asks the hub to close the connection after the response.
fn read_request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(head) = find(&request, b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if request.len() >= head + 4 + length.unwrap_or(0) {
                let rest = request.split_off(head);
                request.extend_from_slice(b"\r\nConnection: close");
                request.extend(rest);
                return Ok(request);
            }
        }
        match client.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => request.extend_from_slice(&piece[..bytes]),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
