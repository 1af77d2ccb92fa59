//! A proxy between a store and its server, which cuts a connection at a commit, or leads to another server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The server never gets the commit.
    BeforeCommit,
    /// The server has committed, and its answer is lost.
    AfterCommit,
}

/// Passes connections on until its process ends.
pub(super) struct CuttingProxy {
    address: SocketAddr,
    server: Arc<Mutex<SocketAddr>>,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl CuttingProxy {
    pub(super) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(Mutex::new(None));
        let (next_cut, server) = (cut.clone(), Arc::new(Mutex::new(server)));
        let to = server.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let to = *to.lock().unwrap();
                if let Ok(server) = TcpStream::connect(to) {
                    pass_on(client.unwrap(), server, next_cut.clone());
                }
            }
        });
        Self { address, server, cut }
    }

    /// The URL of a database through the proxy.
    pub(super) fn url(&self, url: &str, server: SocketAddr) -> String {
        url.replace(&server.to_string(), &self.address.to_string()) + "?sslmode=disable"
    }

    /// Cuts the connection of the writer at its next commit.
    pub(super) fn cut_next(&self, cut: Cut) {
        *self.cut.lock().unwrap() = Some(cut);
    }

    /// Leads new connections to another server.
    pub(super) fn switch_to(&self, server: SocketAddr) {
        *self.server.lock().unwrap() = server;
    }

    /// Whether a connection was cut since.
    pub(super) fn has_cut(&self) -> bool {
        self.cut.lock().unwrap().is_none()
    }
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn pass_on(client: TcpStream, server: TcpStream, cut: Arc<Mutex<Option<Cut>>>) {
    let is_answer_lost = Arc::new(AtomicBool::new(false));
    let (is_lost, mut to_client, mut from_server) =
        (is_answer_lost.clone(), client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(n @ 1..) = from_server.read(&mut buffer) {
            if is_lost.load(SeqCst) || to_client.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = (to_client.shutdown(Shutdown::Both), from_server.shutdown(Shutdown::Both));
    });
    let (mut from_client, mut to_server) = (client, server);
    thread::spawn(move || {
        let (mut buffer, mut is_writer) = ([0; 65_536], false);
        while let Ok(n @ 1..) = from_client.read(&mut buffer) {
            let sent = &buffer[..n];
            is_writer |= has(sent, b"UPDATE batches SET batch = $2");
            if is_writer && has(sent, b"COMMIT\0") {
                match cut.lock().unwrap().take() {
                    Some(Cut::BeforeCommit) => break,
                    // The server answers nothing else.
                    Some(Cut::AfterCommit) => is_answer_lost.store(true, SeqCst),
                    None => {}
                }
            }
            if to_server.write_all(sent).is_err() {
                break;
            }
        }
        let _ = (from_client.shutdown(Shutdown::Both), to_server.shutdown(Shutdown::Both));
    });
}
