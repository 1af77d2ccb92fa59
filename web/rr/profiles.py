# ---- Profiles: hub, channel, token and session, in a file that only its owner can read ----

def folder():
    config = os.environ.get("XDG_CONFIG_HOME", "")
    home = os.environ.get("HOME", "")
    if not os.path.isabs(config):
        config = os.path.join(home, ".config") if os.path.isabs(home) else ""
    if not config:
        raise usage("cannot save secrets: HOME is not set")
    return os.path.join(config, "rogerrat")


def open_private(path, flags=os.O_RDWR | os.O_CREAT):
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def sync_folder(path):
    fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace(path, text):
    """Writes a file so that a crash leaves the old one or the new one."""
    new = path + ".new"
    with open(open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, path)
    sync_folder(path)


def read_profiles():
    path = os.path.join(folder(), "rr.json")
    try:
        with open(path) as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise usage("others can read the secrets in %s; run `chmod 600` on it" % path)
            profiles = json.load(file)
        if not all(isinstance(profiles[key], dict) for key in ("default", "profiles")):
            raise ValueError
        return profiles
    except FileNotFoundError:
        return {"default": {}, "profiles": {}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise usage("cannot read the profiles in %s: %s" % (path, type(error).__name__))


def change_profiles(change):
    path = folder()
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        os.chmod(path, 0o700)
        with open(open_private(os.path.join(path, "rr.lock"))) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            profiles = read_profiles()
            changed = change(profiles)
            replace(os.path.join(path, "rr.json"), json.dumps(profiles, indent=1))
            return changed
    except OSError as error:
        raise usage("cannot save the profile in %s: %s; set XDG_CONFIG_HOME to a folder you can write to"
                    % (path, error.strerror))


def save_profile(profile, requested, current):
    """Saves a profile under the requested name, its current one, or one named after the channel."""
    def save(profiles):
        known, origin = profiles["profiles"], profile["origin"]
        name = requested or current or profile["channel"]
        old = known.get(name)
        is_other = old and old.get("session") and (old.get("origin"), old.get("channel"), old.get("callsign")) != (
            origin, profile["channel"], profile.get("callsign"))
        is_renamed = is_other and not requested and not current
        if is_renamed:
            name = "%s-%s" % (name, profile.get("callsign") or "me")
        if not requested and not is_renamed or profiles["default"].get(origin) not in known:
            profiles["default"][origin] = name
        elif is_renamed:
            report("another member has a profile of this channel: saved as `%s`, use --profile %s" % (name, name))
        known[name] = profile
        return name
    return change_profiles(save)


def value_of(flag, variable=None):
    return ((flag or "").strip() or os.environ.get(variable or "", "").strip()) or None


def secret(what, flag, file, variable):
    if not file:
        return value_of(flag, variable)
    try:
        with open(file) as opened:
            text = opened.read(4097).strip()
    except (OSError, ValueError) as error:
        raise usage("cannot read the %s from %s: %s" % (what, file, getattr(error, "strerror", None) or "no text"))
    if not text or len(text) > 4096:
        raise usage("%s contains no %s" % (file, what))
    return text
