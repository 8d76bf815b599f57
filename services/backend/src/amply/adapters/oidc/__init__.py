"""OpenID Connect client: Authlib makes the requests, joserfc verifies signatures, over the guarded HTTP client for untrusted
hosts.

What is checked, and where it is asked for: OpenID Connect Core 1.0 §3.1.3.7 (ID tokens), Discovery 1.0 §4.3 (the issuer that
a provider says of itself), RFC 9207 (the issuer beside a code), RFC 9700 §2.1 (PKCE, exact redirect addresses).
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from amply.infra.database import forbid_transaction
from amply.infra.guarded_http import GuardedTransport, guarded_timeout
from amply.modules.people import (
    GROUP_LENGTH_MAX,
    GROUPS_MAX,
    SUBJECT_LENGTH_MAX,
    AuthorizationRequest,
    Proof,
    Provider,
    ProviderAway,
    ProviderForgot,
    ProviderRefused,
)

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384")
"""Asymmetric only: with a shared secret, whoever has it could forge the provider's tokens."""
_LEEWAY_SECONDS: Final = 60
_KEPT: Final = timedelta(minutes=10)
_KEPT_MAX: Final = 256
_AGAIN_AFTER: Final = timedelta(seconds=10)
"""Minimum time between fetches of keys for unknown key ids, so that forged tokens cannot cause a flood of requests."""
_TOKEN_LENGTH_MAX: Final = 4096

_log = structlog.get_logger()

_AWAY: Final = "The provider does not answer just now: sign in another way, or try again in a few minutes."
_REFUSED: Final = "Begin again: what the provider sent back is not good, or not any more."


@dataclass(kw_only=True)
class _ProviderMetadata:
    """A provider's discovery document and key set, as fetched."""

    metadata: Mapping[str, Any]
    keys: Mapping[str | None, jwk.Key]
    fetched_at: datetime


class OidcClient:
    """Implements `people.ProviderClient`. `allows_loopback`: on a laptop and in tests."""

    def __init__(
        self, *, allows_loopback: bool = False, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._transport = transport or GuardedTransport(allows_loopback=allows_loopback)
        self._http = httpx2.Client(
            transport=self._transport,
            timeout=guarded_timeout(),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "amply", "Accept": "application/json"},
        )
        self._known: OrderedDict[str, _ProviderMetadata] = OrderedDict()
        self._lock = Lock()

    def address(
        self,
        provider: Provider,
        request: AuthorizationRequest,
        *,
        state: str,
        hint: str | None,
        now: datetime,
    ) -> str:
        with _answering(provider):
            known = self._published(provider, now=now)
            endpoint = _endpoint(known.metadata, "authorization_endpoint", provider)
        more = {} if hint is None else {"login_hint": hint}
        with self._oauth(provider, known, redirect=request.redirect) as client:
            url, _ = client.create_authorization_url(
                endpoint, state=state, code_verifier=request.verifier, nonce=request.nonce, **more
            )
        return str(url)

    def redeem(
        self,
        provider: Provider,
        request: AuthorizationRequest,
        *,
        code: str,
        issuer: str | None,
        now: datetime,
    ) -> Proof:
        with _answering(provider):
            known = self._published(provider, now=now)
            supported = known.metadata.get("authorization_response_iss_parameter_supported") is True
            if (issuer is None and supported) or (issuer is not None and issuer != provider.issuer):
                raise ProviderRefused(_REFUSED)
            with self._oauth(provider, known, redirect=request.redirect) as client:
                answer = client.fetch_token(
                    _endpoint(known.metadata, "token_endpoint", provider),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=request.verifier,
                )
            claims = self._claims(provider, answer, nonce=request.nonce, now=now)
        return _proof(claims, answer)

    def renew(self, provider: Provider, *, refresh_token: str, now: datetime) -> Proof:
        with _answering(provider):
            known = self._published(provider, now=now)
            with self._oauth(provider, known, redirect=None) as client:
                answer = _refreshed(
                    client, _endpoint(known.metadata, "token_endpoint", provider), refresh_token
                )
            # A response without an ID token (optional by Core §12.2) says nothing about groups, so it does not count.
            claims = self._claims(provider, answer, nonce=None, now=now)
        return _proof(claims, answer)

    def _oauth(self, provider: Provider, known: _ProviderMetadata, *, redirect: str | None) -> OAuth2Client:
        methods = known.metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Client(
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            token_endpoint_auth_method=method,
            scope=_scope(provider, known) if redirect else None,
            redirect_uri=redirect,
            code_challenge_method="S256",
            transport=_Lent(self._transport),
            timeout=guarded_timeout(),
            follow_redirects=False,
            trust_env=False,
        )

    def _claims(
        self, provider: Provider, answer: Mapping[str, Any], *, nonce: str | None, now: datetime
    ) -> Mapping[str, Any]:
        """Of the ID token, all checked.

        Raises:
            ProviderRefused: Of anything that is not as it must be.
        """
        text = answer.get("id_token")
        if not isinstance(text, str):
            raise ProviderRefused(_REFUSED)
        header = jws.extract_compact(text.encode()).headers()
        if header.get("alg") not in ALGORITHMS:
            raise ProviderRefused(_REFUSED)
        key = self._key(provider, header.get("kid"), now=now)
        token = jwt.decode(text, key, algorithms=list(ALGORITHMS))
        checked = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "sub": {"essential": True},
            },
            params={
                "client_id": provider.client_id,
                "access_token": answer.get("access_token"),
                **({} if nonce is None else {"nonce": nonce}),
            },
        )
        checked.validate(now=int(now.timestamp()), leeway=_LEEWAY_SECONDS)
        claims: dict[str, Any] = dict(checked)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= SUBJECT_LENGTH_MAX:
            raise ProviderRefused(_REFUSED)
        return claims

    def _key(self, provider: Provider, kid: str | None, *, now: datetime) -> jwk.Key:
        """The key that a token names. A provider that has changed its keys is asked for them again."""
        known = self._published(provider, now=now)
        if kid not in known.keys and now - known.fetched_at >= _AGAIN_AFTER:
            known = self._published(provider, now=now, anew=True)
        found = known.keys.get(kid)
        if found is None:
            raise ProviderRefused(_REFUSED)
        return found

    def _published(self, provider: Provider, *, now: datetime, anew: bool = False) -> _ProviderMetadata:
        with self._lock:
            known = self._known.get(provider.issuer)
        if known is not None and not anew and timedelta() <= now - known.fetched_at < _KEPT:
            return known
        metadata = self._fetched(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        if metadata.get("issuer") != provider.issuer:
            raise ProviderRefused("Ask whoever set this sign-in up: its issuer calls itself something else.")
        keys = _keys(self._fetched(_endpoint(metadata, "jwks_uri", provider)))
        made = _ProviderMetadata(metadata=metadata, keys=keys, fetched_at=now)
        with self._lock:
            self._known[provider.issuer] = made
            self._known.move_to_end(provider.issuer)
            while len(self._known) > _KEPT_MAX:
                self._known.popitem(last=False)
        return made

    def _fetched(self, url: str) -> Mapping[str, Any]:
        response = self._http.get(url)
        response.raise_for_status()
        found = response.json()
        if not isinstance(found, dict):
            raise ValueError("not an object")  # noqa: TRY004 -- what came, not how we call something
        return found


class _Lent(httpx2.BaseTransport):
    """A transport that stays open when a client over it is closed."""

    def __init__(self, transport: httpx2.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._transport.handle_request(request)


@contextmanager
def _answering(provider: Provider) -> Iterator[None]:
    """What goes wrong, in one of two sentences. The log says which provider and what kind of fault, and nothing it sent."""
    # Checked even if no request is needed: provider metadata is cached for minutes.
    forbid_transaction("OIDC: ask a provider")
    try:
        yield
    except ProviderRefused:
        _log.warning("provider_refused", provider=provider.key, error="ProviderRefused")
        raise
    except (JoseError, OAuthError) as error:
        _log.warning("provider_refused", provider=provider.key, error=type(error).__name__)
        raise ProviderRefused(_REFUSED) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
        _log.warning("provider_away", provider=provider.key, error=type(error).__name__)
        raise ProviderAway(_AWAY) from error


def _endpoint(metadata: Mapping[str, Any], name: str, provider: Provider) -> str:
    """An address that a provider publishes. Over https where its issuer is: a browser is sent there, and secrets are."""
    found = metadata.get(name)
    scheme = provider.issuer.partition(":")[0]
    if not isinstance(found, str) or not found.startswith((f"{scheme}://", "https://")):
        raise ValueError(f"no {name}")
    return found


def _refreshed(client: OAuth2Client, endpoint: str, refresh_token: str) -> Mapping[str, Any]:
    """A new answer. That the token is good no more is said in one way (RFC 6749 §5.2); all else is a fault of ours or theirs."""
    try:
        answer: Mapping[str, Any] = client.refresh_token(endpoint, refresh_token=refresh_token)
    except OAuthError as error:
        if error.error == "invalid_grant":
            raise ProviderForgot(_REFUSED) from error
        raise
    return answer


def _scope(provider: Provider, known: _ProviderMetadata) -> str:
    """What is asked for, as far as the provider knows it: some refuse a request for the rest of it."""
    supported = known.metadata.get("scopes_supported")
    asked = provider.scope.split()
    if isinstance(supported, list):
        asked = [each for each in asked if each == "openid" or each in supported]
    return " ".join(asked)


def _keys(published: Mapping[str, Any]) -> Mapping[str | None, jwk.Key]:
    """Those that may sign, by their id. What cannot be read is passed over: a provider may publish more than we know."""
    found: dict[str | None, jwk.Key] = {}
    for each in published["keys"]:
        if each.get("kty") not in ("RSA", "EC") or each.get("use", "sig") != "sig":
            continue
        try:
            found[each.get("kid")] = jwk.import_key(each)
        except (JoseError, ValueError):
            continue
    return found


def _proof(claims: Mapping[str, Any], answer: Mapping[str, Any]) -> Proof:
    email, verified, refresh = claims.get("email"), claims.get("email_verified"), answer.get("refresh_token")
    return Proof(
        subject=claims["sub"],
        email=email if isinstance(email, str) else None,
        # Some providers send it as a string.
        email_verified={True: True, "true": True, False: False, "false": False}.get(verified)
        if isinstance(verified, bool | str)
        else None,
        groups=_groups(claims.get("groups")),
        refresh_token=refresh if isinstance(refresh, str) and 0 < len(refresh) <= _TOKEN_LENGTH_MAX else None,
    )


def _groups(said: object) -> tuple[str, ...] | None:
    if not isinstance(said, list):
        return None
    named = [each for each in said if isinstance(each, str) and 0 < len(each) <= GROUP_LENGTH_MAX]
    return tuple(named[:GROUPS_MAX])
