"""Tables of wrapped envelope keys, and of key-tree leaves that encrypt nothing any more."""

from datetime import datetime

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class DataKeyRow(Record):
    """A wrapped key version. `wrapped` is None once destroyed. `seals_from`: by then every process knows it.

    `tree`: which tree of keys belongs to it; None where there is none, or none any more.
    """

    __tablename__ = "data_key"

    scope: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    wrapped: Mapped[bytes | None]
    seals_from: Mapped[datetime]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
    tree: Mapped[bytes | None]


class ClosedLeafRow(Record):
    """A leaf under which the database accepts no new values. `cut_at`: deleted from the tree."""

    __tablename__ = "closed_leaf"

    scope: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    closed_at: Mapped[datetime]
    cut_at: Mapped[datetime | None]
