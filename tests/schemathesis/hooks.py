"""Hooks that let schemathesis reach existing channels and accounts of a hub.

Generated ids match no channel, so most requests would end with 404. Two thirds of the requests whose id and session are not
deliberately invalid are redirected to channels created here, with members and messages. The rest is sent as generated. No
check is disabled; `filter_failure` lists the refusals that a schema cannot express.
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
# The timeout of polls in seconds: the minimum that the hub accepts.
TIMEOUT = 1
NO_TOKEN = "no-token-of-any-channel"

lock = threading.Lock()
turn = itertools.count()
# The token of every created channel, and the sessions of its members.
tokens = {}
sessions = {}
messages = {}
# The session token of one account.
accounts = []


def call(method, path, token=None, session=None, **body):
    headers = {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if session:
        headers["X-Session-Id"] = session
    response = requests.request(method, HUB + path, json=body or None, headers=headers, timeout=10)
    response.raise_for_status()
    return response.json()


def open_channel(**settings):
    """Creates a channel with two members and some messages."""
    created = call("POST", "/api/channels", **settings)
    channel, token = created["channel_id"], created["join_token"]
    path = f"/api/channels/{channel}"
    ann, bob = (call("POST", f"{path}/join", token, callsign=name)["session_id"] for name in ("ann", "bob"))
    sent = [
        call("POST", f"{path}/send", token, ann, to="all", message="hello", thread="first"),
        call("POST", f"{path}/send", token, ann, to="bob", message="a task", priority="high", suggested_replies=["yes"]),
        call("POST", f"{path}/send", token, bob, to="ann", message="done", reply_to=1),
    ]
    tokens[channel], sessions[channel] = token, [ann, bob]
    messages[channel] = [message["id"] for message in sent]
    return channel


def a_channel():
    with lock:
        mine = [channel for channel in messages if len(sessions[channel]) > 1]
        if len(mine) < 2:
            mine.append(open_channel(**({"dm_visibility": "private"} if mine else {})))
        return mine[next(turn) % len(mine)]


def account_session(case):
    """The session of an existing account. A request that deletes its account gets a new one."""
    if case.path == "/api/account" and case.method.upper() == "DELETE":
        return call("POST", "/api/account")["session_token"]
    with lock:
        if not accounts:
            accounts.append(call("POST", "/api/account")["session_token"])
        return accounts[0]


def make_consumer(channel, session, name):
    """Creates a consumer by its first read; `since=0` returns at once. The session may have left meanwhile."""
    try:
        call("GET", f"/api/channels/{channel}/listen?consumer={name}&since=0&timeout=1", tokens[channel], session)
    except requests.HTTPError:
        pass


def is_valid(case, location):
    """Whether this part of a request was generated to be valid."""
    if case.meta is None:
        return False
    part = case.meta.components.get(location)
    return part is None or part.mode == GenerationMode.POSITIVE


def shorten_waits(case):
    """Lets no request for a task wait longer than a poll."""
    field = {"/ask": "timeout", "/take": "wait"}.get(case.path[case.path.rfind("/") :])
    if field and isinstance(case.body, dict):
        seconds = case.body.get(field)
        if seconds is None or isinstance(seconds, (int, float)) and seconds > TIMEOUT:
            case.body[field] = TIMEOUT
    if case.path.endswith("/tasks/{task}") and isinstance(case.query, dict) and "wait" in case.query:
        if is_valid(case, ParameterLocation.QUERY):
            case.query["wait"] = TIMEOUT


@schemathesis.hook
def before_call(context, case, kwargs):
    parameters = {parameter.name for parameter in context.operation.iter_parameters()}
    redirect = next(turn) % 3 > 0
    if "id" in parameters and is_valid(case, ParameterLocation.PATH):
        if redirect and case.path_parameters.get("id") not in tokens:
            case.path_parameters["id"] = a_channel()
        channel = case.path_parameters.get("id")
        if channel in tokens and case.headers.get("Authorization") == f"Bearer {NO_TOKEN}":
            case.headers["Authorization"] = f"Bearer {tokens[channel]}"
        if redirect and "message" in case.path_parameters and channel in messages:
            case.path_parameters["message"] = messages[channel][next(turn) % len(messages[channel])]
        members = sessions.get(channel)
        if case.path_parameters.get("name", "") in (None, "None"):
            # The default consumer has no name and cannot be removed, but a link from the list would try.
            case.path_parameters["name"] = "laptop"
        if redirect and members and "name" in case.path_parameters:
            case.path_parameters["name"] = "laptop"
            make_consumer(channel, members[0], "laptop")
            case.headers["X-Session-Id"] = members[0]
        # A leave with a member's session would remove the members that other requests need.
        leaves = context.operation.path.endswith("/leave")
        if redirect and members and not leaves and "X-Session-Id" in case.headers and is_valid(case, ParameterLocation.HEADER):
            case.headers["X-Session-Id"] = members[next(turn) % len(members)]
    shorten_waits(case)
    if "timeout" in parameters:
        valid = is_valid(case, ParameterLocation.QUERY)
        if valid or "timeout" not in case.query:
            case.query["timeout"] = TIMEOUT
        if valid and redirect:
            # Read stored messages again, so that the response is immediate.
            case.query.setdefault("since", 0)


@schemathesis.hook
def after_call(context, case, response):
    """Records created channels and sessions for later requests."""
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
            # Keep the first two.
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
    """The bearer token for the channel or the account of a request."""

    def get(self, case, context):
        if is_of_an_account(case):
            return account_session(case)
        return tokens.get(case.path_parameters.get("id"), NO_TOKEN)

    def set(self, case, token, context):
        if "{id}" in case.path or is_of_an_account(case):
            case.headers["Authorization"] = f"Bearer {token}"


# A valid request may refer to a member or session that does not exist. No schema can express these codes, which are
# part of the API (docs/ERRORS.md).
STATE_CODES = {"not_joined", "unknown_recipient", "session_expired"}
# Fields of a task that need or exclude each other, and what the task allows.
TASK_REFUSALS = (
    "a status is no task",
    "a status has no `data`",
    "a status with `state` is for all",
    "the `state` of a status is",
    "the `state` of a reply is",
    "`until_seconds` needs",
    "an ask wants an answer",
    "`state` needs `reply_to`",
    "`fence` needs `state`",
    "`deadline_seconds`, `answers` and `quiet` need",
    "`quiet` needs",
    "more than one of `answers` needs",
    "only work is taken",
)
BANDS = {"general", "help", "random"}


def is_expected(failure, case, response):
    """Whether the API requires what a check reports as a failure."""
    if case.path.startswith("/api/admin/") and response.status_code == 403:
        # The administration of this hub is disabled, so the token does not matter.
        return True
    if isinstance(failure, RejectedPositiveData):
        error = response.json()
        # An acknowledgement of a message that was never delivered.
        above = error["code"] == "invalid" and error["error"].startswith("upto is above the highest id delivered")
        # A webhook URL that the hub's policy forbids.
        forbidden_url = error["code"] == "invalid" and "`url`" in error["error"]
        # Reserved headers, bytes of all headers together, and a template: JSON inside a text.
        format_of_hook = error["code"] == "invalid" and ("`headers`" in error["error"] or "`body`" in error["error"])
        # A push service that the hub does not push to, and a point that is not on the curve.
        push_target = error["error"].startswith(("`endpoint` is not", "`keys.p256dh` is not"))
        # A QR code holds a number of bytes, a schema counts characters; and it cannot compare two fields.
        too_long = case.path == "/api/qr" and "bytes in UTF-8" in error["error"]
        same_names = error["error"] == "agent_callsign and phone_callsign must differ"
        # No schema says that one parameter needs another, or which characters are visible.
        own_alone = error["error"].startswith("own needs a consumer")
        invisible = error["error"] == "label must be 1 to 64 visible characters"
        of_tasks = error["code"] == "invalid" and error["error"].startswith(TASK_REFUSALS)
        of_targets = forbidden_url or format_of_hook or push_target
        beyond_schemas = above or of_tasks or of_targets or too_long or same_names or own_alone or invisible
        return beyond_schemas or error["code"] in STATE_CODES
    if isinstance(failure, EnsureResourceAvailability):
        # The channel must exist. Its transcript, consumers and messages need not.
        return response.json()["error"] != "channel not found"
    # A band needs no token, but OpenAPI can only describe its routes as those of a channel, with a token.
    is_band = (case.path_parameters or {}).get("id") in BANDS
    if isinstance(failure, IgnoredAuth):
        return is_band
    if isinstance(failure, AcceptedNegativeData):
        return is_band and "Authorization" in failure.message
    return False


@schemathesis.hook
def filter_failure(context, failure, case, response):
    return not is_expected(failure, case, response)
