//! A file that messages are appended to, one line each. After a crash no line is lost, repeated or incomplete.
//!
//! The file `<inbox>.state` records which lines are about to be written, where, and how long they are. It is on disk
//! before the lines, so that the next run can tell whether they were written completely, partly or not at all.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::REMEMBERED_IDS;

pub(super) struct Inbox {
    path: PathBuf,
    state: State,
    /// Whether the last lines may be incomplete.
    is_dirty: bool,
    _lock: File,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    channel: String,
    /// Ids of messages that are completely written.
    written: VecDeque<u64>,
    /// Ids of the last append: written completely, partly or not at all.
    last: Vec<u64>,
    /// Inode of the file they were appended to.
    inode: u64,
    /// Length of the file before the last append.
    inbox_bytes: u64,
    /// Length of the last append.
    line_bytes: u64,
}

impl Inbox {
    /// Locks the inbox for this process and repairs it.
    pub(super) fn open(path: &Path, channel: &str) -> Result<Self, String> {
        let shown = path.display();
        let failed = |error: io::Error| format!("cannot use the inbox {shown}: {error}");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(format!("the inbox {shown} is not a regular file"));
        }
        let lock = options().open(beside(path, "lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(format!("another listener writes to the inbox {shown}")),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let state = fs::read(beside(path, "state")).ok().and_then(|json| serde_json::from_slice::<State>(&json).ok());
        let state = state.unwrap_or_default();
        let mut inbox = Self { path: path.to_owned(), state, is_dirty: true, _lock: lock };
        inbox.repair().map_err(failed)?;
        if inbox.state.channel != channel {
            inbox.state = State { channel: channel.to_owned(), ..State::default() };
        }
        Ok(inbox)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the message was appended before.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.state.written.contains(&id)
    }

    /// Appends the lines of these messages and returns when they are on disk. After an error none of them is appended.
    pub(super) fn append(&mut self, ids: Vec<u64>, lines: &str) -> io::Result<()> {
        self.repair()?;
        let mut file = self.file()?;
        let found = file.metadata()?;
        (self.state.inode, self.state.inbox_bytes) = (found.ino(), found.len());
        self.state.line_bytes = lines.len() as u64;
        self.state.last = ids;
        self.save_state()?;
        self.is_dirty = true;
        if let Err(error) = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()) {
            // If this fails too, the next append repairs the file first.
            let _ = file.set_len(self.state.inbox_bytes);
            return Err(error);
        }
        self.is_dirty = false;
        self.mark_written();
        Ok(())
    }

    /// Appends a line about the listener. A crash may lose it.
    pub(super) fn append_status(&mut self, line: &str) -> io::Result<()> {
        self.repair()?;
        self.file()?.write_all(line.as_bytes())
    }

    /// Removes incomplete lines of the last append. If the file was replaced meanwhile, the append does not count:
    /// messages are written twice rather than never.
    fn repair(&mut self) -> io::Result<()> {
        if !self.is_dirty {
            return Ok(());
        }
        let file = self.file()?;
        let (begin, end) = (self.state.inbox_bytes, self.state.inbox_bytes + self.state.line_bytes);
        let found = file.metadata()?;
        let is_same = found.ino() == self.state.inode;
        if is_same && found.len() >= end {
            file.sync_data()?;
            self.mark_written();
        } else if is_same && found.len() > begin {
            file.set_len(begin)?;
        }
        self.state.last.clear();
        end_line(file)?;
        self.is_dirty = false;
        Ok(())
    }

    fn mark_written(&mut self) {
        self.state.written.extend(self.state.last.drain(..));
        let excess = self.state.written.len().saturating_sub(REMEMBERED_IDS);
        self.state.written.drain(..excess);
    }

    fn save_state(&self) -> io::Result<()> {
        let (path, new) = (beside(&self.path, "state"), beside(&self.path, "state.new"));
        let mut file = options().truncate(true).open(&new)?;
        file.write_all(&serde_json::to_vec(&self.state)?)?;
        file.sync_data()?;
        fs::rename(&new, &path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Opens the file. It is opened for each append, because its reader may have moved it away.
    fn file(&self) -> io::Result<File> {
        OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&self.path)
    }
}

/// Ends an incomplete line that another program wrote.
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
            self.open_for("c")
        }

        /// Opens the inbox. A process that another test starts at this moment still has the lock of one that was dropped.
        fn open_for(&self, channel: &str) -> Inbox {
            loop {
                match Inbox::open(&self.inbox(), channel) {
                    Err(reason) if reason.starts_with("another listener") => std::thread::yield_now(),
                    opened => return opened.unwrap(),
                }
            }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_partly_written_append_is_removed_by_the_next_start() {
        let folder = Folder::new("cut");
        let (old, new) = ("old\n", "second\nthird\n");
        for cut_bytes in 0..=new.len() {
            let _ = fs::remove_file(folder.inbox());
            let mut inbox = folder.open();
            inbox.append(vec![1], old).unwrap();
            inbox.append(vec![2, 3], new).unwrap();
            drop(inbox);
            let file = OpenOptions::new().write(true).open(folder.inbox()).unwrap();
            file.set_len((old.len() + cut_bytes) as u64).unwrap();
            let inbox = folder.open();
            let is_whole = cut_bytes == new.len();
            assert_eq!(
                (inbox.contains(1), inbox.contains(2), inbox.contains(3)),
                (true, is_whole, is_whole),
                "{cut_bytes}"
            );
            assert_eq!(folder.text(), if is_whole { format!("{old}{new}") } else { old.to_owned() });
        }
    }

    #[test]
    fn one_process_can_use_an_inbox() {
        let folder = Folder::new("lock");
        let inbox = folder.open();
        assert!(Inbox::open(&folder.inbox(), "c").err().unwrap().starts_with("another listener"));
        drop(inbox);
        folder.open();
    }

    #[test]
    fn tolerates_changes_of_the_file_by_others() {
        let folder = Folder::new("others");
        fs::write(folder.inbox(), "a line without an end").unwrap();
        let mut inbox = folder.open();
        inbox.append(vec![1], "one\n").unwrap();
        fs::write(folder.inbox(), "").unwrap();
        inbox.append(vec![2], "two\n").unwrap();
        fs::remove_file(folder.inbox()).unwrap();
        inbox.append(vec![3], "three\n").unwrap();
        assert_eq!(folder.text(), "three\n");
        assert!(inbox.contains(1) && inbox.contains(2) && inbox.contains(3));
        drop(inbox);
        assert!(!folder.open_for("another channel").contains(1));
        assert!(Inbox::open(&folder.0, "c").err().unwrap().ends_with("is not a regular file"));
    }
}
