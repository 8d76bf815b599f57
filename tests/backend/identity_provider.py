"""An OpenID provider on loopback: discovery, keys, authorization code with PKCE, refresh tokens.

Its tokens are made by joserfc. A test may twist what it signs, change its keys, or have it answer nothing.
"""

import base64
import json
import secrets
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from joserfc import jwk, jwt

CLIENT: Final = "amply-tests"
CLIENT_SECRET: Final = "of the client, and of nobody else"
_MINUTES: Final = 5 * 60


@dataclass(kw_only=True)
class Sent:
    """What a code or a refresh token stands for."""

    claims: dict[str, Any]
    redirect: str = ""
    challenge: str = ""
    nonce: str | None = None


@dataclass(kw_only=True)
class IdentityProvider:
    """`person` is who is signed in there. `twist` changes the claims before they are signed."""

    clock: Callable[[], datetime]
    issuer: str = ""
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "ada-7", "email": "ada@example.org", "email_verified": True}
    )
    twist: Callable[[dict[str, Any]], None] = lambda _claims: None
    metadata: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    forger: jwk.Key | None = None
    """Signs in place of the provider's key."""
    gives_refresh: bool = True
    is_away: bool = False
    error: str = ""
    """Sends browsers back with this in place of a code."""
    knows: bool = True
    """Whether refresh tokens are still good."""
    asked: list[str] = field(default_factory=list)
    codes: dict[str, Sent] = field(default_factory=dict)
    refreshes: dict[str, Sent] = field(default_factory=dict)
    key: jwk.ECKey = field(default_factory=lambda: _new_key("key-1"))

    def rotate(self) -> None:
        """Sign with another key from now on, and publish that one alone."""
        self.key = _new_key(f"key-{secrets.token_hex(4)}")

    def published(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "authorization_response_iss_parameter_supported": True,
            "scopes_supported": ["openid", "email", "groups", "offline_access"],
            **self.metadata,
        }

    def signs_in(self, url: str) -> dict[str, str]:
        """What a browser that was sent to `url` comes back with."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert asked["client_id"] == CLIENT
        code = secrets.token_urlsafe(16)
        self.codes[code] = Sent(
            claims=dict(self.person),
            redirect=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            nonce=asked["nonce"],
        )
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def sends_back(self, url: str) -> str:
        """Where a browser that was sent to `url` goes next; nobody is asked anything."""
        back = self.signs_in(url)
        if self.error:
            back = {"error": self.error, "error_description": "<b>Ring us</b>", "state": back["state"]}
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        return f"{asked['redirect_uri']}?{urllib.parse.urlencode(back)}"

    def token(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        expected = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") == "refresh_token":
            found = self.refreshes.get(form.get("refresh_token", ""))
            if found is None or not self.knows:
                return 400, {"error": "invalid_grant"}
            return 200, self._tokens(Sent(claims=dict(self.person)))
        sent = self.codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if sent is None or sent.challenge != challenge or sent.redirect != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        return 200, self._tokens(sent)

    def _tokens(self, sent: Sent) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        claims = {
            **sent.claims,
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + _MINUTES,
            **({"nonce": sent.nonce} if sent.nonce else {}),
        }
        self.twist(claims)
        header = {"alg": "ES256", "kid": self.key.kid, **self.header}
        token = jwt.encode(header, claims, self.forger or self.key, algorithms=[header["alg"]])
        answer = {
            "id_token": token,
            "access_token": "of no use here",
            "token_type": "Bearer",
            "expires_in": 60,
        }
        if self.gives_refresh:
            refresh = secrets.token_urlsafe(16)
            self.refreshes[refresh] = sent
            answer["refresh_token"] = refresh
        return answer


def _new_key(kid: str) -> jwk.ECKey:
    return jwk.ECKey.generate_key("P-256", parameters={"kid": kid, "use": "sig"}, private=True)


@contextmanager
def identity_provider(clock: Callable[[], datetime]) -> Iterator[IdentityProvider]:
    """A provider that answers until the block ends."""
    provider = IdentityProvider(clock=clock)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            provider.asked.append(self.path)
            if self.path == "/.well-known/openid-configuration":
                self._say(200, provider.published())
            elif self.path == "/jwks":
                self._say(200, {"keys": [provider.key.as_dict(private=False)]})
            elif self.path.startswith("/authorize?"):
                self.send_response(302)
                self.send_header("Location", provider.sends_back(self.path))
                self.end_headers()
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = dict(urllib.parse.parse_qsl(text))
            self._say(*provider.token(form, self.headers.get("Authorization", "")))

        def _say(self, status: int, said: object) -> None:
            body = json.dumps(said).encode()
            self.send_response(503 if provider.is_away else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
