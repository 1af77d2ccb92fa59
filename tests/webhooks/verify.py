"""Verifies what a receiver wrote down, as receivers do: with the public library where it is installed, and by hand.

Arguments: the file, and the secrets, any of which may have signed.
"""

import base64
import hashlib
import hmac
import json
import sys

try:
    from standardwebhooks.webhooks import Webhook
except ImportError:
    Webhook = None


def plain(secret, body, headers):
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return all(hmac.compare_digest(headers[name], expected) for name in ("x-rogerrat-signature", "x-rogerthat-signature"))


def standard(secret, body, headers):
    if Webhook:
        try:
            Webhook(secret).verify(body, headers)
            return True
        except Exception:
            return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split(" ")


count = 0
for line in open(sys.argv[1], encoding="utf-8"):
    got = json.loads(line)
    body, headers = base64.b64decode(got["body"]), got["headers"]
    assert any(plain(secret, body, headers) for secret in sys.argv[2:]), "no plain signature fits"
    assert any(standard(secret, body, headers) for secret in sys.argv[2:]), "no standard signature fits"
    assert not standard("whsec_" + "A" * 32, body, headers), "a wrong secret fits"
    assert not plain(sys.argv[2], body + b" ", headers), "a body that was touched fits"
    count += 1
print(count, "standardwebhooks" if Webhook else "by hand")
