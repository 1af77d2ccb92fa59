"""What schemathesis needs to know of a hub to get past its doors.

Generated ids lead to no channel, so most of what can be said would end at 404. Two thirds of the requests that are not
about a bad id or a bad session are led to real ones: channels made here, with members who have written something. The
rest stays as it was generated. No check is switched off; `filter_failure` names the refusals that a schema cannot foresee.
"""

import itertools
import os
import threading

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import EnsureResourceAvailability, IgnoredAuth, RejectedPositiveData

HUB = os.environ["ROGERRAT_HUB"]
# A poll that finds nothing waits so many seconds; the hub waits no less.
TIMEOUT = 1
NO_TOKEN = "no-token-of-any-channel"

lock = threading.Lock()
turn = itertools.count()
# The token of every channel that was created, and the sessions of its members.
tokens = {}
sessions = {}
messages = {}
# The session token of an account.
accounts = []


def ask(method, path, token=None, session=None, **body):
    headers = {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if session:
        headers["X-Session-Id"] = session
    response = requests.request(method, HUB + path, json=body or None, headers=headers, timeout=10)
    response.raise_for_status()
    return response.json()


def open_channel(**settings):
    """A channel on which two have talked, so that there is something to read."""
    created = ask("POST", "/api/channels", **settings)
    channel, token = created["channel_id"], created["join_token"]
    path = f"/api/channels/{channel}"
    ann, bob = (ask("POST", f"{path}/join", token, callsign=name)["session_id"] for name in ("ann", "bob"))
    said = [
        ask("POST", f"{path}/send", token, ann, to="all", message="hello", thread="first"),
        ask("POST", f"{path}/send", token, ann, to="bob", message="a task", priority="high", suggested_replies=["yes"]),
        ask("POST", f"{path}/send", token, bob, to="ann", message="done", reply_to=1),
    ]
    tokens[channel], sessions[channel] = token, [ann, bob]
    messages[channel] = [message["id"] for message in said]
    return channel


def a_channel():
    with lock:
        mine = [channel for channel in messages if len(sessions[channel]) > 1]
        if len(mine) < 2:
            mine.append(open_channel(**({"dm_visibility": "private"} if mine else {})))
        return mine[next(turn) % len(mine)]


def account_session(case):
    """The session of an account that is there; one that will be deleted is made for it."""
    if case.path == "/api/account" and case.method.upper() == "DELETE":
        return ask("POST", "/api/account")["session_token"]
    with lock:
        if not accounts:
            accounts.append(ask("POST", "/api/account")["session_token"])
        return accounts[0]


def make_consumer(channel, session, name):
    """It is made by its first read, and `since=0` finds what was said. A session may have left meanwhile."""
    try:
        ask("GET", f"/api/channels/{channel}/listen?consumer={name}&since=0&timeout=1", tokens[channel], session)
    except requests.HTTPError:
        pass


def is_sound(case, location):
    """Whether this part of a request was meant to be right."""
    if case.meta is None:
        return False
    part = case.meta.components.get(location)
    return part is None or part.mode == GenerationMode.POSITIVE


@schemathesis.hook
def before_call(context, case, kwargs):
    parameters = {parameter.name for parameter in context.operation.iter_parameters()}
    lead = next(turn) % 3 > 0
    if "id" in parameters and is_sound(case, ParameterLocation.PATH):
        if lead and case.path_parameters.get("id") not in tokens:
            case.path_parameters["id"] = a_channel()
        channel = case.path_parameters.get("id")
        if channel in tokens and case.headers.get("Authorization") == f"Bearer {NO_TOKEN}":
            case.headers["Authorization"] = f"Bearer {tokens[channel]}"
        if lead and "message" in case.path_parameters and channel in messages:
            case.path_parameters["message"] = messages[channel][next(turn) % len(messages[channel])]
        members = sessions.get(channel)
        if case.path_parameters.get("name", "") in (None, "None"):
            # The default consumer has no name and cannot be removed; a link from the list would try.
            case.path_parameters["name"] = "laptop"
        if lead and members and "name" in case.path_parameters:
            case.path_parameters["name"] = "laptop"
            make_consumer(channel, members[0], "laptop")
            case.headers["X-Session-Id"] = members[0]
        # A leave with a member's session would leave nobody to talk.
        leaves = context.operation.path.endswith("/leave")
        if lead and members and not leaves and "X-Session-Id" in case.headers and is_sound(case, ParameterLocation.HEADER):
            case.headers["X-Session-Id"] = members[next(turn) % len(members)]
    if "timeout" in parameters:
        sound = is_sound(case, ParameterLocation.QUERY)
        if sound or "timeout" not in case.query:
            case.query["timeout"] = TIMEOUT
        if sound and lead:
            # What is held is read again, so that there is an answer at once.
            case.query.setdefault("since", 0)


@schemathesis.hook
def after_call(context, case, response):
    """Remembers what was made, for those that come after."""
    if response.status_code != 200 or case.method.upper() != "POST":
        return
    with lock:
        if case.path == "/api/channels":
            created = response.json()
            tokens[created["channel_id"]] = created["join_token"]
            sessions[created["channel_id"]] = []
        elif case.path.endswith("/join") and case.path_parameters["id"] in sessions:
            members = sessions[case.path_parameters["id"]]
            members.append(response.json()["session_id"])
            # The first two are never forgotten.
            del members[2:-8]
        elif case.path.endswith("/leave"):
            members = sessions.get(case.path_parameters["id"], [])
            if case.headers.get("X-Session-Id") in members:
                members.remove(case.headers["X-Session-Id"])


def is_of_an_account(case):
    opens = case.path == "/api/account" and case.method.upper() == "POST"
    return case.path.startswith("/api/account") and not opens and not case.path.endswith("/recover")


@schemathesis.auth(refresh_interval=None)
class ChannelToken:
    """The bearer that admits to the channel of a request, or speaks for an account, where there is one."""

    def get(self, case, context):
        if is_of_an_account(case):
            return account_session(case)
        return tokens.get(case.path_parameters.get("id"), NO_TOKEN)

    def set(self, case, token, context):
        if "{id}" in case.path or is_of_an_account(case):
            case.headers["Authorization"] = f"Bearer {token}"


# A request may be well formed and still be about somebody who is not there. These codes say so; they are the contract
# (docs/ERRORS.md), and no schema can know them beforehand.
STANDING = {"not_joined", "unknown_recipient", "session_expired"}
BANDS = {"general", "help", "random"}


def is_foreseen(failure, case, response):
    """Whether the contract wants what a check calls a failure."""
    if case.path.startswith("/api/admin/") and response.status_code == 403:
        # This hub has no administration, and tells everybody so, whatever the token.
        return True
    if isinstance(failure, RejectedPositiveData):
        said = response.json()
        # So does an acknowledgement of what was never handed out.
        above = said["code"] == "invalid" and said["error"].startswith("upto is above the highest id handed out")
        # Where a webhook may lead, and how that is written, is the guard's to say.
        elsewhere = said["code"] == "invalid" and "`url`" in said["error"]
        return above or elsewhere or said["code"] in STANDING
    if isinstance(failure, EnsureResourceAvailability):
        # The channel must be there. Its transcript, or a consumer or message nobody made, need not.
        return response.json()["error"] != "channel not found"
    # A band admits everybody: its routes are those of a channel, which OpenAPI can only describe as wanting the token.
    is_band = (case.path_parameters or {}).get("id") in BANDS
    if isinstance(failure, IgnoredAuth):
        return is_band
    if isinstance(failure, AcceptedNegativeData):
        return is_band and "Authorization" in failure.message
    return False


@schemathesis.hook
def filter_failure(context, failure, case, response):
    return not is_foreseen(failure, case, response)
