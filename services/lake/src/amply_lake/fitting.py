"""Checks that a batch's certificate stays within its limits whatever is released, before the batch is recorded for good."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from amply_lake.errors import SourceError
from ledger_format.certificates import Certificate, Part, encode_certificate
from ledger_format.errors import CertificateError

_LARGEST: Final = 2**53 - 1
_HASH: Final = "0" * 64
_LONGEST_BUYER: Final = "b" * 128


def check_fits(dataset: str, certified: Sequence[Mapping[str, Any]]) -> None:
    """Encode the longest possible certificate of the batches: every row released, to a buyer with a long name.

    Raises:
        SourceError: The format has no room for it, or refuses what one of the batches says.
    """
    longest = Certificate(
        dataset=dataset,
        buyer=_LONGEST_BUYER,
        release=_LARGEST,
        issued_at=datetime(2000, 1, 1, tzinfo=UTC),
        previous=_HASH,
        parts=tuple(_longest(number, one) for number, one in enumerate(certified, start=1)),
    )
    try:
        encode_certificate(longest)
    except CertificateError as failure:
        raise SourceError(
            f"no certificate of {dataset} could tell of these files ({failure}); nothing was changed, "
            "so give fewer, larger batches, or what is new as another dataset"
        ) from failure


def _longest(number: int, certified: Mapping[str, Any]) -> Part:
    """A batch's part with each count as large as it can be: people, classes, values and cells are no more than rows."""
    rows = certified["rows_in"] - certified["suppressed"]
    sensitive = tuple(certified["sensitive"])
    return Part(
        batch=number,
        file=f"part-{number:06}.parquet",
        sha256=_HASH,
        size=_LARGEST,
        rows=rows,
        people=rows,
        classes=rows,
        k=rows,
        l=rows if sensitive else None,
        t="0.999999999" if sensitive else None,
        withheld=rows,
        **{**certified, "sensitive": sensitive, "person": certified.get("person")},
    )
