//! A proxy in front of a hub that a test can break.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) struct FaultyLink {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    hub: SocketAddr,
    /// New connections are closed at once.
    is_shut: AtomicBool,
    /// Response bytes that still pass before all connections break.
    left: AtomicUsize,
    open: Mutex<Vec<Passage>>,
}

/// One proxied connection.
struct Passage {
    ends: [TcpStream; 2],
    /// Bytes are discarded, and nothing is closed.
    is_silent: Arc<AtomicBool>,
}

impl FaultyLink {
    pub(crate) fn to(hub: SocketAddr) -> Self {
        let tcp_listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp_listener.local_addr().unwrap();
        let state = Arc::new(State {
            hub,
            is_shut: AtomicBool::new(false),
            left: AtomicUsize::new(usize::MAX),
            open: Mutex::new(Vec::new()),
        });
        let keeps = Arc::clone(&state);
        thread::spawn(move || tcp_listener.incoming().for_each(|client| pass(&keeps, client.unwrap())));
        Self { address, state }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks all connections after this number of further response bytes; later connections work.
    pub(crate) fn break_after(&self, bytes: usize) {
        self.state.left.store(bytes, SeqCst);
    }

    /// Breaks all connections and refuses new ones until [`open`](Self::open).
    pub(crate) fn shut(&self) {
        self.state.is_shut.store(true, SeqCst);
        self.state.break_all();
    }

    pub(crate) fn open(&self) {
        self.state.is_shut.store(false, SeqCst);
    }

    /// Keeps open connections open without passing any bytes; later connections work.
    pub(crate) fn fall_silent(&self) {
        for passage in &*self.state.open.lock().unwrap() {
            passage.is_silent.store(true, SeqCst);
        }
    }
}

impl State {
    fn break_all(&self) {
        for passage in self.open.lock().unwrap().drain(..) {
            for end in passage.ends {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }
}

fn pass(state: &Arc<State>, client: TcpStream) {
    let Ok(hub) = TcpStream::connect(state.hub) else { return };
    if state.is_shut.load(SeqCst) {
        return;
    }
    let is_silent = Arc::new(AtomicBool::new(false));
    let ends = || [client.try_clone().unwrap(), hub.try_clone().unwrap()];
    let ([from, to], [back_to, back_from]) = (ends(), ends());
    for (from, to, counts) in [(from, to, false), (back_from, back_to, true)] {
        let (state, is_silent) = (Arc::clone(state), Arc::clone(&is_silent));
        thread::spawn(move || relay(&state, &is_silent, from, to, counts));
    }
    state.open.lock().unwrap().push(Passage { ends: [client, hub], is_silent });
}

fn relay(state: &State, is_silent: &AtomicBool, mut from: TcpStream, mut to: TcpStream, counts: bool) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if is_silent.load(SeqCst) {
            continue;
        }
        let left = if counts { state.left.load(SeqCst) } else { usize::MAX };
        let _ = to.write_all(&piece[..read.min(left)]);
        if read >= left {
            state.left.store(usize::MAX, SeqCst);
            state.break_all();
            return;
        }
        if counts && left != usize::MAX {
            state.left.store(left - read, SeqCst);
        }
    }
    // A silent connection does not show that its other end has closed.
    if !is_silent.load(SeqCst) {
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
