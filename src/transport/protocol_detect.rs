//! Detects HTTP/2 with prior knowledge on a plain connection by its preface (RFC 9113, section 3.4).
//!
//! The bytes are read, not peeked at, so that a preface split over several segments is recognized. The dispatcher that
//! takes over the connection reads the consumed bytes again from here.

use std::io;

use actix_http::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the first bytes of a connection and replays them afterwards.
#[derive(Default)]
pub(super) struct ProtocolDetector {
    bytes: [u8; PREFACE.len()],
    /// How many bytes were read from the connection.
    read: usize,
    /// How many of them were replayed.
    replayed: usize,
}

impl ProtocolDetector {
    /// Reads until the protocol is certain. Cancel safe: may be dropped and called again.
    pub(super) async fn detect(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Protocol> {
        loop {
            let received = &self.bytes[..self.read];
            if !PREFACE.starts_with(received) {
                return Ok(Protocol::Http1);
            }
            if received.len() == PREFACE.len() {
                return Ok(Protocol::Http2);
            }
            match stream.read(&mut self.bytes[self.read..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => self.read += more,
            }
        }
    }

    /// Copies bytes that were read during detection into `buf`. Returns false when there are none left.
    pub(super) fn replay(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let left = &self.bytes[self.replayed..self.read];
        let now = left.len().min(buf.remaining());
        buf.put_slice(&left[..now]);
        self.replayed += now;
        now > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes one at a time. Returns the detected protocol and what is replayed afterwards.
    async fn detect(bytes: &[u8]) -> (io::Result<Protocol>, Vec<u8>) {
        let mut detector = ProtocolDetector::default();
        let (mut client, mut server) = tokio::io::duplex(1);
        let bytes = bytes.to_vec();
        let writing = async move { tokio::io::AsyncWriteExt::write_all(&mut client, &bytes).await };
        let (protocol, _) = tokio::join!(
            async {
                let protocol = detector.detect(&mut server).await;
                drop(server);
                protocol
            },
            writing
        );
        let (mut replayed, mut storage) = (Vec::new(), [0; 7]);
        loop {
            let mut buf = ReadBuf::new(&mut storage);
            if !detector.replay(&mut buf) {
                return (protocol, replayed);
            }
            replayed.extend_from_slice(buf.filled());
        }
    }

    #[actix_web::test]
    async fn a_preface_is_detected_byte_by_byte_and_replayed_completely() {
        let (protocol, replayed) = detect(PREFACE).await;
        assert_eq!((protocol.unwrap(), replayed.as_slice()), (Protocol::Http2, PREFACE.as_slice()));
    }

    #[actix_web::test]
    async fn any_other_start_is_http_1() {
        for start in ["GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\n", "PRI * HTTP/1.1\r\n\r\n", "\u{1}\u{2}"] {
            let (protocol, replayed) = detect(start.as_bytes()).await;
            assert_eq!(protocol.unwrap(), Protocol::Http1, "{start}");
            assert!(!replayed.is_empty() && start.as_bytes().starts_with(&replayed), "{start}");
        }
    }

    #[actix_web::test]
    async fn a_connection_that_closes_during_detection_is_an_error() {
        for start in ["", "P", "PRI * HTTP/2.0"] {
            assert_eq!(detect(start.as_bytes()).await.0.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
