//! A push service: an HTTP server that records what is pushed and answers as the path says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rogerrat_testkit::wait_until;

/// A running service. Its thread ends with the process.
pub(crate) struct PushService {
    pub(crate) origin: String,
    got: Arc<Mutex<Vec<Pushed>>>,
}

/// A request that it received.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    pub(crate) path: String,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Pushed {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next().unwrap_or("")
    }
}

impl PushService {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let record = got.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let record = record.clone();
                thread::spawn(move || answer(socket, &record));
            }
        });
        Self { origin, got }
    }

    /// The address of a device, which the service answers with a status.
    pub(crate) fn endpoint(&self, status: u16, device: &str) -> String {
        format!("{}/{status}/{device}", self.origin)
    }

    /// What was pushed to a device.
    pub(crate) fn got(&self, device: &str) -> Vec<Pushed> {
        let got = self.got.lock().unwrap();
        got.iter().filter(|pushed| pushed.path.ends_with(&format!("/{device}"))).cloned().collect()
    }

    /// Waits for this number of pushes to a device.
    pub(crate) fn wait_for(&self, device: &str, count: usize) -> Vec<Pushed> {
        wait_until(&format!("{count} were pushed to {device}"), || self.got(device).len() >= count);
        self.got(device)
    }
}

fn answer(socket: TcpStream, record: &Mutex<Vec<Pushed>>) -> Option<()> {
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head += &line;
        line.clear();
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let status = path.split('/').nth(1)?.to_owned();
    let mut pushed = Pushed { path, head, body: Vec::new() };
    pushed.body = vec![0; pushed.header("content-length").parse().ok()?];
    reader.read_exact(&mut pushed.body).ok()?;
    record.lock().ok()?.push(pushed);
    let mut socket = socket;
    write!(socket, "HTTP/1.1 {status} Status\r\nContent-Length: 0\r\n\r\n").ok()
}
