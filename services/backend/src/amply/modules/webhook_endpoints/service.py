"""An organisation's endpoints and their signing keys. Authorised within each statement, and again by row-level security."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel import ids
from amply.modules import audit
from amply.modules.access import Access, hold_organization
from amply.modules.audit import Action
from amply.modules.public_events import EventType
from amply.modules.webhook_endpoints.domain import (
    ENDPOINTS_MAX,
    DisabledReason,
    Endpoint,
    EndpointNotFound,
    EndpointState,
    EndpointTaken,
    PublicKey,
    TooManyEndpoints,
    checked_description,
    checked_url,
    sorted_types,
)
from amply.modules.webhook_endpoints.models import EndpointRow, SigningKeyRow
from amply.modules.webhook_endpoints.signatures import fresh_private_key, public_key_of

_PUBLIC_KEYS: Final = text("SELECT public_key, expires_at FROM webhook_public_keys(:endpoint_id, :now)")
_NOT_FOUND: Final = "This organisation has no such webhook endpoint; ask for the list of its endpoints."
_TAKEN: Final = "Another endpoint has this address: change that one, or remove it first."


@dataclass(frozen=True, kw_only=True)
class EndpointValues:
    """Values of an endpoint to create or change; None keeps a value."""

    url: str | None = None
    description: str | None = None
    event_types: Collection[EventType] | None = None
    enabled: bool | None = None

    def values(self, *, allows_loopback: bool) -> dict[str, Any]:
        """The columns that change.

        Raises:
            EndpointNotAcceptable: No endpoint can be like this.
        """
        values: dict[str, Any] = {}
        if self.url is not None:
            values["url"] = checked_url(self.url, allows_loopback=allows_loopback)
        if self.description is not None:
            values["description"] = checked_description(self.description)
        if self.event_types is not None:
            values["event_types"] = sorted_types(self.event_types)
        return values


def add(
    session: Session, access: Access, *, wanted: EndpointValues, allows_loopback: bool
) -> tuple[Endpoint, Sequence[PublicKey]]:
    """Add an endpoint with a key of its own. Idempotent by URL.

    Raises:
        EndpointNotAcceptable: The address or the description cannot be.
        EndpointTaken: One of this address is there, with another description or other types.
        TooManyEndpoints: Five are there already.
    """
    values = wanted.values(allows_loopback=allows_loopback)
    hold_organization(session, access.organization_id)
    known = endpoints_of(session, access)
    for each in known:
        if each.url == values["url"]:
            if list(each.event_types) != values["event_types"] or each.description != values["description"]:
                raise EndpointTaken(_TAKEN)
            return each, keys_of(session, access, endpoint_id=each.id)
    if len(known) >= ENDPOINTS_MAX:
        raise TooManyEndpoints(f"{ENDPOINTS_MAX} endpoints are there: remove one that is not used any more.")
    endpoint_id = ids.new_id("whe")
    session.execute(
        insert(EndpointRow).values(
            id=endpoint_id,
            organization_id=access.organization_id,
            **values,
            created_by=access.person_id,
            created_at=access.now,
            changed_at=access.now,
        )
    )
    _add_key(session, access, endpoint_id=endpoint_id)
    audit.record_by(session, access, Action.WEBHOOK_ENDPOINT_ADDED, endpoint_id)
    return find(session, access, endpoint_id=endpoint_id), keys_of(session, access, endpoint_id=endpoint_id)


def endpoints_of(session: Session, access: Access) -> Sequence[Endpoint]:
    """The organisation's endpoints, oldest first."""
    rows = session.scalars(
        select(EndpointRow).where(access.covers(EndpointRow.organization_id)).order_by(EndpointRow.id)
    )
    return [endpoint_of(row) for row in rows]


def find(session: Session, access: Access, *, endpoint_id: str, locks: bool = False) -> Endpoint:
    """One endpoint.

    Raises:
        EndpointNotFound: The organisation has no such endpoint.
    """
    chosen = select(EndpointRow).where(
        EndpointRow.id == endpoint_id, access.covers(EndpointRow.organization_id)
    )
    row = session.scalars(chosen.with_for_update(key_share=True) if locks else chosen).one_or_none()
    if row is None:
        raise EndpointNotFound(_NOT_FOUND)
    return endpoint_of(row)


def change(
    session: Session, access: Access, *, endpoint_id: str, wanted: EndpointValues, allows_loopback: bool
) -> Endpoint:
    """Change an endpoint that `find` has locked. If enabled again or moved, its failures are reset, and waiting
    deliveries are sent.

    Raises:
        EndpointNotAcceptable: It cannot be like this.
        EndpointTaken: Another endpoint has this address.
    """
    values = wanted.values(allows_loopback=allows_loopback)
    if "url" in values:
        # Two do not take one address at the same time.
        hold_organization(session, access.organization_id)
    urls = {each.id: each.url for each in endpoints_of(session, access)}
    former = urls.pop(endpoint_id)
    if values.get("url") in urls.values():
        raise EndpointTaken(_TAKEN)
    if wanted.enabled is True:
        values |= {"state": EndpointState.ENABLED, "disabled_reason": None}
    elif wanted.enabled is False:
        values |= {"state": EndpointState.DISABLED, "disabled_reason": DisabledReason.BY_MEMBER}
    if wanted.enabled is True or values.get("url", former) != former:
        values |= {"failing_since": None, "next_attempt_at": None}
    session.execute(
        update(EndpointRow)
        .where(EndpointRow.id == endpoint_id, access.covers(EndpointRow.organization_id))
        .values(**values, changed_at=access.now)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    audit.record_by(session, access, Action.WEBHOOK_ENDPOINT_CHANGED, endpoint_id)
    return find(session, access, endpoint_id=endpoint_id)


def remove(session: Session, access: Access, *, endpoint_id: str) -> None:
    """Remove an endpoint with its keys and its deliveries.

    Raises:
        EndpointNotFound: The organisation has no such endpoint.
    """
    removed = session.scalars(
        delete(EndpointRow)
        .where(EndpointRow.id == endpoint_id, access.covers(EndpointRow.organization_id))
        .returning(EndpointRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if removed is None:
        raise EndpointNotFound(_NOT_FOUND)
    audit.record_by(session, access, Action.WEBHOOK_ENDPOINT_REMOVED, endpoint_id)


def rotate_key(
    session: Session, access: Access, *, endpoint_id: str, former_ends_after: timedelta
) -> Sequence[PublicKey]:
    """Add a new signing key; the current one signs beside it for a while. An older one ends now: at most two sign.

    Raises:
        EndpointNotFound: The organisation has no such endpoint.
    """
    find(session, access, endpoint_id=endpoint_id, locks=True)
    ends_later = access.now + former_ends_after
    for key_id, expires_at in session.execute(
        select(SigningKeyRow.id, SigningKeyRow.expires_at).where(
            SigningKeyRow.endpoint_id == endpoint_id, *_live(access)
        )
    ).all():
        session.execute(
            update(SigningKeyRow)
            .where(SigningKeyRow.id == key_id)
            .values(expires_at=ends_later if expires_at is None else access.now)
            .execution_options(synchronize_session=False)
        )
    _add_key(session, access, endpoint_id=endpoint_id)
    audit.record_by(session, access, Action.WEBHOOK_KEY_ROTATED, endpoint_id)
    return keys_of(session, access, endpoint_id=endpoint_id)


def delete_expired_keys(session: Session, *, now: datetime) -> None:
    """Delete keys that no longer sign."""
    session.execute(delete(SigningKeyRow).where(SigningKeyRow.expires_at <= now))


def keys_of(session: Session, access: Access, *, endpoint_id: str) -> Sequence[PublicKey]:
    """Public keys of an endpoint that sign now, newest first."""
    return keys_by_endpoint(session, access).get(endpoint_id, [])


def keys_by_endpoint(session: Session, access: Access) -> Mapping[str, Sequence[PublicKey]]:
    """Public keys of each of the organisation's endpoints."""
    rows = session.execute(
        select(SigningKeyRow.endpoint_id, SigningKeyRow.public_key, SigningKeyRow.expires_at)
        .where(*_live(access))
        .order_by(SigningKeyRow.id.desc())
    )
    found: dict[str, list[PublicKey]] = {}
    for row in rows:
        key = PublicKey(public_key=row.public_key, expires_at=row.expires_at)
        found.setdefault(row.endpoint_id, []).append(key)
    return found


def public_keys(database: Database, *, endpoint_id: str, now: datetime) -> Sequence[PublicKey]:
    """The same without authentication.

    Raises:
        EndpointNotFound: There is no such endpoint.
    """
    rows = database.look(_PUBLIC_KEYS, {"endpoint_id": endpoint_id, "now": now})
    if not rows:
        raise EndpointNotFound("There is no such webhook endpoint: copy its id from where you manage it.")
    return [PublicKey(public_key=row["public_key"], expires_at=row["expires_at"]) for row in rows]


def endpoint_of(row: EndpointRow) -> Endpoint:
    """The endpoint a row tells of."""
    return Endpoint(
        id=row.id,
        organization_id=row.organization_id,
        url=row.url,
        description=row.description,
        event_types=row.event_types,
        state=EndpointState(row.state),
        disabled_reason=None if row.disabled_reason is None else DisabledReason(row.disabled_reason),
        failing_since=row.failing_since,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _add_key(session: Session, access: Access, *, endpoint_id: str) -> None:
    key_id, private_key = ids.new_id("whk"), fresh_private_key()
    sealed = SigningKeyRow.fields.at_rest(session, row_id=key_id, fields={"private_key": private_key})
    session.execute(
        insert(SigningKeyRow).values(
            id=key_id,
            endpoint_id=endpoint_id,
            organization_id=access.organization_id,
            public_key=public_key_of(private_key),
            created_at=access.now,
            **sealed,
        )
    )


def _live(access: Access) -> tuple[Any, ...]:
    expires_at = SigningKeyRow.expires_at
    return (
        access.covers(SigningKeyRow.organization_id),
        or_(expires_at.is_(None), expires_at > access.now),
    )
