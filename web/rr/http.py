# ---- HTTP ----

class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would send the token to another address."""

    def redirect_request(self, *_):
        return None


def opener_for(origin, ca_file):
    url = urllib.parse.urlsplit(origin)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise usage("the address of the hub must begin with http:// or https://")
    handlers = [NoRedirect()]
    if url.hostname in ("localhost", "127.0.0.1", "::1") or url.hostname.endswith(".localhost"):
        handlers.append(urllib.request.ProxyHandler({}))
        # Names under localhost are this machine, also where its resolver does not know them.
        look_up = socket.getaddrinfo
        socket.getaddrinfo = lambda host, *more, **options: look_up(
            "localhost" if str(host).endswith(".localhost") else host, *more, **options)
    if url.scheme == "https":
        try:
            context = ssl.create_default_context(cafile=ca_file)
            if not ca_file and not context.cert_store_stats()["x509_ca"] and os.path.exists("/etc/ssl/cert.pem"):
                context.load_verify_locations("/etc/ssl/cert.pem")
        except (OSError, ssl.SSLError) as error:
            raise usage("cannot read the certificates in %s: %s" % (ca_file, error.strerror or error.reason))
        handlers.append(urllib.request.HTTPSHandler(context=context))
    return urllib.request.build_opener(*handlers)


def refusal(status, raw):
    """The error of a response that is not 2xx."""
    try:
        body = json.loads(raw)
        code, message = body["code"], "%s (%s)" % (body["error"], body["code"])
    except (ValueError, KeyError, TypeError):
        if status in (408, 429) or status >= 500:
            return Temporary("the hub responded with status %d" % status)
        return Failed("the response has status %d: is %s the address of a rogerrat hub?" % (status, ARGS.shown))
    if code in ("session_expired", "not_joined"):
        return SessionEnded(message)
    if status in (408, 429) or status >= 500:
        return Temporary(message, body.get("retry_after_seconds") or 0)
    hints = {"unauthorized": "check --token-file, or the password or key you gave",
             "not_found": "check --origin, --channel and the names you gave; `%s create` creates a channel" % CALL}
    hint = hints.get(code) or body.get("hint")
    return Failed(message + ("; " + hint if hint else ""))


def request(target, method, path, body=None, wait=0):
    """One request. The secrets are in headers, never in an argument list."""
    headers = {"User-Agent": "rr/" + VERSION, "Content-Type": "application/json"}
    for name, key, form in (("Authorization", "token", "Bearer %s"), ("X-Session-Id", "session", "%s")):
        if target.get(key):
            if not re.fullmatch("[!-~]+", target[key]):
                raise usage("the %s contains invalid characters" % key)
            headers[name] = form % target[key]
    data = None if method == "GET" else json.dumps(body or {}).encode()
    try:
        sent = urllib.request.Request(target["origin"] + path, data, headers, method=method)
        with target["opener"].open(sent, timeout=wait + 15) as response:
            raw = response.read(REPLY_BYTES)
        return json.loads(raw)
    except urllib.error.HTTPError as error:
        with error:
            raise refusal(error.code, error.read(1 << 16))
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise Failed("the certificate of %s is not trusted: %s; name its certificate authority with --ca-file"
                         % (ARGS.shown, error.reason.verify_message))
        raise Temporary("cannot reach %s: %s; check that it runs and that this is its address"
                        % (ARGS.shown, getattr(error.reason, "strerror", None) or error.reason))
    except (OSError, http.client.HTTPException) as error:
        raise Temporary("the connection to %s broke: %s" % (ARGS.shown, str(error) or type(error).__name__))
    except ValueError:
        raise Temporary("the response of %s is not complete or not JSON" % ARGS.shown)
