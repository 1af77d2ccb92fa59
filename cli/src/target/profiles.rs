//! `profiles.toml`: channels and sessions that are saved from one command to the next.
//!
//! It contains secrets, so only its owner may read it. It is replaced atomically and under a lock: concurrent writers
//! do not overwrite each other's changes, and a reader never sees an incomplete file.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;
const MAX_NAME_BYTES: usize = 80;

/// A saved channel and the member's session on it.
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
    /// Whether the session belongs to an identity. Then joining again needs its key, which is not saved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_identity: bool,
    /// The identity's key. Only remote control saves it, because its identity is for that channel alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity_key: Option<String>,
    /// The session token and the recovery token of the account that was created with a remote control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) account_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recovery_token: Option<String>,
    /// Fields of later versions. They are preserved.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, toml::Value>,
}

/// The contents of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// The profile that is used if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    #[serde(default, rename = "profiles")]
    pub(crate) by_name: BTreeMap<String, Profile>,
}

/// The file of profiles.
#[derive(Clone, Debug)]
pub(crate) struct ProfileStore(PathBuf);

impl ProfileStore {
    /// The file of this user. `None` if there is no home directory.
    pub(crate) fn of_user() -> Option<Self> {
        let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(Self(config.join("rogerrat").join("profiles.toml")))
    }

    /// Reads the file. A missing file has no profiles.
    pub(crate) fn read(&self) -> Result<Profiles, String> {
        let shown = self.0.display();
        let failed = |error: io::Error| format!("cannot read the profiles in {shown}: {error}");
        let file = match File::open(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Profiles::default()),
            file => file.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.permissions().mode() & OTHERS != 0 {
            return Err(format!("others can read the secrets in {shown}; run `chmod 600` on it"));
        }
        let text = io::read_to_string(file).map_err(failed)?;
        // Only the message: the full error quotes a line of the file, which may contain secrets.
        toml::from_str(&text).map_err(|error| format!("{shown} is invalid: {}", error.message()))
    }

    /// Reads the file, changes it and writes it, under a lock.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Profiles) -> T) -> Result<T, String> {
        let shown = self.0.display();
        let failed = |error: io::Error| {
            format!("cannot write the profiles in {shown}: {error}; set XDG_CONFIG_HOME to a folder you can write to")
        };
        let folder = self.0.parent().unwrap_or(Path::new("/"));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = options().open(folder.join("profiles.lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut profiles = self.read()?;
        let changed = change(&mut profiles);
        let text = toml::to_string(&profiles).map_err(|error| failed(io::Error::other(error)))?;
        self.replace(folder, &text).map_err(failed)?;
        Ok(changed)
    }

    fn replace(&self, folder: &Path, text: &str) -> io::Result<()> {
        // Follows a symbolic link to the file.
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
        let (name, profile) = self.by_name.get_key_value(name.or(self.default.as_deref())?)?;
        Some((name, profile))
    }

    /// A profile of this channel, preferably the default one.
    pub(crate) fn of_channel(&self, origin: Option<&str>, channel: &str) -> Option<(&str, &Profile)> {
        let fits =
            |profile: &Profile| profile.channel == channel && origin.is_none_or(|origin| profile.origin == origin);
        let default = self.get(None).filter(|(_, profile)| fits(profile));
        default.or_else(|| {
            let found = self.by_name.iter().find(|(_, profile)| fits(profile))?;
            Some((found.0, found.1))
        })
    }
}

/// Checks the name of a profile.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(is_valid) {
        true => Ok(()),
        false => Err(format!("the name of a profile has at most {MAX_NAME_BYTES} letters, digits, `-`, `_` and `.`")),
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

        fn store(&self) -> ProfileStore {
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
    fn concurrent_writers_keep_each_others_profiles() {
        let folder = Folder::new("writers");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let store = folder.store();
                scope.spawn(move || {
                    for no in 0..10 {
                        let add =
                            |profiles: &mut Profiles| profiles.by_name.insert(format!("{writer}-{no}"), profile("c"));
                        store.change(add).unwrap();
                    }
                });
            }
        });
        assert_eq!(folder.store().read().unwrap().by_name.len(), 40);
        assert_eq!((mode(&folder.store().0), mode(&folder.0.join("a"))), (0o600, 0o700));
    }

    #[test]
    fn rejects_a_readable_file_and_hides_secrets_in_errors() {
        let folder = Folder::new("others");
        let store = folder.store();
        store.change(|profiles| profiles.default = Some("x".into())).unwrap();
        fs::set_permissions(&store.0, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(store.read().unwrap_err().starts_with("others can read"));
        assert!(store.change(|_| ()).unwrap_err().starts_with("others can read"));
        fs::set_permissions(&store.0, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&store.0, "token = s3cret\n").unwrap();
        let error = store.read().unwrap_err();
        assert!(error.contains("is invalid") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn preserves_fields_of_later_versions() {
        let folder = Folder::new("later");
        let store = folder.store();
        store.change(|_| ()).unwrap();
        fs::write(&store.0, "[profiles.a]\norigin = \"http://h\"\nchannel = \"c\"\nmood = \"good\"\n").unwrap();
        store.change(|profiles| profiles.default = Some("a".into())).unwrap();
        let text = fs::read_to_string(&store.0).unwrap();
        assert!(text.contains("mood = \"good\"") && text.contains("default = \"a\""), "{text}");
    }

    #[test]
    fn finds_a_profile_of_a_channel_the_default_first() {
        let mut profiles = Profiles::default();
        for name in ["a", "b"] {
            profiles.by_name.insert(name.into(), profile("c"));
        }
        assert_eq!(profiles.of_channel(None, "c").unwrap().0, "a");
        profiles.default = Some("b".into());
        assert_eq!(profiles.of_channel(Some("http://h"), "c").unwrap().0, "b");
        assert!(profiles.of_channel(Some("http://other"), "c").is_none() && profiles.of_channel(None, "d").is_none());
        assert!(check_name("a b").is_err() && check_name("").is_err() && check_name("quiet-lab_1.x").is_ok());
    }
}
