"""API objects in the store: JSON bodies, kept apart by connected account."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from stripe_sandbox.errors import Json, NoSuchObjectError

PLATFORM = ""  # the account of requests without a Stripe-Account header
APPLICATION = "ca_sandboxplatform"  # the platform as connected accounts see it


@dataclass(frozen=True)
class Page:
    """One page of a list: newest first."""

    data: list[Json]
    has_more: bool


@dataclass(frozen=True)
class Objects:
    """The objects of one account, within one transaction, at one moment (`now`: seconds since the epoch)."""

    connection: sqlite3.Connection
    account: str
    now: int

    def add(self, body: Json) -> Json:
        """Store a new object under its own `object` and `id`."""
        created = body.get("created")
        # What lives in the time of a test clock is older, or younger, than the moment it is stored at.
        since = created if isinstance(created, int) else self.now
        self.connection.execute(
            "INSERT INTO objects (id, kind, account, created, updated, body) VALUES (?, ?, ?, ?, ?, ?)",
            (body["id"], body["object"], self.account, since, self.now, json.dumps(body)),
        )
        return body

    def save(self, body: Json) -> Json:
        """Store an object's new state."""
        self.connection.execute(
            "UPDATE objects SET body = ?, updated = ? WHERE id = ? AND account = ?",
            (json.dumps(body), self.now, body["id"], self.account),
        )
        return body

    def remove(self, body: Json) -> None:
        """Forget an object as if it had never been."""
        self.connection.execute(
            "DELETE FROM objects WHERE id = ? AND account = ?", (body["id"], self.account)
        )

    def find(self, kind: str, object_id: str) -> Json | None:
        """The object, or None when this account has none of that kind and id."""
        row = self.connection.execute(
            "SELECT body FROM objects WHERE id = ? AND kind = ? AND account = ?",
            (object_id, kind, self.account),
        ).fetchone()
        return _body(row) if row else None

    def get(self, kind: str, object_id: str, *, param: str = "id") -> Json:
        """The object. Raises NoSuchObjectError, naming the request's `param`."""
        found = self.find(kind, object_id)
        if found is None:
            raise NoSuchObjectError(kind, object_id, param=param)
        return found

    def where(self, kind: str, equals: Mapping[str, object]) -> list[Json]:
        """All objects whose body has these values at these names, newest first."""
        return self.page(
            kind, clauses=[("json_extract(body, ?) = ?", (f"$.{k}", v)) for k, v in equals.items()]
        ).data

    def page(
        self,
        kind: str,
        *,
        clauses: list[tuple[str, tuple[object, ...]]],
        limit: int | None = None,
        oldest_first: bool = False,
    ) -> Page:
        """Objects for which every clause holds. The clauses' SQL is ours; values are bound."""
        condition = " AND ".join(["account = ?", "kind = ?", *(sql for sql, _ in clauses)])
        values = [self.account, kind, *(value for _, bound in clauses for value in bound)]
        order = "ASC" if oldest_first else "DESC"
        rows = self.connection.execute(
            f"SELECT body FROM objects WHERE {condition} ORDER BY sequence {order} LIMIT ?",  # noqa: S608  # no value is put into the text
            [*values, -1 if limit is None else limit + 1],
        ).fetchall()
        has_more = limit is not None and len(rows) > limit
        found = [_body(row) for row in rows[:limit]]
        return Page(found[::-1] if oldest_first else found, has_more)

    def sequence_of(self, kind: str, object_id: str, *, param: str) -> int:
        """Where an object stands in its list. Raises NoSuchObjectError."""
        row = self.connection.execute(
            "SELECT sequence FROM objects WHERE id = ? AND kind = ? AND account = ?",
            (object_id, kind, self.account),
        ).fetchone()
        if row is None:
            raise NoSuchObjectError(kind, object_id, param=param)
        return int(row["sequence"])


def _body(row: sqlite3.Row) -> Json:
    body: Json = json.loads(row["body"])
    return body
