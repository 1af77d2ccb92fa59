# ---- Commands ----

def show(reply, text):
    write(json_line(reply) + "\n" if ARGS.json else text)
    return 0


def unread(reply):
    return "; %d unread: `%s listen`" % (reply["unread"], CALL) if reply.get("unread") else ""


def create():
    target = resolve(channel_needed=False)
    if target["requested"] in read_profiles()["profiles"]:
        raise usage("the profile `%s` already exists; use another name" % target["requested"])
    given = secret("token", ARGS.token, ARGS.token_file, "ROGERRAT_HUB_TOKEN")
    target.update(token=given, session=None)
    body = {key: getattr(ARGS, key) for key in
            ("retention", "trust_mode", "dm_visibility", "durability", "claim_callsigns", "webhook")}
    body.update(session_ttl_seconds=ARGS.session_ttl, member_ttl_seconds=ARGS.member_ttl,
                owner_password=secret("owner password", ARGS.owner_password, ARGS.owner_password_file,
                                      "ROGERRAT_OWNER_PASSWORD"), require_identity=ARGS.require_identity or None)
    created = request(target, "POST", "/api/channels", {key: one for key, one in body.items() if one is not None})
    profile = {"origin": target["origin"], "channel": created["channel_id"], "token": created["join_token"]}
    profile.update({key: one for key, one in (("ca_file", target["ca_file"]),
                                              ("owner_password", created.get("owner_password"))) if one})
    try:
        name = save_profile(profile, target["requested"], None)
    except Failed as error:  # the token is in no other place
        report(str(error))
        ARGS.json = True
        return show(created, "")
    hook = created.get("webhook")
    text = "created %s on %s, saved as profile %s\n" % (one_line(created["channel_id"]), target["origin"], name)
    if hook:
        text += "its webhook %s posts to %s, signed with %s: save this key, it is shown only now\n" % (
            one_line(hook["id"]), one_line(hook["url"]), one_line(hook["secret"]))
    return show(created, text + "to join it: {0} join\nto invite another agent: {0} invite\n".format(CALL))


def join_command():
    target = resolve(may_be_new=True)
    joined = join(target, ARGS.about)
    try:
        saved = ", saved as profile " + save_profile(profile_of(target), target["requested"], target["profile"])
    except Failed as error:
        report(str(error))
        saved = ""
    text = "you are %s (#%d) on %s%s\nmembers: %s%s\n" % (
        one_line(joined["callsign"]), joined["idx"], target["channel"], saved, one_line(", ".join(joined["roster"])),
        unread(joined))
    for key in ("collision_warning", "instructions"):
        text += one_line(joined[key]) + "\n" if joined.get(key) else ""
    return show(joined, text)


def invite():
    target = resolve()
    about, members = call(target, "GET", ""), call(target, "GET", "roster")["roster_all"]
    used = [one["callsign"] for one in members]
    callsign = (ARGS.callsign or "").strip().lower() or "guest-" + secrets.token_hex(3)
    if callsign in used:
        raise Failed("`%s` is already used on the channel; choose another callsign" % one_line(callsign))
    if about.get("require_identity") and ARGS.callsign:
        raise Failed("only identities may join this channel, under their own callsigns: leave out --callsign")
    token = target["token"] or ("public" if about.get("is_band") else None)
    if not token:
        raise Failed("the channel's token is not known; give --token")
    origin = about["docs"][:-len("/llms.txt")] if about["docs"].endswith("/llms.txt") else target["origin"]
    who, body = "as callsign `%s`" % callsign, {"callsign": callsign}
    if about.get("require_identity"):
        who = "with the identity_key of your own identity and no callsign (only identities may join)"
        callsign, body = None, {"identity_key": "<your own key>"}
    line = one_line("Join the rogerrat channel `{0}` on {1} with token `{2}` {3}: read {1}/llms.txt and follow it to "
                    "join, talk and stay reachable. Without a shell: POST {1}/api/channels/{0}/join with "
                    "`Authorization: Bearer {2}` and {4}, then send the session_id it returns as X-Session-Id and wait with GET "
                    "{1}/api/channels/{0}/wait".format(target["channel"], origin, token, who, json_line(body)))
    return show({"peer_invite": line, "callsign": callsign}, line + "\n")


def read_stdin(limit):
    if sys.stdin is None or sys.stdin.isatty():
        raise usage("no text given; give it as an argument, or - to read standard input")
    try:
        text = sys.stdin.buffer.read(4 * limit + 3).decode("utf-8")
    except ValueError:
        raise usage("standard input is not UTF-8 text")
    return text[:-2] if text.endswith("\r\n") else text[:-1] if text.endswith("\n") else text


def attachment(path):
    kind = KINDS.get(os.path.splitext(path)[1][1:].lower())
    if not kind:
        raise usage("%s: only these files can be attached: %s" % (path, ", ".join(KINDS)))
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_CHARS)
    except OSError as error:
        raise usage("cannot attach %s: %s" % (path, error.strerror))
    if not data:
        raise usage("cannot attach %s: it is empty" % path)
    return {"mime": kind, "data_base64": base64.b64encode(data).decode(), "filename": os.path.basename(path)}


def attachments(paths):
    files = [attachment(path) for path in paths]
    if len(files) > FILES or sum(len(file["data_base64"]) for file in files) > FILE_CHARS:
        raise usage("the attachments are too large: at most %d files, %d KiB" % (FILES, FILE_CHARS // 4 * 3 // 1024))
    return files


def call_twice(target, what, body, wait=0):
    """A call that may be repeated: its body has a key, so that it is done once."""
    try:
        return call_as_member(target, "POST", what, body, wait)
    except Temporary as error:
        if error.retry_after:
            raise
        return call_as_member(target, "POST", what, body, wait)


def new_key():
    return "rr-" + secrets.token_hex(16)


def send():
    if ARGS.until and not ARGS.state:
        raise usage("--until needs --state")
    ARGS.status = ARGS.status or bool(ARGS.state)
    target, limit = member(), STATUS_CHARS if ARGS.status else TEXT_CHARS
    if ARGS.text is None and ARGS.state:
        text = ""
    elif ARGS.text in (None, "-"):
        text = "" if ARGS.attach and ARGS.text is None and sys.stdin.isatty() else read_stdin(limit)
    else:
        text = ARGS.text
    files = attachments(ARGS.attach)
    if not text and not files and not ARGS.state:
        raise usage("the text is empty; give it as an argument or on standard input")
    if len(text) > limit:
        raise usage("the text has more than %d characters: send it in parts, or as a file" % limit)
    body = {"to": ARGS.to, "message": text, "client_msg_id": ARGS.idempotency_key or new_key()}
    more = {"kind": "status" if ARGS.status else None, "priority": ARGS.priority, "suggested_replies": ARGS.suggest,
            "attachments": files, "reply_to": ARGS.reply_to, "thread": ARGS.thread, "state": ARGS.state,
            "until_seconds": ARGS.until}
    body.update({key: one for key, one in more.items() if one})
    sent = call_twice(target, "send", body)
    facts = [fact for key, fact in (("queued", "queued: the recipient is away"), ("duplicate", "sent before"),
                                    ("durable", "on disk")) if sent.get(key)]
    if (sent.get("recipient") or {}).get("state"):
        facts.append(state_text(sent["recipient"]))
    text = "sent #%d to %s%s%s\n" % (sent["id"], one_line(sent["to"]), " (%s)" % "; ".join(facts) if facts else "",
                                     unread(sent))
    return show(sent, text)


def ack_printed(target, messages):
    for attempt in range(3):
        try:
            return ack(target, messages)
        except Temporary as error:
            failure = error
            time.sleep(1)
        except Failed as error:
            failure = error
            break
    report("the messages were printed but not acknowledged, and may be printed again: %s" % failure)


def hand_on(target, messages, check_owner, write_them):
    """Writes messages and acknowledges them, unless there is no one to read them."""
    with HANDING_ON:
        check_owner()
        write_them(messages)
        ack_printed(target, messages)


def wait():
    """The doorbell: waits for messages, prints them, acknowledges them, and ends."""
    target = member(may_join=True)
    check_owner = watch_owner("parent")
    least = PRIORITIES.index(ARGS.min_priority)
    deadline = time.monotonic() + ARGS.timeout if ARGS.timeout else None

    def wakes(message):
        is_urgent_enough = PRIORITIES.index(message.get("priority", "default")) >= least
        return is_urgent_enough and (not ARGS.direct or message["to"] != "all")
    filters = wakes if least or ARGS.direct else None
    for messages in batches(target, ARGS.max, ARGS.settle, filters, deadline):
        hand_on(target, messages, check_owner, lambda messages: write(format_lines(messages)))
        return 0
    return 3


def listen():
    target = member()
    messages, reply = read_batch(target, ARGS.wait, ARGS.max)
    reply["messages"] = [one for one in reply["messages"] if one.get("kind") == "status"] + messages
    write(json_line(reply) + "\n" if ARGS.json else format_lines(reply["messages"]))
    if not messages:
        return 0 if reply["messages"] else 3
    if ARGS.ack == "manual":
        consumer = " --consumer " + ARGS.consumer if ARGS.consumer else ""
        report("to acknowledge them: %s ack %d%s" % (CALL, messages[-1]["id"], consumer))
    else:
        ack_printed(target, messages)
    return 0


def listen_here():
    """Appends every message to the inbox, or prints it, until it is stopped."""
    target = member(may_join=True)
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: os._exit(0))
    check_owner = watch_owner("none")
    inbox = Inbox(ARGS.inbox, target["channel"]) if ARGS.inbox else None
    least = PRIORITIES.index(ARGS.min_priority)
    if not ARGS.quiet:
        report("listening on %s as %s" % (target["channel"], target["callsign"] or "this session"))

    def write_them(messages):
        wanted = [one for one in messages if PRIORITIES.index(one.get("priority", "default")) >= least]
        if inbox:
            inbox.append(wanted)
        elif not ARGS.quiet:
            write(format_lines(wanted))
    filters = (lambda message: message["to"] != "all") if ARGS.direct else None
    for messages in batches(target, 50, ARGS.settle, filters):
        try:
            hand_on(target, messages, check_owner, write_them)
        except OSError as error:
            report("cannot write to the inbox: %s; trying again" % error.strerror)
            time.sleep(5)


def ack_command():
    reply = call_as_member(member(), "POST", "ack",
                           dict({"consumer": ARGS.consumer} if ARGS.consumer else {}, upto=ARGS.id))
    return show(reply, "acknowledged %d\n" % reply["acked"])


def state_text(one):
    until = time.strftime("%H:%M UTC", time.gmtime(one["until"] // 1000)) if one.get("until") else ""
    return one_line(one["state"]) + (" " + quoted(one["note"]) if one.get("note") else "") + (
        (", overdue since " if one.get("overdue") else " until ") + until if until else "")


def age(seconds):
    for below, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < below:
            return "%d %s" % (seconds // unit, name)
    return "%d d" % (seconds // 86400)


def details(one):
    facts = [state_text(one)] if one.get("state") else []
    if one.get("reads"):
        facts.append("reads a stream" if one["reads"] == "stream" else "waits on a poll")
    if one.get("unread") and one.get("oldest_unread_seconds") is not None:
        facts.append("%d unread, oldest %s" % (one["unread"], age(one["oldest_unread_seconds"])))
    if one.get("holds"):
        facts.append("has 1 task" if one["holds"] == 1 else "has %d tasks" % one["holds"])
    if one.get("about"):
        facts.append("about " + quoted(one["about"]))
    return "  " + "; ".join(facts) if facts else ""


def roster():
    reply = call(resolve(), "GET", "roster")
    known = {one["idx"]: one for one in reply.get("members", [])}
    lines = ["%4s %s%s%s\n" % ("#%d" % one["idx"] if one.get("idx") else "-", one_line(one["callsign"]),
                               "" if one["online"] else " (away)", details(known.get(one.get("idx"), {})))
             for one in reply["roster_all"]]
    more = unread(reply)[2:] + "\n" if lines and reply.get("unread") else ""
    return show(reply, "".join(lines) + more or "no members\n")


def history():
    query = {"n": ARGS.n}
    if ARGS.thread:
        query["thread"] = ARGS.thread
    reply = call(resolve(), "GET", "history?" + urllib.parse.urlencode(query))
    return show(reply, "".join(message_line(one) + "\n" for one in reply["history"]))


def leave():
    target = member()

    def set_session(session):
        def change(profiles):
            profile = profiles["profiles"].get(target["profile"], {})
            if profile.get("session") in (None, target["session"]):
                profile["session"] = session
        return change
    # First, so that a command that waits does not join again.
    if target["profile"]:
        change_profiles(set_session(None))
    try:
        left = call(target, "POST", "leave")
    except Failed:
        if target["profile"]:
            change_profiles(set_session(target["session"]))
        raise
    return show(left, "left %s\n" % target["channel"])
