//! A file to which messages are appended, one line each. No crash loses, doubles or tears a line.
//!
//! Beside it lies `<inbox>.state`: what is about to be written, where, and how long it is. It is on disk before the lines
//! are, so that the next run knows whether they are there whole, partly or not at all.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Ids remembered as written; more are never unacknowledged.
const REMEMBERED: usize = 256;

pub(super) struct Inbox {
    path: PathBuf,
    state: State,
    /// The last lines may be there in part.
    is_torn: bool,
    _lock: File,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    channel: String,
    /// Written whole, and for sure.
    written: VecDeque<u64>,
    /// Written last: whole, partly or not at all.
    last: Vec<u64>,
    /// Which file they are in.
    inode: u64,
    /// Where the last lines begin.
    inbox_bytes: u64,
    /// How long they are.
    line_bytes: u64,
}

impl Inbox {
    /// Takes the inbox for this process and brings it in order.
    pub(super) fn open(path: &Path, channel: &str) -> Result<Self, String> {
        let shown = path.display();
        let failed = |error: io::Error| format!("the inbox {shown} cannot be used: {error}");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(format!("the inbox {shown} is not a file"));
        }
        let lock = options().open(beside(path, "lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(format!("another listener writes to the inbox {shown}")),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let state = fs::read(beside(path, "state")).ok().and_then(|json| serde_json::from_slice::<State>(&json).ok());
        let state = state.unwrap_or_default();
        let mut inbox = Self { path: path.to_owned(), state, is_torn: true, _lock: lock };
        inbox.mend().map_err(failed)?;
        if inbox.state.channel != channel {
            inbox.state = State { channel: channel.to_owned(), ..State::default() };
        }
        Ok(inbox)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn has(&self, id: u64) -> bool {
        self.state.written.contains(&id)
    }

    /// Appends the lines of these messages and comes back when they are on disk. After an error none of them counts.
    pub(super) fn append(&mut self, ids: Vec<u64>, lines: &str) -> io::Result<()> {
        self.mend()?;
        let mut file = self.file()?;
        let found = file.metadata()?;
        (self.state.inode, self.state.inbox_bytes) = (found.ino(), found.len());
        self.state.line_bytes = lines.len() as u64;
        self.state.last = ids;
        self.keep()?;
        self.is_torn = true;
        if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
            // If this fails too, the lines are looked at again before the next ones.
            let _ = file.set_len(self.state.inbox_bytes);
            return Err(error);
        }
        self.is_torn = false;
        self.settle();
        Ok(())
    }

    /// Appends a line that may be lost.
    pub(super) fn note(&mut self, line: &str) -> io::Result<()> {
        self.mend()?;
        self.file()?.write_all(line.as_bytes())
    }

    /// Cuts lines that are there in part. Where the file is another one by now, they do not count: rather twice than never.
    fn mend(&mut self) -> io::Result<()> {
        if !self.is_torn {
            return Ok(());
        }
        let file = self.file()?;
        let (begin, end) = (self.state.inbox_bytes, self.state.inbox_bytes + self.state.line_bytes);
        let found = file.metadata()?;
        let is_same = found.ino() == self.state.inode;
        if is_same && found.len() >= end {
            file.sync_data()?;
            self.settle();
        } else if is_same && found.len() > begin {
            file.set_len(begin)?;
        }
        self.state.last.clear();
        end_line(file)?;
        self.is_torn = false;
        Ok(())
    }

    fn settle(&mut self) {
        self.state.written.extend(self.state.last.drain(..));
        let too_many = self.state.written.len().saturating_sub(REMEMBERED);
        self.state.written.drain(..too_many);
    }

    fn keep(&self) -> io::Result<()> {
        let (path, new) = (beside(&self.path, "state"), beside(&self.path, "state.new"));
        let mut file = options().truncate(true).open(&new)?;
        file.write_all(&serde_json::to_vec(&self.state)?)?;
        file.sync_data()?;
        fs::rename(&new, &path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Opened anew each time: somebody may have moved the old one away.
    fn file(&self) -> io::Result<File> {
        OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&self.path)
    }
}

/// Ends a line that somebody began and did not end.
fn end_line(mut file: File) -> io::Result<()> {
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    match last {
        [b'\n'] => Ok(()),
        _ => file.write_all(b"\n"),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    options
}

/// `<inbox>.<what>`
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rogerrat-inbox-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn inbox(&self) -> PathBuf {
            self.0.join("in box.log")
        }

        fn text(&self) -> String {
            fs::read_to_string(self.inbox()).unwrap()
        }

        fn open(&self) -> Inbox {
            Inbox::open(&self.inbox(), "c").unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn lines_cut_anywhere_are_whole_or_gone_after_the_next_start() {
        let folder = Folder::new("cut");
        let (old, new) = ("old\n", "second\nthird\n");
        for kept_bytes in 0..=new.len() {
            let _ = fs::remove_file(folder.inbox());
            let mut inbox = folder.open();
            inbox.append(vec![1], old).unwrap();
            inbox.append(vec![2, 3], new).unwrap();
            drop(inbox);
            let file = OpenOptions::new().write(true).open(folder.inbox()).unwrap();
            file.set_len((old.len() + kept_bytes) as u64).unwrap();
            let inbox = folder.open();
            let is_whole = kept_bytes == new.len();
            assert_eq!((inbox.has(1), inbox.has(2), inbox.has(3)), (true, is_whole, is_whole), "{kept_bytes}");
            assert_eq!(folder.text(), if is_whole { format!("{old}{new}") } else { old.to_owned() });
        }
    }

    #[test]
    fn one_listener_has_it_at_a_time() {
        let folder = Folder::new("lock");
        let inbox = folder.open();
        assert!(Inbox::open(&folder.inbox(), "c").err().unwrap().starts_with("another listener"));
        drop(inbox);
        folder.open();
    }

    #[test]
    fn what_others_do_to_the_file_is_borne() {
        let folder = Folder::new("others");
        fs::write(folder.inbox(), "somebody's, without an end").unwrap();
        let mut inbox = folder.open();
        inbox.append(vec![1], "one\n").unwrap();
        fs::write(folder.inbox(), "").unwrap();
        inbox.append(vec![2], "two\n").unwrap();
        fs::remove_file(folder.inbox()).unwrap();
        inbox.append(vec![3], "three\n").unwrap();
        assert_eq!(folder.text(), "three\n");
        assert!(inbox.has(1) && inbox.has(2) && inbox.has(3));
        drop(inbox);
        assert!(!Inbox::open(&folder.inbox(), "another channel").unwrap().has(1));
        assert!(Inbox::open(&folder.0, "c").err().unwrap().ends_with("is not a file"));
    }
}
