"""A mail server that requires STARTTLS and a login, and misbehaves by the recipient's name.

Arguments: certificate, key, user, password. Prints its port, then each e-mail as a line of JSON.
"""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

CERTIFICATE, KEY, USER, PASSWORD = sys.argv[1:]


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, auth_data=mechanism)


class Handler:
    """The first try for `later@`, `close@` and `hang@` fails in that way; every try for `never@` does."""

    tried = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        is_first = address not in self.tried
        self.tried.add(address)
        if name == "never":
            return "550 5.1.1 no such user"
        if is_first and name == "later":
            return "451 4.3.0 try later"
        if is_first and name == "close":
            server.transport.close()
        if is_first and name == "hang":
            await asyncio.Event().wait()
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert not message.defects, message.defects
        print(json.dumps({
            "to": envelope.rcpt_tos,
            "from": envelope.mail_from,
            "headers": dict(message.items()),
            "text": message.get_content(),
            "tls": session.ssl["cipher"] is not None if isinstance(session.ssl, dict) else session.ssl is not None,
            "mechanism": session.auth_data,
        }), flush=True)
        return "250 taken"


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE, KEY)

    def smtp():
        return SMTP(Handler(), hostname="mail.example.org", tls_context=tls, require_starttls=True, auth_required=True,
                    authenticator=authenticate)

    server = await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
