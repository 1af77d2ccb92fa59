# ---- Texts of peers: nothing in them can begin a line, move the cursor or end a quotation ----

def breaks_a_line(c):
    return (c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" or "\u202a" <= c <= "\u202e"
            or "\u2066" <= c <= "\u2069" or "\ud800" <= c <= "\udfff")


def one_line(text):
    names = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(names.get(c) or "\\u{%x}" % ord(c) if breaks_a_line(c) else c for c in str(text))


def quoted(text):
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_line(value):
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "".join("\\u%04x" % ord(c) if breaks_a_line(c) else c for c in text)


def message_line(message):
    status = message.get("kind") == "status"
    line = time.strftime("[%H:%M:%S] ", time.gmtime(message.get("at", 0) // 1000)) + one_line(message.get("from", ""))
    line += " is busy" if status else " → %s #%d" % (one_line(message.get("to", "")), message["id"])
    facts = ["status"] if status else []
    if status and message.get("to") != "all":
        facts.append("to " + one_line(message.get("to", "")))
    for key, show in (("display", lambda name: "calls itself " + quoted(name)),
                      ("verified", lambda how: "verified " + one_line(how)), ("priority", one_line),
                      ("reply_to", lambda id: "reply to #%d" % id), ("thread", lambda name: "thread " + quoted(name))):
        if message.get(key):
            facts.append(show(message[key]))
    for file in message.get("attachments") or []:
        name = " " + quoted(file["filename"]) if file.get("filename") else ""
        size = -(-file.get("bytes", len(file.get("data_base64", "")) // 4 * 3) // 1024)
        facts.append("file %s%s %d KB" % (one_line(file.get("mime", "")), name, size))
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
