//! `profiles.toml`: where we are and as whom, remembered from one command to the next.
//!
//! It holds secrets: only its owner may read it. It is replaced as a whole, under a lock, so that two writers lose nothing
//! of each other and a reader never sees half.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const OTHERS: u32 = 0o077;
const LONGEST_NAME: usize = 80;

/// A place on a channel.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) callsign: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner_password: Option<String>,
    /// Its callsign is an identity's: without the key nobody joins there again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_identity: bool,
    /// What a later version has put here.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, toml::Value>,
}

/// All profiles.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// The one that counts if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// Where they are kept.
#[derive(Clone, Debug)]
pub(crate) struct ProfileStore(PathBuf);

impl ProfileStore {
    /// That of this user; none without a home.
    pub(crate) fn here() -> Option<Self> {
        let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(Self(config.join("rogerrat").join("profiles.toml")))
    }

    /// All there is; nothing if there is no file yet.
    pub(crate) fn read(&self) -> Result<Profiles, String> {
        let shown = self.0.display();
        let failed = |error: io::Error| format!("the profiles in {shown} cannot be read: {error}");
        let file = match File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Profiles::default()),
            file => file.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.permissions().mode() & OTHERS != 0 {
            return Err(format!("others can read the secrets in {shown}; say `chmod 600` to it"));
        }
        let text = io::read_to_string(file).map_err(failed)?;
        // The message alone: the rest shows a line of the file, and there are secrets on it.
        toml::from_str(&text).map_err(|error| format!("{shown} is not as it should be: {}", error.message()))
    }

    /// Reads, changes and writes; nobody else writes meanwhile.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Profiles) -> T) -> Result<T, String> {
        let shown = self.0.display();
        let failed = |error: io::Error| format!("the profiles in {shown} cannot be written: {error}");
        let folder = self.0.parent().unwrap_or(Path::new("/"));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = options().open(folder.join("profiles.lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut book = self.read()?;
        let changed = change(&mut book);
        let text = toml::to_string(&book).map_err(|error| failed(io::Error::other(error)))?;
        self.replace(folder, &text).map_err(failed)?;
        Ok(changed)
    }

    fn replace(&self, folder: &Path, text: &str) -> io::Result<()> {
        // Who keeps the file elsewhere, and a link here, finds it there.
        let path = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        let new = path.with_extension("new");
        let mut file = options().truncate(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(folder)?.sync_all()
    }
}

impl Profiles {
    /// The profile of this name, or the default one.
    pub(crate) fn get(&self, name: Option<&str>) -> Option<(&str, &Profile)> {
        let (name, profile) = self.profiles.get_key_value(name.or(self.default.as_deref())?)?;
        Some((name, profile))
    }

    /// Those of a channel, the default one first.
    pub(crate) fn of_channel(&self, origin: Option<&str>, channel: &str) -> Option<(&str, &Profile)> {
        let fits = |profile: &Profile| profile.channel == channel && origin.is_none_or(|said| profile.origin == said);
        let default = self.get(None).filter(|(_, profile)| fits(profile));
        default.or_else(|| {
            let found = self.profiles.iter().find(|(_, profile)| fits(profile))?;
            Some((found.0, found.1))
        })
    }
}

/// A name that can be typed, and stands on a line.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_good) {
        true => Ok(()),
        false => Err(format!("a profile's name has letters, digits, `-`, `_` and `.`, {LONGEST_NAME} at most")),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(env::temp_dir().join(format!("rogerrat-profiles-{}-{name}", std::process::id())))
        }

        fn shelf(&self) -> ProfileStore {
            ProfileStore(self.0.join("a").join("profiles.toml"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn profile(channel: &str) -> Profile {
        Profile { origin: "http://h".into(), channel: channel.into(), ..Profile::default() }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn writers_do_not_lose_each_others_profiles() {
        let folder = Folder::new("writers");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let shelf = folder.shelf();
                scope.spawn(move || {
                    for no in 0..10 {
                        let add = |book: &mut Profiles| book.profiles.insert(format!("{writer}-{no}"), profile("c"));
                        shelf.change(add).unwrap();
                    }
                });
            }
        });
        assert_eq!(folder.shelf().read().unwrap().profiles.len(), 40);
        assert_eq!((mode(&folder.shelf().0), mode(&folder.0.join("a"))), (0o600, 0o700));
    }

    #[test]
    fn what_others_can_read_is_refused_and_a_fault_shows_no_secret() {
        let folder = Folder::new("others");
        let shelf = folder.shelf();
        shelf.change(|book| book.default = Some("x".into())).unwrap();
        fs::set_permissions(&shelf.0, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(shelf.read().unwrap_err().starts_with("others can read"));
        assert!(shelf.change(|_| ()).unwrap_err().starts_with("others can read"));
        fs::set_permissions(&shelf.0, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&shelf.0, "token = s3cret\n").unwrap();
        let fault = shelf.read().unwrap_err();
        assert!(fault.contains("is not as it should be") && !fault.contains("s3cret"), "{fault}");
    }

    #[test]
    fn what_a_later_version_wrote_is_kept() {
        let folder = Folder::new("later");
        let shelf = folder.shelf();
        shelf.change(|_| ()).unwrap();
        fs::write(&shelf.0, "[profiles.a]\norigin = \"http://h\"\nchannel = \"c\"\nmood = \"good\"\n").unwrap();
        shelf.change(|book| book.default = Some("a".into())).unwrap();
        let text = fs::read_to_string(&shelf.0).unwrap();
        assert!(text.contains("mood = \"good\"") && text.contains("default = \"a\""), "{text}");
    }

    #[test]
    fn a_channel_is_found_by_its_name_the_default_first() {
        let mut book = Profiles::default();
        for name in ["a", "b"] {
            book.profiles.insert(name.into(), profile("c"));
        }
        assert_eq!(book.of_channel(None, "c").unwrap().0, "a");
        book.default = Some("b".into());
        assert_eq!(book.of_channel(Some("http://h"), "c").unwrap().0, "b");
        assert!(book.of_channel(Some("http://other"), "c").is_none() && book.of_channel(None, "d").is_none());
        assert!(check_name("a b").is_err() && check_name("").is_err() && check_name("quiet-lab_1.x").is_ok());
    }
}
