# ---- The inbox: a file with one line for each message, none lost, repeated or incomplete ----

class Inbox:
    """`<inbox>.state` records what is about to be written, so that the next run can repair the file. `rogerrat
    listen-here` uses the same files."""

    def __init__(self, path, channel):
        self.path = os.path.abspath(path)
        os.makedirs(os.path.dirname(self.path), 0o700, exist_ok=True)
        self.lock = open_private(self.path + ".lock")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed("another listener writes to the inbox %s" % path)
        new = dict(channel=channel, written=[], last=[], inode=0, inbox_bytes=0, line_bytes=0)
        try:
            with open(self.path + ".state") as file:
                found = json.load(file)
        except (OSError, ValueError):
            found = None
        self.state = found if isinstance(found, dict) and found.keys() >= new.keys() else new
        self.repair()
        if self.state["channel"] != channel:
            self.state = new

    def repair(self):
        with self.open() as file:
            self.repair_file(file.fileno())

    def repair_file(self, fd):
        state = self.state
        end, size = state["inbox_bytes"] + state["line_bytes"], os.fstat(fd).st_size
        if state["last"] and os.fstat(fd).st_ino == state["inode"]:
            if size >= end:
                os.fsync(fd)
                state["written"] = (state["written"] + state["last"])[-256:]
            elif size > state["inbox_bytes"]:
                os.ftruncate(fd, state["inbox_bytes"])
        state["last"] = []
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            os.write(fd, b"\n")

    def open(self):
        return open(open_private(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND), "r+b", buffering=0)

    def append(self, messages):
        self.repair()
        messages = [message for message in messages if message["id"] not in self.state["written"]]
        if not messages:
            return
        data = format_lines(messages).encode("utf-8", "backslashreplace")
        with self.open() as file:
            found = os.fstat(file.fileno())
            self.state.update(last=[message["id"] for message in messages], inode=found.st_ino,
                              inbox_bytes=found.st_size, line_bytes=len(data))
            replace(self.path + ".state", json.dumps(self.state))
            while data:
                data = data[file.write(data):]
            os.fsync(file.fileno())
        self.state["written"] = (self.state["written"] + self.state["last"])[-256:]
        self.state["last"] = []
