"""`/v1/organisations/{organization_id}/data`: read-only view of the data that an organisation has a part in.

Where nothing is sold, each answer is `degraded` and empty.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import StringConstraints

from amply.infra.keyset import CursorOf
from amply.infra.web import responses
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable, cursor_of, place_in
from amply.modules import ledger
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.seller_portal.certificate_reading import certified_parts
from amply.modules.seller_portal.consents import consents_of
from amply.modules.seller_portal.domain import (
    SHARED,
    Dataset,
    DatasetNotFound,
    ReleaseNotFound,
    Share,
    Use,
)
from amply.modules.seller_portal.ports import Dependencies, TablesAway
from amply.modules.seller_portal.schemas import (
    CertificateOut,
    CertifiedPartOut,
    ConsentsList,
    ConsentsOut,
    DatasetOut,
    DatasetPage,
    ReleaseOut,
    ReleasePage,
    SharePage,
    UseOut,
    UsePage,
)

router = APIRouter(prefix="/v1/organisations/{organization_id}/data", tags=["Sold data"])

Item = TypeVar("Item")

_NOTHING: Any = {"degraded": True, "data": [], "has_more": False, "next_cursor": None}
_DIGITS_MAX = 10
"""Of a release's number, as its sort key has them."""


async def _parts(request: Request) -> Dependencies | None:
    parts: Dependencies | None = request.app.state.seller_data
    return parts


async def _is_asked(request: Request) -> bool:
    return request.app.state.consents is not None


PartsOf = Annotated[Dependencies | None, Depends(_parts)]
IsAsked = Annotated[bool, Depends(_is_asked)]
Reading = Annotated[Access, allowed(Permission.SOLD_DATA_READ)]
DatasetId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Number = Annotated[int, Path(ge=1, lt=10**_DIGITS_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)]


@router.get("/consents", summary="See how many donors let data be shared", responses=responses(*PROBLEMS))
def see_consents(access: Reading, parts: PartsOf, is_asked: IsAsked) -> ConsentsList:
    """Of whole months, and in numbers that tell of no single donor."""
    if parts is None or not is_asked:
        return ConsentsList(degraded=True, data=[])
    with access.transaction() as session:
        found = consents_of(session, access)
    return ConsentsList(degraded=False, data=[ConsentsOut.of(each) for each in found])


@router.get(
    "/datasets", summary="List datasets", responses=responses(*PROBLEMS, CursorNotAcceptable, TablesAway)
)
def see_datasets(access: Reading, parts: PartsOf, cursor: CursorOf = None, limit: Limit = 20) -> DatasetPage:
    if parts is None:
        return DatasetPage(**_NOTHING, shared=None)
    after = _place(_order(access, "datasets"), cursor, parts=1)
    found = parts.tables.datasets(access.organization_id, after=after[0] if after else None, limit=limit + 1)
    shared = parts.tables.dataset(SHARED) if cursor is None else None
    is_own = shared is not None and shared.owner == access.organization_id
    return DatasetPage(
        data=[DatasetOut.of(each) for each in found[:limit]],
        shared=None if shared is None or is_own else DatasetOut.of(shared),
        **_turn(_order(access, "datasets"), found, limit, lambda each: [each.dataset_id]),
    )


@router.get(
    "/datasets/{dataset_id}/releases",
    summary="List a dataset's releases",
    responses=responses(*PROBLEMS, DatasetNotFound, CursorNotAcceptable, TablesAway),
)
def see_releases(
    dataset_id: DatasetId, access: Reading, parts: PartsOf, cursor: CursorOf = None, limit: Limit = 20
) -> ReleasePage:
    """Each was released once and whole; its certificate says of what, and how."""
    if parts is None:
        return ReleasePage(**_NOTHING)
    order = f"releases:{dataset_id}"
    before = _place(order, cursor, parts=1)
    dataset = _dataset(parts, access, dataset_id)
    found = parts.tables.releases(dataset, before=_number(before), limit=limit + 1)
    return ReleasePage(
        data=[ReleaseOut.of(each) for each in found[:limit]],
        **_turn(order, found, limit, lambda each: [str(each.number)]),
    )


@router.get(
    "/datasets/{dataset_id}/releases/{number}/certificate",
    summary="Get a release's certificate",
    responses=responses(*PROBLEMS, DatasetNotFound, ReleaseNotFound, TablesAway),
)
def see_certificate(dataset_id: DatasetId, number: Number, access: Reading, parts: PartsOf) -> CertificateOut:
    """Whoever has it and the files can check them without us; `parts` repeats what the text says."""
    if parts is None:
        return CertificateOut(degraded=True, filename=None, text=None, sha256=None, parts=[])
    dataset = _dataset(parts, access, dataset_id)
    release = parts.tables.release(dataset.dataset_id, number)
    if release is None:
        raise ReleaseNotFound
    content = parts.certificates.read(release.place)
    if content is None or hashlib.sha256(content).hexdigest() != release.certificate_sha256:
        raise TablesAway("This certificate is not where it should be: ask again later, or write to us.")
    return CertificateOut(
        degraded=False,
        filename=f"{dataset_id}-{number:06d}.certificate",
        text=content.decode(),
        sha256=release.certificate_sha256,
        parts=[CertifiedPartOut.of(part) for part in certified_parts(content)],
    )


@router.get(
    "/datasets/{dataset_id}/usage",
    summary="See how much of a dataset was used",
    responses=responses(*PROBLEMS, DatasetNotFound, CursorNotAcceptable, TablesAway),
)
def see_usage(
    dataset_id: DatasetId, access: Reading, parts: PartsOf, cursor: CursorOf = None, limit: Limit = 20
) -> UsePage:
    """Each answer is counted before it is given."""
    if parts is None:
        return UsePage(**_NOTHING)
    order = f"usage:{dataset_id}"
    before = _place(order, cursor, parts=2)
    dataset = _dataset(parts, access, dataset_id)
    found: Sequence[Use] = parts.tables.uses(dataset.dataset_id, before=_pair(before), limit=limit + 1)
    return UsePage(
        data=[UseOut.of(each) for each in found[:limit]],
        **_turn(order, found, limit, lambda each: [each.month, each.contract_id]),
    )


@router.get(
    "/revenue",
    summary="See what data brought",
    responses=responses(*PROBLEMS, CursorNotAcceptable, TablesAway),
)
def see_revenue(
    access: Annotated[Access, allowed(Permission.REVENUE_READ)],
    parts: PartsOf,
    cursor: CursorOf = None,
    limit: Limit = 20,
) -> SharePage:
    """Each line is a transfer of the ledger, and the public log has it."""
    if parts is None:
        return SharePage(**_NOTHING)
    order = _order(access, "revenue")
    before = _pair(_place(order, cursor, parts=2))
    found: Sequence[Share] = parts.tables.shares(access.organization_id, before=before, limit=limit + 1)
    with access.transaction() as session:
        places = ledger.published_log_indexes(session, entry_ids=[each.entry_id for each in found[:limit]])
    turn = _turn(order, found, limit, lambda each: [each.period, each.transfer_id])
    return SharePage.of(found[:limit], places, next_cursor=turn["next_cursor"])


def _dataset(parts: Dependencies, access: Access, dataset_id: str) -> Dataset:
    """One that is the organisation's, or everybody's.

    Raises:
        DatasetNotFound: It is another's, or there is none: which of these is not told.
    """
    found = parts.tables.dataset(dataset_id)
    if found is None or (found.owner != access.organization_id and dataset_id != SHARED):
        raise DatasetNotFound
    return found


def _order(access: Access, name: str) -> str:
    return f"{name}:{access.organization_id}"


def _place(order: str, cursor: str | None, *, parts: int) -> tuple[str, ...] | None:
    """Raises CursorNotAcceptable for what none of these pages gave."""
    if cursor is None:
        return None
    place = place_in(order, cursor, parts=parts)
    if not all(place):
        raise CursorNotAcceptable
    return place


def _pair(place: tuple[str, ...] | None) -> tuple[str, str] | None:
    return None if place is None else (place[0], place[1])


def _number(place: tuple[str, ...] | None) -> int | None:
    """Raises CursorNotAcceptable for what is none: anybody may write a cursor."""
    if place is None:
        return None
    if not (place[0].isascii() and place[0].isdecimal() and len(place[0]) <= _DIGITS_MAX):
        raise CursorNotAcceptable
    return int(place[0])


def _turn(order: str, found: Sequence[Item], limit: int, of: Callable[[Item], list[str]]) -> dict[str, Any]:
    """Whether there is a next page, and where it begins."""
    cursor = cursor_of(order, of(found[limit - 1])) if len(found) > limit else None
    return {"degraded": False, "has_more": cursor is not None, "next_cursor": cursor}
