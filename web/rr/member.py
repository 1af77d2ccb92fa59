# ---- The member: who it is, and its requests ----

def resolve(may_be_new=False, channel_needed=True):
    """Combines flags, the named profile, variables and the default profile, in this order."""
    profiles = read_profiles()
    named = value_of(ARGS.profile)
    name = named or value_of(None, "ROGERRAT_PROFILE")
    if name and not re.fullmatch("[A-Za-z0-9_.-]{1,80}", name):
        raise usage("the name of a profile has at most 80 letters, digits, `-`, `_` and `.`")
    variable = (lambda _: None) if named and (named in profiles["profiles"] or not may_be_new) else (lambda name: name)
    origin = value_of(ARGS.origin, variable("ROGERRAT_ORIGIN"))
    origin = origin.rstrip("/") if origin else None
    channel = value_of(ARGS.channel, variable("ROGERRAT_CHANNEL"))
    fits = lambda one: (not channel or one["channel"] == channel) and one["origin"] == (origin or HUB)
    known, default = profiles["profiles"], profiles["default"].get(origin or HUB)
    if name:
        found = name
    elif default in known and fits(known[default]):
        found = default
    else:
        found = next((name for name in sorted(known) if channel and fits(known[name])), None)
    profile = known.get(found)
    if profile and ((channel and channel != profile["channel"]) or (origin and origin != profile["origin"])):
        if named:
            raise usage("the profile `%s` belongs to the channel %s on %s; name another one"
                        % (found, profile["channel"], profile["origin"]))
        profile = None
    if not profile and name and not channel and channel_needed:
        raise usage("there is no profile `{0}`; `{1} create` or `{1} join` saves one".format(name, CALL))
    old = profile or {}
    session = value_of(ARGS.session, variable("ROGERRAT_SESSION"))
    callsign = (getattr(ARGS, "callsign", None) or "").strip().lower() or None
    same = not old.get("session") or (callsign in (None, old.get("callsign")) and session in (None, old["session"]))
    kept = old if same else {}
    target = {
        "origin": origin or old.get("origin") or HUB, "channel": channel or old.get("channel"),
        "ca_file": value_of(ARGS.ca_file, "ROGERRAT_CA_FILE") or old.get("ca_file"),
        "token": secret("token", ARGS.token, ARGS.token_file, variable("ROGERRAT_TOKEN")) or old.get("token"),
        "session": session or kept.get("session"), "callsign": callsign or kept.get("callsign"),
        "owner_password": secret("owner password", getattr(ARGS, "owner_password", None),
                                 getattr(ARGS, "owner_password_file", None), "ROGERRAT_OWNER_PASSWORD")
        or old.get("owner_password"),
        "identity_key": secret("identity key", getattr(ARGS, "identity_key", None),
                               getattr(ARGS, "identity_key_file", None), "ROGERRAT_IDENTITY_KEY"),
        "is_identity": bool(kept.get("is_identity")), "profile": found if profile and same else None, "requested": name,
    }
    if channel_needed and not target["channel"]:
        raise usage("no channel given; create one with `%s create`, or set --channel or ROGERRAT_CHANNEL" % CALL)
    if target["channel"] and not re.fullmatch("[A-Za-z0-9_-]+", target["channel"]):
        raise usage("the channel contains invalid characters")
    if target["ca_file"]:
        target["ca_file"] = os.path.abspath(target["ca_file"])
    target["opener"], ARGS.shown = opener_for(target["origin"], target["ca_file"]), target["origin"]
    return target


def member(may_join=False):
    """The target of a command for members. Only a command that waits may join first."""
    target = resolve(may_join)
    if not (target["session"] or target["identity_key"] or may_join and target["callsign"]):
        raise usage("no identity given; run `%s join` first, or set --session or ROGERRAT_SESSION" % CALL)
    return target


def call(target, method, what, body=None, wait=0):
    path = "/api/channels/" + target["channel"] + ("/" + what if what else "")
    return request(target, method, path, body, wait)


def join(target, about=None):
    """Joins, and saves the session in the profile the target came from."""
    if target["is_identity"] and not target["identity_key"]:
        raise Failed("the session belongs to an identity: set ROGERRAT_IDENTITY_KEY, or give --identity-key-file")
    keys = ("callsign", "identity_key", "owner_password")
    body = {key: target[key] for key in keys if target[key]}
    if about is not None:
        body["about"] = about
    joined = call(target, "POST", "join", body)
    target["session"], target["callsign"] = joined["session_id"], joined["callsign"]

    def save(profiles):
        if target["profile"] in profiles["profiles"]:
            profiles["profiles"][target["profile"]].update(session=target["session"], callsign=target["callsign"])
    if target["profile"]:
        change_profiles(save)
    return joined


def call_as_member(target, method, what, body=None, wait=0):
    """Joins first if there is no session, and again if it has ended."""
    if not target["session"]:
        join(target)
    try:
        return call(target, method, what, body, wait)
    except SessionEnded as ended:
        saved = read_profiles()["profiles"].get(target["profile"]) if target["profile"] else target
        if not (saved and saved.get("session")):
            raise Failed("the session has left the channel")
        if saved["session"] != target["session"]:
            target["session"] = saved["session"]  # another command has joined again
        elif not (target["callsign"] or target["identity_key"]):
            raise Failed("%s; with --callsign it joins again by itself" % ended)
        else:
            join(target)
        return call(target, method, what, body, wait)


def profile_of(target):
    keys = ("origin", "ca_file", "channel", "token", "session", "callsign", "owner_password")
    profile = {key: target[key] for key in keys if target.get(key)}
    if target.get("identity_key") or target.get("is_identity"):
        profile["is_identity"] = True
    return profile
