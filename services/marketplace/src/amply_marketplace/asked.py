"""The API's three routes: list datasets, get links to a dataset's files, get usage."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from amply_marketplace.control_plane import ControlPlane
from amply_marketplace.datasets import Dataset, Released
from amply_marketplace.errors import NotThere, NotUnderstood
from amply_marketplace.gateway import Answer, Request, as_json
from amply_marketplace.giving import give
from amply_marketplace.grants import Grant, named, token_digest, usable
from amply_marketplace.links import Links
from amply_marketplace.metering import seconds_left_of_month
from amply_marketplace.pages import page


def datasets(request: Request, *, control: ControlPlane, now: datetime) -> Answer:
    """GET /datasets: what the token's contracts cover."""
    caller = token_digest(request.headers.get("authorization"))
    grants = list(usable(control.grants(caller), now).values())
    wanted = page(
        caller=caller, listing="datasets", token=request.query.get("page"), size=request.query.get("limit")
    )
    cut, following = wanted.cut(grants)
    listed = [_shown(grant, dataset) for grant in cut if (dataset := control.dataset(grant)) is not None]
    return as_json({"datasets": listed, "next_page": following})


def links_to(request: Request, *, control: ControlPlane, links: Links, now: datetime) -> Answer:
    """POST /datasets/{dataset}/links: links to a revision's files, in pages. Each answer counts as used; so does a repeat."""
    caller = token_digest(request.headers.get("authorization"))
    grant = _covering(usable(control.grants(caller), now), request.parameters.get("dataset", ""))
    body = request.json()
    released = control.released(grant, number=_revision(body))
    wanted = page(
        caller=caller,
        listing=f"links {grant.share} {grant.dataset_id} {released.revision.number}",
        token=body.get("page"),
        size=body.get("limit"),
    )
    files, following = wanted.cut(released.files)
    linked = give(grant, released, files, control=control, links=links, now=now, name=request.request_id)
    made = [
        {
            "name": one.file.key.rpartition("/")[2],
            "url": one.url,
            "expires_at": one.until.isoformat(),
            "bytes": one.file.size_bytes,
            "rows": one.file.rows,
            "sha256": one.file.sha256,
        }
        for one in linked
    ]
    return as_json(
        {
            "dataset": grant.dataset_id,
            "contract": grant.share,
            "revision": released.revision.number,
            "links": made,
            "certificate": _certificate(grant, released, links=links, now=now),
            "next_page": following,
        },
        status=201,
    )


def _certificate(
    grant: Grant, released: Released, *, links: Links, now: datetime
) -> Mapping[str, Any] | None:
    """A link to what the revision promises, signed; it is not counted as used."""
    revision = released.revision
    if revision.certificate is None:
        return None
    url, until = links.to(revision.certificate, now=now, until=grant.ends())
    return {"url": url, "expires_at": until.isoformat(), "sha256": revision.certificate_sha256}


def usage(request: Request, *, control: ControlPlane, now: datetime) -> Answer:
    """GET /usage?month=2026-11: each contract's month, with its answers in pages; this month unless told.

    A page after the first is one contract's: `contract` names it where the token has several.
    """
    caller = token_digest(request.headers.get("authorization"))
    month = _month(request.query.get("month"), now)
    contracts = {grant.share: grant.under for grant in usable(control.grants(caller), now).values()}
    told = []
    for contract_id in _named_of(contracts, request.query.get("contract")):
        contract = contracts[contract_id]
        wanted = page(
            caller=caller,
            listing=f"usage {contract_id} {month:%Y-%m}",
            token=request.query.get("page"),
            size=request.query.get("limit"),
        )
        events, following = wanted.cut(control.events(contract, month))
        told.append(
            {
                "contract": contract_id,
                "month": f"{month:%Y-%m}",
                **control.used(contract, month),
                "bytes_a_month": contract.bytes_a_month,
                "answers_listed": events,
                "next_page": following,
            }
        )
    return as_json({"usage": told, "month_ends_in_seconds": seconds_left_of_month(now)})


def _covering(grants: Mapping[tuple[str, str], Grant], said: str) -> Grant:
    """The grant of a dataset: a token has one at most, since the table of grants is keyed by token and dataset."""
    dataset = named(said)
    found = next((grant for (_, of), grant in grants.items() if of == dataset), None)
    if found is None:
        raise NotThere
    return found


def _named_of(contracts: Collection[str], said: str | None) -> Collection[str]:
    """The one that is named, or all."""
    if said is None:
        return contracts
    if (contract := named(said)) not in contracts:
        raise NotThere
    return [contract]


def _shown(grant: Grant, dataset: Dataset) -> Mapping[str, Any]:
    return {
        "dataset": dataset.dataset_id,
        "title": dataset.title,
        "class": dataset.kind,
        "revision": dataset.latest,
        "contract": grant.share,
        "until": grant.ends().isoformat(),
    }


def _revision(body: Mapping[str, Any]) -> int | None:
    said = body.get("revision")
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int) or not 0 < said <= 9_999_999_999:  # noqa: PLR2004 -- ten digits
        raise NotUnderstood("A revision is a whole number, counted from 1.")
    return said


def _month(said: str | None, now: datetime) -> datetime:
    if said is None:
        return now
    try:
        return datetime.strptime(said, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise NotUnderstood("A month is written as 2026-11.") from None
