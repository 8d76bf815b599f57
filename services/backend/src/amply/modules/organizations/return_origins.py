"""Origins of an organisation's own sites to which donors may be returned after giving. Public.

The donation page sends nobody anywhere else: a link to it that names a stranger's site must not lead there in the
organisation's name (OWASP, "Unvalidated Redirects and Forwards").
"""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, func, literal, true, update
from sqlalchemy.orm import Session

from amply.kernel.errors import Conflict, InvalidRequest
from amply.modules.organizations import queries
from amply.modules.organizations.models import OrganizationRow

RETURN_ORIGINS_MAX: Final = 10
_ORIGIN_LENGTH_MAX: Final = 255
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PORT: Final = r"(?::[1-9][0-9]{0,4})?"
_ORIGIN: Final = re.compile(
    rf"https://{_LABEL}(?:\.{_LABEL})+{_PORT}|http://(?:localhost|127\.0\.0\.1){_PORT}"
)
_DEFAULT_PORTS: Final = (("https://", ":443"), ("http://", ":80"))


class ReturnOriginNotAcceptable(InvalidRequest):
    """This is not an origin that donors can be sent back to."""

    code = "return_origin_not_acceptable"


class TooManyReturnOrigins(Conflict):
    """An organisation has as many as there may be."""

    code = "too_many_return_origins"


def origin_of(text: str) -> str:
    """Parse an origin: `https://charity.example`, or `http://localhost:8080` for trials.

    Raises:
        ReturnOriginNotAcceptable: It is something else, such as an address with a path.
    """
    origin = text.strip().lower().removesuffix("/")
    for scheme, port in _DEFAULT_PORTS:
        if origin.startswith(scheme):
            origin = origin.removesuffix(port)
    if len(origin) > _ORIGIN_LENGTH_MAX or not _ORIGIN.fullmatch(origin):
        raise ReturnOriginNotAcceptable(
            "Write the site's origin, like https://charity.example: no path, and names of other scripts in their xn-- form.",
            param="origin",
        )
    return origin


def allow_return(session: Session, *, organization_id: str, origin: str) -> Sequence[str]:
    """Allow returns to an origin; return all allowed ones. Idempotent.

    Raises:
        OrganizationNotFound: No organisation has this id.
        ReturnOriginNotAcceptable: As `origin_of` says.
        TooManyReturnOrigins: There are ten.
    """
    wanted = origin_of(origin)
    known = OrganizationRow.return_origins
    _change(
        session,
        organization_id=organization_id,
        to=func.array_append(known, wanted),
        where=(literal(wanted) != func.all(known)) & (func.cardinality(known) < RETURN_ORIGINS_MAX),
    )
    found = queries.get(session, organization_id=organization_id).return_origins
    if wanted not in found:
        raise TooManyReturnOrigins(
            f"An organisation has {RETURN_ORIGINS_MAX} of them at most; forbid one first."
        )
    return found


def forbid_return(session: Session, *, organization_id: str, origin: str) -> Sequence[str]:
    """Forbid returns to an origin; return the remaining ones. Idempotent.

    Raises:
        OrganizationNotFound: No organisation has this id.
        ReturnOriginNotAcceptable: As `origin_of` says.
    """
    to = func.array_remove(OrganizationRow.return_origins, origin_of(origin))
    _change(session, organization_id=organization_id, to=to, where=true())
    return queries.get(session, organization_id=organization_id).return_origins


def acceptable_origins(origins: Sequence[str]) -> Sequence[str]:
    """A validated list of distinct origins.

    Raises:
        ReturnOriginNotAcceptable: As `origin_of` says.
        TooManyReturnOrigins: There are more than ten.
    """
    wanted = list(dict.fromkeys(origin_of(origin) for origin in origins))
    if len(wanted) > RETURN_ORIGINS_MAX:
        raise TooManyReturnOrigins(
            f"An organisation has {RETURN_ORIGINS_MAX} of them at most; leave some out."
        )
    return wanted


def _change(
    session: Session, *, organization_id: str, to: ColumnElement[list[str]], where: ColumnElement[bool]
) -> None:
    """One statement, so that two at once lose nothing and pass no limit."""
    session.execute(
        update(OrganizationRow)
        .where(OrganizationRow.id == organization_id, where)
        .values(return_origins=to)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
