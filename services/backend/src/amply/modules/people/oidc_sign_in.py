"""Sign-in by OpenID provider (authorization code flow).

The two halves are tied to one browser and to one use. Whoever the provider names is found by who they are there, never by
an address. An address only says whose account it may become, and that account's owner has to show that they are.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from amply.infra.database import bind
from amply.kernel.errors import AmplyError
from amply.modules import audit
from amply.modules.access import PersonCaller
from amply.modules.audit import Action
from amply.modules.mail import Language
from amply.modules.people import factors, identities, limits, passwords, persons, signing_in
from amply.modules.people.addresses import Address, address_of
from amply.modules.people.dependencies import Dependencies
from amply.modules.people.domain import PeopleNotOffered, SignInRefused, Visit
from amply.modules.people.providers import AuthorizationRequest, OidcSignIn, Proof, Provider, ProviderRefused
from amply.modules.people.signing_in import FactorNeeded, SignedIn

AUTHORIZATION_LASTS: Final = timedelta(minutes=10)
LINK_LASTS: Final = timedelta(minutes=10)
_RANDOM_BYTES: Final = 32
_AGAIN: Final = "Begin again: this sign-in was finished, took too long, or began in another browser."


class AddressNotProven(AmplyError):
    """Nobody has an account by this provider, and it does not vouch for an address to make one with."""

    status = 403
    code = "provider_address_not_verified"
    title = "The provider does not vouch for your address"


@dataclass(frozen=True, kw_only=True)
class BegunSignIn:
    """The provider's authorization URL, and the cookie that binds the response to the browser."""

    url: str
    device: str


@dataclass(frozen=True, kw_only=True)
class LinkNeeded:
    """The address has an account: its owner must authenticate to link the identity, with the `pending` token."""

    pending: str


def oidc_sign_in_of(parts: Dependencies) -> OidcSignIn:
    """What providers are spoken to with.

    Raises:
        PeopleNotOffered: Nobody is signed in by providers here.
    """
    if parts.oidc_sign_in is None:
        raise PeopleNotOffered("Sign in another way: no provider is set up here.")
    return parts.oidc_sign_in


def begin(
    parts: Dependencies,
    *,
    key: str,
    visit: Visit,
    language: Language,
    now: datetime,
    hint: str | None = None,
    person_id: str | None = None,
) -> BegunSignIn:
    """Begin a sign-in by a provider, or, with `person_id`, linking an identity to that person.

    Raises:
        ProviderNotFound: There is none.
        ProviderAway: It does not answer.
        SignInUnavailable: Sessions cannot be looked up at this moment.
        TooManyRequests: The caller exceeded a rate limit.
    """
    sign_in = oidc_sign_in_of(parts)
    limits.admit(parts.counters, (limits.OF_ADDRESS, parts.key.place_of(visit.address)), now=now)
    provider = sign_in.provider(key)
    device, state = visit.device or secrets.token_urlsafe(16), secrets.token_urlsafe(_RANDOM_BYTES)
    request = AuthorizationRequest(
        nonce=secrets.token_urlsafe(_RANDOM_BYTES),
        verifier=secrets.token_urlsafe(_RANDOM_BYTES),
        redirect=sign_in.redirect,
    )
    url = sign_in.client.address(provider, request, state=state, hint=hint, now=now)
    facts = {
        **vars(request),
        "provider": provider.key,
        "browser": parts.key.mark_of(device).hex(),
        "language": language.value,
        "person_id": person_id or "",
    }
    parts.sessions.keep(_named("errand", state), facts, lasts=AUTHORIZATION_LASTS)
    return BegunSignIn(url=url, device=device)


def finish(
    parts: Dependencies, *, state: str, code: str, issuer: str | None, visit: Visit, now: datetime
) -> SignedIn | FactorNeeded | LinkNeeded:
    """Complete a sign-in from the provider's response.

    Raises:
        ProviderRefused: It is not good, was used, took too long, or belongs to another browser.
        ProviderAway: The provider does not answer.
        AddressNotProven: They have no account, and none can be made.
        SignInUnavailable: Sessions cannot be looked up at this moment.
        TooManyRequests: The caller exceeded a rate limit.
    """
    provider, proof, facts = _proven(parts, state, code, issuer, visit, now=now)
    if facts["person_id"]:
        raise ProviderRefused(_AGAIN)
    digest = digest_of(parts, provider, proof)
    with parts.database.transaction() as session:
        person_id = identities.person_at(session, digest=digest, now=now)
    if person_id is None:
        address = _vouched_for(provider, proof)
        person_id = _made(parts, provider, proof, address, Language(facts["language"]), now=now)
        if person_id is None:
            return _ask_for_link(parts, provider, proof, address, visit)
    else:
        with parts.database.transaction(person_id=person_id) as session:
            oidc_sign_in_of(parts).arrived(session, provider, person_id, proof, now)
    return _let_in(parts, person_id, provider, visit, now=now)


def link_own(
    parts: Dependencies,
    caller: PersonCaller,
    *,
    state: str,
    code: str,
    issuer: str | None,
    visit: Visit,
    now: datetime,
) -> None:
    """Link the provider's identity to the signed-in person who began it.

    Raises:
        ProviderRefused, ProviderAway: As of `finish`.
        IdentityTaken, TooManyIdentities: It cannot be linked.
    """
    provider, proof, facts = _proven(parts, state, code, issuer, visit, now=now)
    if facts["person_id"] != caller.person_id:
        raise ProviderRefused(_AGAIN)
    with parts.database.transaction(person_id=caller.person_id) as session:
        _link(session, parts, provider, proof, caller.person_id, now=now)


def link_by_password(
    parts: Dependencies, *, pending: str, password: str, code: str | None, visit: Visit, now: datetime
) -> SignedIn:
    """Link an identity to the existing account of its address after password verification, and sign in.

    Raises:
        ProviderRefused: What is pending is not ours, was used, took too long, or belongs to another browser.
        SignInRefused: The password is not right.
        FactorRefused: There is a second factor, and the code is missing or not right.
        SignInUnavailable: Sessions cannot be looked up at this moment.
        TooManyRequests: The caller exceeded a rate limit.
    """
    facts = parts.sessions.kept(_named("link", pending))
    if facts is None or not _is_of(parts, facts, visit):
        raise ProviderRefused(_AGAIN)
    person_id = facts["person_id"]
    limits.admit(
        parts.counters,
        (limits.CONFIRMATIONS, person_id),
        now=now,
        told=signing_in.tried_too_often(parts, person_id, now=now),
    )
    _show(parts, person_id, password=password, code=code, now=now)
    if parts.sessions.take(_named("link", pending)) is None:
        raise ProviderRefused(_AGAIN)
    provider = oidc_sign_in_of(parts).provider(facts["provider"])
    proof = _unsealed(parts, facts["proof"], pending)
    with parts.database.transaction(person_id=person_id) as session:
        _link(session, parts, provider, proof, person_id, now=now)
    found = _credentials(parts, person_id, visit)
    # Password and factor were shown just now; an organisation's provider signs in to that organisation all the same.
    return signing_in.begin(parts, found, visit=visit, now=now, through=_through(provider))


def digest_of(parts: Dependencies, provider: Provider, proof: Proof) -> bytes:
    """Keyed digest of an identity."""
    return parts.key.identity_of(provider=provider.key, issuer=provider.issuer, subject=proof.subject)


def _proven(
    parts: Dependencies, state: str, code: str, issuer: str | None, visit: Visit, *, now: datetime
) -> tuple[Provider, Proof, dict[str, str]]:
    """What a code stands for. What was begun is taken off the shelf first: no second try with the same state."""
    sign_in = oidc_sign_in_of(parts)
    limits.admit(parts.counters, (limits.OF_ADDRESS, parts.key.place_of(visit.address)), now=now)
    facts = parts.sessions.take(_named("errand", state))
    if facts is None or not _is_of(parts, facts, visit):
        raise ProviderRefused(_AGAIN)
    provider = sign_in.provider(facts["provider"])
    request = AuthorizationRequest(
        nonce=facts["nonce"], verifier=facts["verifier"], redirect=facts["redirect"]
    )
    return provider, sign_in.client.redeem(provider, request, code=code, issuer=issuer, now=now), facts


def _is_of(parts: Dependencies, facts: dict[str, str], visit: Visit) -> bool:
    mark = parts.key.mark_of(visit.device).hex() if visit.device else ""
    return secrets.compare_digest(facts["browser"], mark)


def _vouched_for(provider: Provider, proof: Proof) -> Address:
    """The address that the provider may say is theirs.

    Raises:
        AddressNotProven: It says none, or not that it is verified, or it is not one of the organisation's.
        AddressNotAcceptable: It is no address.
    """
    if proof.email is None:
        raise AddressNotProven("Ask the provider to tell us your e-mail address, or sign in another way.")
    address = address_of(proof.email)
    if provider.domains is None:
        if proof.email_verified is not True:
            raise AddressNotProven(
                "Confirm your e-mail address at the provider first, or sign in another way."
            )
    elif proof.email_verified is False or address.folded.rpartition("@")[2] not in provider.domains:
        raise AddressNotProven("Use an address of your organisation's own domain, or sign in another way.")
    return address


def _made(
    parts: Dependencies,
    provider: Provider,
    proof: Proof,
    address: Address,
    language: Language,
    *,
    now: datetime,
) -> str | None:
    """An account without a password; None where the address has one already."""
    with parts.database.transaction() as session:
        person_id = persons.add(
            session, address=address, password_hash=None, language=language, key=parts.key, now=now
        )
        if person_id is None:
            return None
        bind(session, person_id=person_id)
        audit.record_of_person(session, person_id, Action.PERSON_REGISTERED, now=now)
        _link(session, parts, provider, proof, person_id, now=now)
    return person_id


def _link(
    session: Session, parts: Dependencies, provider: Provider, proof: Proof, person_id: str, *, now: datetime
) -> None:
    digest = digest_of(parts, provider, proof)
    identities.link(session, parts, person_id=person_id, provider=provider.key, digest=digest, now=now)
    oidc_sign_in_of(parts).arrived(session, provider, person_id, proof, now)


def _ask_for_link(
    parts: Dependencies, provider: Provider, proof: Proof, address: Address, visit: Visit
) -> LinkNeeded:
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, index=parts.key.index_of(address), device=None)
    if found is None:
        raise ProviderRefused(_AGAIN)
    pending = secrets.token_urlsafe(_RANDOM_BYTES)
    facts = {
        "provider": provider.key,
        "person_id": found.person_id,
        "browser": parts.key.mark_of(visit.device or "").hex(),
        "proof": _sealed(parts, proof, pending),
    }
    parts.sessions.keep(_named("link", pending), facts, lasts=LINK_LASTS)
    return LinkNeeded(pending=pending)


def _show(parts: Dependencies, person_id: str, *, password: str, code: str | None, now: datetime) -> None:
    """Password, and second factor where there is one."""
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, person_id=person_id, device=None)
    hashed = found.password_hash if found else None
    if not parts.hashing.is_right(passwords.prepared(password), hashed=hashed) or found is None:
        raise SignInRefused(
            "Type the password of your account here, or sign in to it and link the provider there."
        )
    if found.has_factor:
        with parts.database.transaction() as session:
            factors.use_code(session, person_id=person_id, code=code or "", key=parts.key, now=now)


def _let_in(
    parts: Dependencies, person_id: str, provider: Provider, visit: Visit, *, now: datetime
) -> SignedIn | FactorNeeded:
    """By a provider of the platform as by a password; by an organisation's own to that organisation, as it has them."""
    found, through = _credentials(parts, person_id, visit), _through(provider)
    if through is None:
        return signing_in.factor_or_session(parts, found, visit=visit, now=now)
    return signing_in.begin(parts, found, visit=visit, now=now, through=through)


def _credentials(parts: Dependencies, person_id: str, visit: Visit) -> persons.Credentials:
    device = parts.key.mark_of(visit.device) if visit.device else None
    with parts.database.transaction() as session:
        found = persons.credentials_of(session, person_id=person_id, device=device)
    if found is None:
        raise ProviderRefused(_AGAIN)
    return found


def _through(provider: Provider) -> str | None:
    return None if provider.domains is None else provider.key


def _named(what: str, secret: str) -> str:
    """What is kept is found by a digest: who reads the cache cannot finish it."""
    return f"{what}:{hashlib.sha256(secret.encode()).hexdigest()}"


def _sealed(parts: Dependencies, proof: Proof, pending: str) -> str:
    said = {**vars(proof), "groups": None if proof.groups is None else list(proof.groups)}
    return parts.key.seal(json.dumps(said), of=_named("proof", pending)).hex()


def _unsealed(parts: Dependencies, sealed: str, pending: str) -> Proof:
    said = json.loads(parts.key.unseal(bytes.fromhex(sealed), of=_named("proof", pending)))
    proof = Proof(**said)
    return proof if proof.groups is None else replace(proof, groups=tuple(proof.groups))
