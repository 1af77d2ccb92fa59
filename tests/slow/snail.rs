//! A client that moves a byte at a time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use rogerrat_testkit::{HttpTarget, TIMEOUT};

/// A connection, what it has yet to say, and what it has heard.
pub(crate) struct Snail {
    stream: TcpStream,
    unsaid: Vec<u8>,
    said: usize,
    heard: Vec<u8>,
    closed: bool,
}

impl Snail {
    /// Says the first `quick` bytes at once and keeps the rest for later.
    pub(crate) fn new(target: HttpTarget, bytes: Vec<u8>, quick: usize) -> Self {
        let mut stream = TcpStream::connect_timeout(&target.0, TIMEOUT).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&bytes[..quick]).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, unsaid: bytes, said: quick, heard: Vec::new(), closed: false }
    }

    /// Says one byte more, or hears one when all is said. False when there is nothing left to do.
    pub(crate) fn creep(&mut self) -> bool {
        if self.closed {
            return false;
        }
        let Some(byte) = self.unsaid.get(self.said) else { return self.hear(1) };
        match self.stream.write(std::slice::from_ref(byte)) {
            Ok(written) => self.said += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The hub has closed: what it said before is still to be heard.
            Err(_) => self.said = self.unsaid.len(),
        }
        true
    }

    fn hear(&mut self, bytes: usize) -> bool {
        let mut chunk = vec![0; bytes];
        match self.stream.read(&mut chunk) {
            Ok(n) if n > 0 => self.heard.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => self.closed = true,
        }
        !self.closed
    }

    /// Stops being slow, and reads until the hub closes or has answered with this many bytes of body.
    pub(crate) fn hurry(mut self) -> Vec<u8> {
        self.stream.set_nonblocking(false).unwrap();
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let rest = self.unsaid.split_off(self.said);
        let _ = self.stream.write_all(&rest);
        while !self.is_answered() && self.hear(64 * 1024) {}
        self.heard
    }

    /// Waits, saying nothing more, until the hub closes; gives what it said before.
    pub(crate) fn wait_for_the_end(mut self) -> Vec<u8> {
        self.stream.set_nonblocking(false).unwrap();
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        while self.hear(1024) {}
        self.heard
    }

    fn is_answered(&self) -> bool {
        let Some(end) = self.heard.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
        let head = String::from_utf8_lossy(&self.heard[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        length.is_some_and(|length| self.heard.len() >= end + 4 + length)
    }
}

/// The status of an answer; none when the hub closed without one.
pub(crate) fn status(heard: &[u8]) -> Option<u16> {
    let head = String::from_utf8_lossy(heard);
    head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
