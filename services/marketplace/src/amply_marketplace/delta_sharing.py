"""Delta Sharing protocol over the same grants: a share is a contract, its one schema is `released`, a table is a dataset.

https://github.com/delta-io/delta-sharing/blob/main/PROTOCOL.md. A table's version is the dataset's revision; each one is
whole, so there is no feed of changes, and nothing of a later revision is in an earlier one.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amply_marketplace.control_plane import ControlPlane
from amply_marketplace.datasets import File, Released
from amply_marketplace.errors import NotThere, NotUnderstood
from amply_marketplace.gateway import Answer, Request, as_json
from amply_marketplace.giving import Linked, give
from amply_marketplace.grants import SCHEMA, Grant, named, the, token_digest, usable
from amply_marketplace.links import Links
from amply_marketplace.pages import MOST, page

VERSION = "Delta-Table-Version"
_ROWS = "application/x-ndjson; charset=utf-8"
_CAPABILITIES = {"delta-sharing-capabilities": "responseformat=parquet"}
_UNSUPPORTED = ("timestamp", "startingVersion", "endingVersion", "refreshToken")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """One request of one caller, with what they may see now."""

    request: Request
    caller: str
    grants: Mapping[tuple[str, str], Grant]
    control: ControlPlane
    links: Links
    now: datetime

    def listed(self, of: str, items: Sequence[Mapping[str, Any]]) -> Answer:
        """The protocol lets a list be asked for in pages of 0, which hold nothing but the next page's token."""
        query = self.request.query
        wanted = page(
            caller=self.caller,
            listing=of,
            token=query.get("pageToken"),
            size=query.get("maxResults"),
            least=0,
        )
        cut, following = wanted.cut(items)
        return as_json({"items": list(cut), **({"nextPageToken": following} if following else {})})


Route = Callable[..., Answer]


def answer(request: Request, *, control: ControlPlane, links: Links, now: datetime) -> Answer:
    """Whatever a client of Delta Sharing asks below `/delta-sharing/`.

    Raises:
        Refused: With what is said to the client.
    """
    caller = token_digest(request.headers.get("authorization"))
    asking = Asking(
        request=request,
        caller=caller,
        grants=usable(control.grants(caller), now),
        control=control,
        links=links,
        now=now,
    )
    steps = [step for step in request.parameters.get("proxy", "").split("/") if step]
    route = _ROUTES.get((request.method, *(step if at % 2 == 0 else "*" for at, step in enumerate(steps))))
    if route is None:
        raise NotThere
    return route(asking, *steps[1::2])


def _shares(asking: Asking) -> Answer:
    names = dict.fromkeys(share for share, _ in asking.grants)
    return asking.listed("shares", [{"name": name, "id": name} for name in names])


def _share(asking: Asking, share: str) -> Answer:
    name = _held(asking, share)
    return as_json({"share": {"name": name, "id": name}})


def _schemas(asking: Asking, share: str) -> Answer:
    name = _held(asking, share)
    return asking.listed(f"schemas {name}", [{"name": SCHEMA, "share": name}])


def _tables(asking: Asking, share: str, schema: str) -> Answer:
    if named(schema) != SCHEMA:
        raise NotThere
    return _all_tables(asking, share)


def _all_tables(asking: Asking, share: str) -> Answer:
    name = _held(asking, share)
    tables = [
        {"name": dataset, "schema": SCHEMA, "share": name, "shareId": name, "id": dataset}
        for of, dataset in asking.grants
        if of == name
    ]
    return asking.listed(f"tables {name}", tables)


def _version(asking: Asking, share: str, schema: str, table: str) -> Answer:
    if "startingTimestamp" in asking.request.query:
        raise NotUnderstood("Revisions are asked for by their number, not by a time.")
    _, released = _found(asking, share, schema, table)
    return Answer(headers={VERSION: str(released.revision.number)})


def _metadata(asking: Asking, share: str, schema: str, table: str) -> Answer:
    _, released = _found(asking, share, schema, table)
    return _rows(released, [_PROTOCOL, _described(released)])


def _query(asking: Asking, share: str, schema: str, table: str) -> Answer:
    body = asking.request.json()
    if said := [name for name in _UNSUPPORTED if name in body]:
        raise NotUnderstood(
            f"A revision is whole: {said[0]} means nothing here; ask with version, or without."
        )
    grant, released = _found(asking, share, schema, table, number=_number(body))
    wanted = page(
        caller=asking.caller,
        listing=f"files {grant.share} {grant.dataset_id} {released.revision.number}",
        token=body.get("pageToken"),
        size=body.get("maxFiles"),
    )
    files, following = wanted.cut(_enough(released.files, body.get("limitHint")))
    if following and "maxFiles" not in body:
        raise NotUnderstood(f"This table has more than {MOST} files: ask in pages, with maxFiles.")
    linked = give(
        grant,
        released,
        files,
        control=asking.control,
        links=asking.links,
        now=asking.now,
        name=asking.request.request_id,
    )
    lines = [_PROTOCOL, _described(released), *(_file(one, released) for one in linked)]
    if "maxFiles" in body or "pageToken" in body:
        lines.append(_end(linked, following))
    return _rows(released, lines)


def _held(asking: Asking, share: str) -> str:
    name = named(share)
    if all(of != name for of, _ in asking.grants):
        raise NotThere
    return name


def _found(
    asking: Asking, share: str, schema: str, table: str, *, number: int | None = None
) -> tuple[Grant, Released]:
    grant = the(asking.grants, share=share, schema=schema, table=table)
    return grant, asking.control.released(grant, number=number)


def _number(body: Mapping[str, Any]) -> int | None:
    said = body.get("version")
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said <= 9_999_999_999:  # noqa: PLR2004 -- ten digits
        raise NotUnderstood("A version is a whole number.")
    return said


def _enough(files: Sequence[File], limit: object) -> Sequence[File]:
    """So many files that they hold `limit` rows. A hint: whoever sends nonsense gets all of them."""
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        return files
    rows = 0
    for count, file in enumerate(files):
        if rows >= limit:
            return files[:count]
        rows += file.rows
    return files


_PROTOCOL: Mapping[str, Any] = {"protocol": {"minReaderVersion": 1}}


def _described(released: Released) -> Mapping[str, Any]:
    dataset = released.dataset
    return {
        "metaData": {
            "id": dataset.dataset_id,
            "name": dataset.dataset_id,
            "description": dataset.title,
            "format": {"provider": "parquet"},
            "schemaString": dataset.schema,
            "partitionColumns": [],
            "configuration": {},
            "version": released.revision.number,
            "size": released.size_bytes,
            "numFiles": len(released.files),
        }
    }


def _file(linked: Linked, released: Released) -> Mapping[str, Any]:
    return {
        "file": {
            "url": linked.url,
            "id": linked.file.sha256,
            "partitionValues": {},
            "size": linked.file.size_bytes,
            "stats": json.dumps({"numRecords": linked.file.rows}),
            "version": released.revision.number,
            "expirationTimestamp": _milliseconds(linked.until),
        }
    }


def _end(linked: Sequence[Linked], following: str | None) -> Mapping[str, Any]:
    first = min((_milliseconds(one.until) for one in linked), default=None)
    return {
        "endStreamAction": {
            **({"nextPageToken": following} if following else {}),
            **({"minUrlExpirationTimestamp": first} if first is not None else {}),
        }
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _rows(released: Released, lines: Sequence[Mapping[str, Any]]) -> Answer:
    headers = {"Content-Type": _ROWS, VERSION: str(released.revision.number), **_CAPABILITIES}
    return Answer(body="".join(f"{json.dumps(line)}\n" for line in lines), headers=headers)


def _table(last: str) -> tuple[str, ...]:
    return ("shares", "*", "schemas", "*", "tables", "*", last)


def _routes() -> Iterator[tuple[tuple[str, ...], Route]]:
    yield ("GET", "shares"), _shares
    yield ("GET", "shares", "*"), _share
    yield ("GET", "shares", "*", "schemas"), _schemas
    yield ("GET", "shares", "*", "schemas", "*", "tables"), _tables
    yield ("GET", "shares", "*", "all-tables"), _all_tables
    yield ("GET", *_table("version")), _version
    yield ("GET", *_table("metadata")), _metadata
    yield ("POST", *_table("query")), _query


_ROUTES: Mapping[tuple[str, ...], Route] = dict(_routes())
