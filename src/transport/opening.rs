//! The first bytes of a plain connection, which tell HTTP/2 with prior knowledge from HTTP/1.1 (RFC 9113, 3.4).
//!
//! They are read, not peeked at: a preface that comes in two pieces is still one, and whoever waits here can be timed.

use std::io;

use actix_http::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes that were read before it was known who reads them.
#[derive(Default)]
pub(super) struct Opening {
    bytes: [u8; PREFACE.len()],
    read: usize,
    given: usize,
}

impl Opening {
    /// Reads until the version is certain. May be dropped and called again.
    pub(super) async fn version(&mut self, wire: &mut (impl AsyncRead + Unpin)) -> io::Result<Protocol> {
        loop {
            let said = &self.bytes[..self.read];
            if !PREFACE.starts_with(said) {
                return Ok(Protocol::Http1);
            }
            if said.len() == PREFACE.len() {
                return Ok(Protocol::Http2);
            }
            match wire.read(&mut self.bytes[self.read..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => self.read += more,
            }
        }
    }

    /// Gives what was read to whoever reads now. False when nothing is left to give.
    pub(super) fn give(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let left = &self.bytes[self.given..self.read];
        let now = left.len().min(buf.remaining());
        buf.put_slice(&left[..now]);
        self.given += now;
        now > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of these pieces, and what is left for the dispatcher.
    async fn opened(pieces: &[&[u8]]) -> (io::Result<Protocol>, Vec<u8>) {
        let mut opening = Opening::default();
        let (mut client, mut wire) = tokio::io::duplex(1);
        let pieces = pieces.concat();
        let writing = async move { tokio::io::AsyncWriteExt::write_all(&mut client, &pieces).await };
        let (version, _) = tokio::join!(
            async {
                let version = opening.version(&mut wire).await;
                drop(wire);
                version
            },
            writing
        );
        let (mut left, mut room) = (Vec::new(), [0; 7]);
        loop {
            let mut buf = ReadBuf::new(&mut room);
            if !opening.give(&mut buf) {
                return (version, left);
            }
            left.extend_from_slice(buf.filled());
        }
    }

    #[actix_web::test]
    async fn a_preface_is_known_byte_by_byte_and_nothing_is_lost() {
        let (version, left) = opened(&[PREFACE]).await;
        assert_eq!((version.unwrap(), left.as_slice()), (Protocol::Http2, PREFACE.as_slice()));
    }

    #[actix_web::test]
    async fn whatever_else_is_http_1() {
        for said in ["GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n", "PRI * HTTP/1.1\r\n\r\n", "\u{1}\u{2}"] {
            let (version, left) = opened(&[said.as_bytes()]).await;
            assert_eq!(version.unwrap(), Protocol::Http1, "{said}");
            assert!(!left.is_empty() && said.as_bytes().starts_with(&left), "{said}");
        }
    }

    #[actix_web::test]
    async fn who_goes_before_it_is_certain_is_gone() {
        for said in ["", "P", "PRI * HTTP/2.0"] {
            assert_eq!(opened(&[said.as_bytes()]).await.0.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
