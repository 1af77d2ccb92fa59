//! Lines in and out. Each has a thread of its own, so that a client that does not read stops nothing but its own answers,
//! and both are bounded: a line that is too long is never held, and answers wait for whoever reads them.

use std::io::{self, BufRead, BufReader, Write as _};
use std::thread;

use rogerrat_domain::limits::BODY_SEND_BYTES;
use tokio::sync::{mpsc, oneshot};

/// Lines on their way, in each direction.
const QUEUE: usize = 16;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    /// Longer than any body the hub takes; it was passed over.
    TooLong,
    /// The input ended in the middle of it.
    Half(Vec<u8>),
}

/// The lines of standard input, until it ends.
pub(super) fn input() -> io::Result<mpsc::Receiver<Line>> {
    let (lines, input) = mpsc::channel(QUEUE);
    let read = move || {
        let mut stdin = BufReader::new(io::stdin().lock());
        while let Ok(Some(line)) = next(&mut stdin) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("input".into()).spawn(read)?;
    Ok(input)
}

/// The next line without its end; empty ones are none.
fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let (mut line, mut is_too_long) = (Vec::new(), false);
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            let is_nothing = line.trim_ascii().is_empty();
            return Ok(match is_too_long {
                true => Some(Line::TooLong),
                false => (!is_nothing).then_some(Line::Half(line)),
            });
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(piece.len());
        is_too_long |= line.len() + taken > BODY_SEND_BYTES;
        if is_too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(&piece[..taken]);
        }
        input.consume(taken + usize::from(end.is_some()));
        match end {
            None => {}
            Some(_) if is_too_long => return Ok(Some(Line::TooLong)),
            Some(_) if line.trim_ascii().is_empty() => line.clear(),
            Some(_) => return Ok(Some(Line::Whole(line))),
        }
    }
}

/// Standard output.
#[derive(Clone)]
pub(super) struct Out(mpsc::Sender<(String, oneshot::Sender<()>)>);

/// Nobody reads any more.
#[derive(Debug)]
pub(super) struct Closed;

impl Out {
    pub(super) fn stdout() -> io::Result<Self> {
        let (lines, mut output) = mpsc::channel::<(String, oneshot::Sender<()>)>(QUEUE);
        let write = move || {
            while let Some((line, done)) = output.blocking_recv() {
                let mut out = io::stdout().lock();
                if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
                    break;
                }
                // Who asked may have gone.
                let _ = done.send(());
            }
        };
        thread::Builder::new().name("output".into()).spawn(write)?;
        Ok(Self(lines))
    }

    /// Writes one line, and comes back when it was written out.
    pub(super) async fn say(&self, json: String) -> Result<(), Closed> {
        let (done, is_done) = oneshot::channel();
        self.0.send((json + "\n", done)).await.map_err(|_| Closed)?;
        is_done.await.map_err(|_| Closed)
    }

    /// Comes back when nobody reads any more.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], buffer_bytes: usize) -> Vec<Line> {
        let mut input = BufReader::with_capacity(buffer_bytes, input);
        std::iter::from_fn(|| next(&mut input).unwrap()).collect()
    }

    #[test]
    fn lines_may_come_in_any_pieces() {
        let whole = |text: &str| Line::Whole(text.into());
        for bytes in [1, 2, 7, 4096] {
            assert_eq!(lines(b"one\n\n \ntwo\r\nthr", bytes), [whole("one"), whole("two\r"), Line::Half("thr".into())]);
            assert_eq!(lines(b"", bytes), []);
            assert_eq!(lines(b"\n\n", bytes), []);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_is_read() {
        let mut input = vec![b'x'; 3 * BODY_SEND_BYTES];
        input.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&input, 4096), [Line::TooLong, Line::Whole("next".into())]);
        assert_eq!(lines(&input[..2 * BODY_SEND_BYTES], 4096), [Line::TooLong]);
        let most = vec![b'x'; BODY_SEND_BYTES];
        assert_eq!(lines(&[&most[..], b"\n"].concat(), 4096), [Line::Whole(most)]);
    }
}
