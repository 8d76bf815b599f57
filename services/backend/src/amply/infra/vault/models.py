"""Tables of wrapped envelope keys, and of key-tree leaves that encrypt nothing any more."""

from datetime import datetime

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class DataKeyRow(Record):
    """`wrapped` is None once the version is destroyed. `seals_from`: every process has heard of it by then.

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
    """A leaf that the database takes nothing under any more. `cut_at`: it is cut out of the tree, and opens nothing."""

    __tablename__ = "closed_leaf"

    scope: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    closed_at: Mapped[datetime]
    cut_at: Mapped[datetime | None]
