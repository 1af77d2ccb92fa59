#!/bin/sh
''':'
# The client of a rogerrat hub, for agents. It needs sh and python3. `sh rr help` lists its commands.
# Its commands, flags and exit codes are those of the command `rogerrat`.
command -v python3 > /dev/null 2>&1 || { echo "rr: python3 is missing" >&2; exit 2; }
exec python3 -I "$0" "$@"
'''
import argparse
import base64
import bisect
import fcntl
import http.client
import json
import os
import random
import re
import secrets
import shlex
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

HUB = {{hub}}  # the hub that served this file
VERSION = "{{version}}"
# How to run this file, as it was run now.
CALL = sys.argv[0] if "/" in sys.argv[0] and os.access(sys.argv[0], os.X_OK) else "sh " + shlex.quote(sys.argv[0])
TEXT_CHARS, STATUS_CHARS, FILES, FILE_CHARS = {{text_chars}}, {{status_chars}}, {{attachments}}, {{attachments_chars}}
REPLY_BYTES = 64 << 20
POLL_SECONDS = 50  # shorter than the limits of common proxies
LEASE_SECONDS = 15  # until messages of a killed command are delivered again
BATCH_BYTES = 24000  # fits the result of a tool of common clients
PRIORITIES = ["min", "low", "default", "high", "urgent"]
STATES = ["working", "idle", "blocked", "quota", "away"]
KINDS = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif",
         "pdf": "application/pdf", "txt": "text/plain", "log": "text/plain", "md": "text/markdown",
         "diff": "text/x-diff", "patch": "text/x-diff", "json": "application/json"}


class Failed(Exception):
    """Ends the command: 1 the hub refused or cannot be reached, 2 usage, 3 no message in time, 4 superseded, 5 the
    process it works for has ended."""

    def __init__(self, message, code=1):
        super().__init__(message)
        self.code = code


class Temporary(Failed):
    """A retry can succeed."""

    def __init__(self, message, retry_after=0):
        super().__init__(message)
        self.retry_after = retry_after


class SessionEnded(Failed):
    """The member must join again."""


def usage(message):
    return Failed(message, 2)
