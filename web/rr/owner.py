# ---- The process a command works for, usually an agent: when it has ended, no one reads what the command prints ----

WRAPPERS = ("sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "timeout", "sudo", "script", "stdbuf")
HANDING_ON = threading.Lock()


def process(pid):
    """Name, state, parent, session and start of a process, where there is a /proc."""
    try:
        with open("/proc/%d/stat" % pid, errors="replace") as file:
            front, _, back = file.read().rpartition(")")
        fields = back.split()
        return front.partition("(")[2], fields[0], int(fields[1]), int(fields[3]), fields[19]
    except (OSError, ValueError, IndexError):
        return None


def is_alive(pid, start):
    found = process(pid)
    if found or start:
        return bool(found) and found[1] not in "ZX" and (not start or found[4] == start)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def watch_owner(default):
    """Ends this command when the process has ended, and leaves the messages unread. Shells between an agent and this
    command may outlive it, so the process above them counts too."""
    given, watched, parent = ARGS.with_pid or default, [], os.getppid()
    pid = {"none": 0, "parent": parent}.get(given) if given in ("none", "parent") else int(given)
    is_adopted = False
    if given == "parent":
        own, above = process(os.getpid()), process(parent)
        is_adopted = bool(own and above) and own[3] not in (above[3], 0, os.getpid())
    while pid > (1 if given == "parent" else 0) and len(watched) < 8:
        found = process(pid)
        watched.append((pid, found and found[4]))
        pid = found[2] if given == "parent" and found and found[0] in WRAPPERS else 0

    def has_ended():
        return is_adopted or given == "parent" and watched and os.getppid() != parent or any(
            not is_alive(pid, start) for pid, start in watched)

    def watch():
        while not has_ended():
            time.sleep(1)
        with HANDING_ON:
            end()

    def end():
        report("the process it works for has ended, so the messages stay unread; name another with --with-pid PID, or "
               "give --with-pid none to keep waiting without one")
        os._exit(5)
    if has_ended():
        end()
    if watched:
        threading.Thread(target=watch, daemon=True).start()
    return lambda: end() if has_ended() else None


def owner(text):
    if text in ("parent", "none", "0"):
        return "none" if text == "0" else text
    if text.isdigit() and int(text) < 1 << 31:
        return text
    raise argparse.ArgumentTypeError("expected the id of a process, `parent` or `none`")


def settle_time(text):
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})\s*(ms|s)?", text)
    seconds = float(match.group(1)) * (0.001 if match.group(2) == "ms" else 1) if match else 61
    if seconds > 60:
        raise argparse.ArgumentTypeError("expected a time from 0 to 60 seconds, such as `0.5` or `500ms`")
    return seconds
