//! Lines of standard input and output. Each has its own thread, so that a client that does not read delays its own
//! responses only. Both are bounded: a line that is too long is discarded while it is read, and writers wait for the
//! reader.

use std::io::{self, BufRead, BufReader, Write as _};
use std::thread;

use rogerrat_domain::limits::BODY_SEND_BYTES;
use tokio::sync::{mpsc, oneshot};

/// Capacity of the queue of each direction.
const QUEUE_LINES: usize = 16;

/// A line of input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InputLine {
    Complete(Vec<u8>),
    /// Longer than any request body the hub accepts. Its bytes were discarded.
    TooLong,
    /// The input ended before its line break.
    Unterminated(Vec<u8>),
}

/// Returns the lines of standard input until it ends.
pub(super) fn input() -> io::Result<mpsc::Receiver<InputLine>> {
    let (lines, input) = mpsc::channel(QUEUE_LINES);
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

/// The next line without its line break. Empty lines are skipped.
fn next(input: &mut impl BufRead) -> io::Result<Option<InputLine>> {
    let (mut line, mut is_too_long) = (Vec::new(), false);
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            let is_empty = line.trim_ascii().is_empty();
            return Ok(match is_too_long {
                true => Some(InputLine::TooLong),
                false => (!is_empty).then_some(InputLine::Unterminated(line)),
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
            Some(_) if is_too_long => return Ok(Some(InputLine::TooLong)),
            Some(_) if line.trim_ascii().is_empty() => line.clear(),
            Some(_) => return Ok(Some(InputLine::Complete(line))),
        }
    }
}

/// Standard output.
#[derive(Clone)]
pub(super) struct StdoutWriter(mpsc::Sender<(String, oneshot::Sender<()>)>);

/// Standard output is closed.
#[derive(Debug)]
pub(super) struct OutputClosed;

impl StdoutWriter {
    pub(super) fn stdout() -> io::Result<Self> {
        let (lines, mut output) = mpsc::channel::<(String, oneshot::Sender<()>)>(QUEUE_LINES);
        let write = move || {
            while let Some((line, done)) = output.blocking_recv() {
                let mut out = io::stdout().lock();
                if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
                    break;
                }
                // The caller may have been cancelled.
                let _ = done.send(());
            }
        };
        thread::Builder::new().name("output".into()).spawn(write)?;
        Ok(Self(lines))
    }

    /// Writes one line and returns when it was written.
    pub(super) async fn write(&self, json: String) -> Result<(), OutputClosed> {
        let (done, is_done) = oneshot::channel();
        self.0.send((json + "\n", done)).await.map_err(|_| OutputClosed)?;
        is_done.await.map_err(|_| OutputClosed)
    }

    /// Returns when standard output is closed.
    pub(super) async fn closed(&self) {
        self.0.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], buffer_bytes: usize) -> Vec<InputLine> {
        let mut input = BufReader::with_capacity(buffer_bytes, input);
        std::iter::from_fn(|| next(&mut input).unwrap()).collect()
    }

    #[test]
    fn reads_lines_split_at_any_byte() {
        let complete = |text: &str| InputLine::Complete(text.into());
        for bytes in [1, 2, 7, 4096] {
            assert_eq!(
                lines(b"one\n\n \ntwo\r\nthr", bytes),
                [complete("one"), complete("two\r"), InputLine::Unterminated("thr".into())]
            );
            assert_eq!(lines(b"", bytes), []);
            assert_eq!(lines(b"\n\n", bytes), []);
        }
    }

    #[test]
    fn skips_a_line_that_is_too_long() {
        let mut input = vec![b'x'; 3 * BODY_SEND_BYTES];
        input.extend_from_slice(b"\nnext\n");
        assert_eq!(lines(&input, 4096), [InputLine::TooLong, InputLine::Complete("next".into())]);
        assert_eq!(lines(&input[..2 * BODY_SEND_BYTES], 4096), [InputLine::TooLong]);
        let most = vec![b'x'; BODY_SEND_BYTES];
        assert_eq!(lines(&[&most[..], b"\n"].concat(), 4096), [InputLine::Complete(most)]);
    }
}
