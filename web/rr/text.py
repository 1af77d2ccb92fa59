# ---- Texts of peers: nothing in them can begin a line, move the cursor, hide a text or end a quotation ----

def ranges(text):
    ends = (part.partition("-") for part in text.split())
    return sorted((int(start, 16), int(end or start, 16)) for start, _, end in ends)


INVISIBLE = ranges("{{invisible}}")
PICTOGRAPHIC = ranges("{{pictographic}}")
FLAGS = ["\U0001f3f4" + "".join(chr(0xe0000 + ord(c)) for c in region + "\x7f")
         for region in ("gbeng", "gbsct", "gbwls")]


def is_in(table, c):
    at = bisect.bisect(table, (ord(c), 1 << 21)) - 1
    return c > "\x7f" and at >= 0 and table[at][0] <= ord(c) <= table[at][1]


def uses_joiners(c):
    return "\u0600" <= c <= "\u08ff" or "\u0900" <= c <= "\u0dff"


def is_joined(last, is_emoji, c, following):
    """Whether an invisible character belongs to an emoji, or to a word in a joining script."""
    if c in "\ufe0e\ufe0f":
        return is_in(PICTOGRAPHIC, last) or last in "0123456789#*" and following == "\u20e3"
    if c == "\u200d" and is_emoji:
        return is_in(PICTOGRAPHIC, following)
    return c in "\u200c\u200d" and all(uses_joiners(c) and not is_in(INVISIBLE, c) for c in (last, following))


def escaped(text, escape):
    """Escapes what would be unseen or would move what follows it, as the hub does."""
    if all(" " <= c <= "~" for c in text):
        return text
    safe, last, is_emoji, flag_end = [], " ", False, 0
    for at, c in enumerate(text):
        following = text[at + 1:at + 2] or " "
        flag = next((flag for flag in FLAGS if text.startswith(flag, at)), "")
        flag_end = at + len(flag) if flag else flag_end
        must_be = c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" or "\ud800" <= c <= "\udfff" or (
            is_in(INVISIBLE, c) and at >= flag_end and not is_joined(last, is_emoji, c, following))
        safe.append(escape(c) if must_be else c)
        is_emoji = not must_be and (is_in(PICTOGRAPHIC, c)
                                    or is_emoji and (c in "\ufe0e\ufe0f" or "\U0001f3fb" <= c <= "\U0001f3ff"))
        last = c
    return "".join(safe)


def one_line(text):
    return escaped(str(text), lambda c: {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(c) or "\\u{%x}" % ord(c))


def quoted(text):
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_line(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return escaped(text, lambda c: "\\u%04x" % ord(c) if c < "\U00010000" else json.dumps(c)[1:-1])


def clock_after(at, message):
    days = max(at - message.get("at", 0), 0) // 86400000
    more = " in %d day%s" % (days, "" if days == 1 else "s") if days else ""
    return time.strftime("%H:%M UTC", time.gmtime(at // 1000)) + more


def message_line(message):
    status = message.get("kind") == "status"
    line = time.strftime("[%H:%M:%S] ", time.gmtime(message.get("at", 0) // 1000)) + one_line(message.get("from", ""))
    line += " is " + one_line(message.get("state") or "busy") if status else " → %s #%d" % (one_line(message.get("to", "")), message["id"])
    facts = ["status"] if status else []
    if status and message.get("until"):
        facts.append("until " + clock_after(message["until"], message))
    if status and message.get("to") != "all":
        facts.append("to " + one_line(message.get("to", "")))
    for key, show in (("display", lambda name: "calls itself " + quoted(name)),
                      ("verified", lambda how: "verified " + one_line(how)), ("priority", one_line),
                      ("wants", lambda what: "wants " + (one_line(what) if what != "answer" else "an answer") + (
                          " by " + clock_after(message["deadline"], message) if message.get("deadline") else "")),
                      ("reply_to", lambda id: "reply to #%d" % id), ("state", lambda state: None if status else "state " + one_line(state)),
                      ("thread", lambda name: "thread " + quoted(name))):
        fact = show(message[key]) if message.get(key) else None
        if fact:
            facts.append(fact)
    for file in message.get("attachments") or []:
        name = " " + quoted(file["filename"]) if file.get("filename") else ""
        size = -(-file.get("bytes", len(file.get("data_base64", "")) // 4 * 3) // 1024)
        facts.append("file %s%s %d KB" % (one_line(file.get("mime", "")), name, size))
    if message.get("data"):
        size = len(json.dumps(message["data"], ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
        facts.append("data %d B" % size)
    if message.get("suggested_replies"):
        facts.append("suggests " + " ".join(quoted(reply) for reply in message["suggested_replies"]))
    if message.get("attempt", 1) > 1:
        facts.append("attempt %d" % message["attempt"])
    return line + (" [%s]" % "; ".join(facts) if facts else "") + ": " + one_line(message.get("text", ""))


def write(text, fd=1):
    data = text.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(fd, data):]
    except OSError as error:
        if fd == 1:
            raise Failed("cannot write to standard output: %s" % error.strerror)


def report(message):
    write("rr %s: %s\n" % (ARGS.command, one_line(message)), 2)
