//! A network that fails: passes the bytes of TCP connections on, or keeps them, or closes everything.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a [`TcpProxy`] does with connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Passes everything on.
    #[default]
    Up,
    /// Keeps connections open and accepts new ones, but passes nothing on: a cut cable.
    Silent,
    /// Closes all connections, and new ones at once.
    Closed,
}

/// A proxy for any TCP connection. It stops when the test process ends.
#[derive(Clone, Debug)]
pub struct TcpProxy {
    /// Where clients connect to.
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Mutex<Rules>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Rules {
    target: Option<SocketAddr>,
    link: Link,
    /// The answer to the next request that contains these bytes gets lost.
    swallows_answer_to: Option<Vec<u8>>,
    swallowed: usize,
    /// All open connections.
    open: Vec<TcpStream>,
}

impl TcpProxy {
    /// Starts a proxy. Connections wait until they are [passed to](Self::pass_to) a target.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (state, client) = (shared.clone(), client.unwrap());
                thread::spawn(move || state.relay(client));
            }
        });
        Self { address, state }
    }

    /// Connects to this target from now on.
    pub fn pass_to(&self, target: SocketAddr) -> &Self {
        self.state.change(|rules| rules.target = Some(target));
        self
    }

    /// From now on the network is like this.
    pub fn set(&self, link: Link) {
        self.state.change(|rules| {
            rules.link = link;
            if link == Link::Closed {
                for stream in rules.open.drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        });
    }

    /// Passes the next request on that contains these bytes, drops the answer, and closes that connection.
    pub fn swallow_answer_to(&self, request: &[u8]) {
        self.state.change(|rules| rules.swallows_answer_to = Some(request.to_vec()));
    }

    /// How many answers got lost so far.
    pub fn swallowed(&self) -> usize {
        self.state.rules().swallowed
    }
}

impl State {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.rules());
        self.changed.notify_all();
    }

    /// Waits until bytes pass; false if connections are closed.
    fn passes(&self) -> bool {
        let rules = self.changed.wait_while(self.rules(), |rules| rules.link == Link::Silent);
        rules.unwrap_or_else(PoisonError::into_inner).link == Link::Up
    }

    fn relay(self: &Arc<Self>, client: TcpStream) {
        let _ = self.try_relay(client);
    }

    fn try_relay(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        self.open(&client)?;
        let waiting = self.changed.wait_while(self.rules(), |rules| {
            rules.link != Link::Closed && (rules.target.is_none() || rules.link == Link::Silent)
        });
        let target = waiting.unwrap_or_else(PoisonError::into_inner).target;
        let server = TcpStream::connect(target.ok_or(io::ErrorKind::NotConnected)?);
        let Ok(server) = server else { return client.shutdown(Shutdown::Both) };
        self.open(&server)?;
        let is_swallowed = Arc::<Mutex<bool>>::default();
        let (state, swallows) = (self.clone(), is_swallowed.clone());
        let (from, to) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || state.pass(from, to, |state, piece| state.notes(piece, &swallows)));
        self.pass(server, client, |_, _| !*is_swallowed.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Remembers a connection, or fails if the network is closed.
    fn open(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut rules = self.rules();
        if rules.link == Link::Closed {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        rules.open.push(stream.try_clone()?);
        Ok(())
    }

    /// Passes pieces on, as long as `check` permits it.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, check: impl Fn(&Self, &[u8]) -> bool) {
        let mut piece = [0; 16 * 1024];
        while let Ok(bytes @ 1..) = from.read(&mut piece) {
            if !self.passes() || !check(self, &piece[..bytes]) || to.write_all(&piece[..bytes]).is_err() {
                break;
            }
        }
        for stream in [from, to] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Looks for a request whose answer gets lost. Always passes it on.
    fn notes(&self, piece: &[u8], is_swallowed: &Mutex<bool>) -> bool {
        let mut rules = self.rules();
        let found = |bytes: &Vec<u8>| piece.windows(bytes.len()).any(|window| window == bytes);
        if rules.swallows_answer_to.take_if(|bytes| found(bytes)).is_some() {
            *is_swallowed.lock().unwrap_or_else(PoisonError::into_inner) = true;
            rules.swallowed += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                thread::spawn(move || io::copy(&mut client.try_clone().unwrap(), &mut client));
            }
        });
        address
    }

    fn exchange(stream: &mut TcpStream, text: &str) -> Option<String> {
        stream.write_all(text.as_bytes()).ok()?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).ok()?;
        String::from_utf8(answer).ok()
    }

    #[test]
    fn a_network_passes_holds_loses_and_closes() {
        let proxy = TcpProxy::start();
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        proxy.pass_to(echo());
        assert_eq!(exchange(&mut stream, "one").as_deref(), Some("one"));
        proxy.set(Link::Silent);
        let held = thread::spawn(move || (exchange(&mut stream, "two"), stream));
        proxy.set(Link::Up);
        let (answer, mut stream) = held.join().unwrap();
        assert_eq!(answer.as_deref(), Some("two"));
        proxy.swallow_answer_to(b"thr");
        assert_eq!((exchange(&mut stream, "three"), proxy.swallowed()), (None, 1));
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        assert_eq!(exchange(&mut stream, "three").as_deref(), Some("three"));
        proxy.set(Link::Closed);
        assert_eq!(exchange(&mut stream, "four"), None);
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        assert_eq!(exchange(&mut stream, "four"), None);
        proxy.set(Link::Up);
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        assert_eq!(exchange(&mut stream, "four").as_deref(), Some("four"));
    }
}
