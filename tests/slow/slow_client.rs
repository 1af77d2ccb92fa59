//! A client that sends and receives a byte at a time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use rogerrat_testkit::{HttpTarget, TIMEOUT};

/// A connection with its request and the part of the response received so far.
pub(crate) struct SlowClient {
    stream: TcpStream,
    request: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    closed: bool,
}

impl SlowClient {
    /// Connects and sends the first `at_once` bytes of the request.
    pub(crate) fn new(target: HttpTarget, request: Vec<u8>, at_once: usize) -> Self {
        let mut stream = TcpStream::connect_timeout(&target.0, TIMEOUT).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&request[..at_once]).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, request, sent: at_once, received: Vec::new(), closed: false }
    }

    /// Sends one more byte, or receives one when the request is complete. Returns false when nothing is left to do.
    pub(crate) fn step(&mut self) -> bool {
        if self.closed {
            return false;
        }
        let Some(byte) = self.request.get(self.sent) else { return self.receive(1) };
        match self.stream.write(std::slice::from_ref(byte)) {
            Ok(written) => self.sent += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The hub has closed the connection; what it sent before can still be received.
            Err(_) => self.sent = self.request.len(),
        }
        true
    }

    fn receive(&mut self, bytes: usize) -> bool {
        let mut chunk = vec![0; bytes];
        match self.stream.read(&mut chunk) {
            Ok(n) if n > 0 => self.received.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => self.closed = true,
        }
        !self.closed
    }

    /// Sends the rest at full speed and reads until the response is complete or the hub closes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.stream.set_nonblocking(false).unwrap();
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let rest = self.request.split_off(self.sent);
        let _ = self.stream.write_all(&rest);
        while !self.is_complete() && self.receive(64 * 1024) {}
        self.received
    }

    /// Sends nothing more and reads until the hub closes the connection.
    pub(crate) fn read_to_end(mut self) -> Vec<u8> {
        self.stream.set_nonblocking(false).unwrap();
        self.stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        while self.receive(1024) {}
        self.received
    }

    fn is_complete(&self) -> bool {
        let Some(end) = self.received.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
        let head = String::from_utf8_lossy(&self.received[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        length.is_some_and(|length| self.received.len() >= end + 4 + length)
    }
}

/// The status of a response; none when the hub closed without one.
pub(crate) fn status(response: &[u8]) -> Option<u16> {
    let head = String::from_utf8_lossy(response);
    head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
