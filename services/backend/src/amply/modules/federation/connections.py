"""An organisation's identity provider. Authorised within each statement, and again by row-level security."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules import audit, people
from amply.modules.access import Access, NotAllowed, Role
from amply.modules.audit import Action
from amply.modules.federation.domain import (
    GROUPS_MAX,
    Connection,
    ConnectionNotAcceptable,
    ConnectionNotFound,
    NotTriedYet,
)
from amply.modules.federation.models import ConnectionRow, DomainRow

_FIND: Final = text("SELECT name, issuer, client_id, sealed_secret, domains FROM find_connection(:asked)")
_ISSUER_LENGTH_MAX: Final = 500
_TRIED: Final = text("""
    SELECT EXISTS (
        SELECT FROM member WHERE organization_id = :organization_id AND holds_until IS NOT NULL
    )
""")


def show(session: Session, access: Access, *, locked: bool = False) -> Connection:
    """The organisation's provider. `locked`: until the end of the transaction.

    Raises:
        ConnectionNotFound: It has none.
    """
    asked = select(ConnectionRow).where(access.covers(ConnectionRow.organization_id))
    row = session.scalars(asked.with_for_update(of=ConnectionRow) if locked else asked).one_or_none()
    if row is None:
        raise ConnectionNotFound("Set up your organisation's sign-in first: name its issuer and client.")
    return _connection(row)


def put(
    session: Session,
    access: Access,
    *,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    default_role: Role | None,
    group_roles: Mapping[str, Role],
    is_required: bool,
    key: people.PeopleKey,
    allows_loopback: bool,
) -> Connection:
    """Create or replace the provider. Without a secret the stored one is kept, if issuer and client are unchanged.

    Raises:
        ConnectionNotAcceptable: The issuer is no https address, an owner would be made, or a secret is missing.
        NotTriedYet: It would be required, and nobody has come by it yet or no domain is shown.
    """
    _check(issuer, default_role, group_roles, allows_loopback=allows_loopback)
    before = session.scalars(
        select(ConnectionRow)
        .where(access.covers(ConnectionRow.organization_id))
        .with_for_update(of=ConnectionRow)
    ).one_or_none()
    is_same = before is not None and (before.issuer, before.client_id) == (issuer, client_id)
    if client_secret is None and not is_same:
        raise ConnectionNotAcceptable("Give the client's secret, too.", param="client_secret")
    if is_required and not (is_same and _is_tried(session, access)):
        raise NotTriedYet("Show a domain and sign in by the provider once before you require it.")
    values = {
        "issuer": issuer,
        "client_id": client_id,
        "sealed_secret": before.sealed_secret
        if client_secret is None and before is not None
        else key.seal(client_secret or "", of=_bound_to(access.organization_id)),
        "default_role": default_role,
        "group_roles": {name: role.value for name, role in group_roles.items()},
        "is_required": is_required,
        "changed_at": access.now,
    }
    if access.role not in (Role.OWNER, Role.ADMIN):
        raise NotAllowed("Ask an owner or administrator to set up your organisation's sign-in.")
    session.execute(
        insert(ConnectionRow)
        .values(organization_id=access.organization_id, **values)
        .on_conflict_do_update(index_elements=[ConnectionRow.organization_id], set_=values)
    )
    audit.record_by(session, access, Action.SIGN_IN_CHANGED, reason="required" if is_required else "offered")
    session.expire_all()
    return show(session, access)


def remove(session: Session, access: Access) -> None:
    """Remove the provider: sign-in stops at once, and roles from it expire within five minutes.

    Raises:
        ConnectionNotFound: There is none.
    """
    gone = session.scalars(
        delete(ConnectionRow)
        .where(access.covers(ConnectionRow.organization_id))
        .returning(ConnectionRow.organization_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if gone is None:
        raise ConnectionNotFound("Your organisation has no sign-in of its own.")
    audit.record_by(session, access, Action.SIGN_IN_REMOVED)


def connection_of(database: Database, key: people.PeopleKey, organization_id: str) -> people.Provider | None:
    """An organisation's provider for sign-in; None without a provider or a verified domain."""
    with database.transaction() as session:
        row = session.execute(_FIND, {"asked": organization_id}).one_or_none()
    if row is None or not row.domains:
        return None
    return people.Provider(
        key=organization_id,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        client_secret=key.unseal(bytes(row.sealed_secret), of=_bound_to(organization_id)),
        domains=frozenset(row.domains),
    )


def _check(
    issuer: str, default_role: Role | None, group_roles: Mapping[str, Role], *, allows_loopback: bool
) -> None:
    parts = urlsplit(issuer)
    is_local = allows_loopback and parts.hostname in ("127.0.0.1", "localhost")
    if (parts.scheme != "https" and not is_local) or not parts.hostname or parts.query or parts.fragment:
        raise ConnectionNotAcceptable(
            "Give the issuer as your provider names it: it begins with https://.", param="issuer"
        )
    if len(issuer) > _ISSUER_LENGTH_MAX or len(group_roles) > GROUPS_MAX:
        raise ConnectionNotAcceptable(f"Name {GROUPS_MAX} groups at most.", param="group_roles")
    if Role.OWNER in (default_role, *group_roles.values()):
        raise ConnectionNotAcceptable(
            "Nobody becomes an owner so: ownership is offered by an owner.", param="group_roles"
        )


def _is_tried(session: Session, access: Access) -> bool:
    shown = session.scalars(
        select(DomainRow.domain)
        .where(DomainRow.verified_at.is_not(None), access.covers(DomainRow.organization_id))
        .limit(1)
    ).first()
    return shown is not None and bool(session.scalar(_TRIED, {"organization_id": access.organization_id}))


def _bound_to(organization_id: str) -> str:
    return f"sign-in-client\0{organization_id}"


SEALED: Final = people.SealedColumn(column=ConnectionRow.sealed_secret, of=_bound_to)


def _connection(row: ConnectionRow) -> Connection:
    return Connection(
        organization_id=row.organization_id,
        issuer=row.issuer,
        client_id=row.client_id,
        default_role=None if row.default_role is None else Role(row.default_role),
        group_roles={name: Role(role) for name, role in row.group_roles.items()},
        is_required=row.is_required,
        changed_at=row.changed_at,
    )
