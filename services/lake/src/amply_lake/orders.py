"""Requests to the anonymiser, and their results."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from amply_lake.errors import LakeError
from amply_lake.policy import Policy
from ledger_format.certificates import Certificate

METRIC: Final = "KAnonViolations"
Form = Literal["parquet", "csv"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")  # as certificates have them


@dataclass(frozen=True, slots=True)
class Release:
    """A completed release: its directory (one file for each part, and the certificate) and the certificate's contents."""

    folder: Path
    certificate: Certificate
    is_new: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """Nothing was released because the policy forbids it, with the reason and numbers.

    `violations` is how many rows would have had to be left out, or 1 where that is not known. Whoever runs the anonymiser
    writes a line with that number; the metric `KAnonViolations` counts the lines, so refused releases and not rows.

    `is_empty`: nothing was there to release, since all of it was released before, or is of people who may not be. No policy was
    broken, and the same files need not come again.
    """

    reason: str
    violations: int
    is_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A requested release: dataset, buyer and destination. The policy applies to new data.

    `withdrawn` are people of the dataset who do not consent any more, as the sources name them: their cells are released no
    more, to nobody and for good. `absent` are people of whom nothing is known just now: they are in no new batch, and what was
    released of them stays. `into` is the folder that releases are made in.
    """

    dataset: str
    buyer: str
    policy: Policy
    into: Path
    form: Form = "parquet"
    withdrawn: Collection[str] = ()
    absent: Collection[str] = ()

    def __post_init__(self) -> None:
        for what in (self.dataset, self.buyer):
            if _NAME.fullmatch(what) is None:
                raise LakeError(f"{what!r} names no dataset and no buyer; use letters, digits and '._-'")

    @property
    def left_out(self) -> set[str]:
        """People excluded from new batches."""
        return {*self.withdrawn, *self.absent}

    @property
    def home(self) -> Path:
        """Directory of this buyer's releases of this dataset."""
        return self.into / self.dataset / self.buyer
