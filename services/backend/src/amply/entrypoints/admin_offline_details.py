"""Reads the donor's details for `admin donation offline record`: from a file, standard input, or an upload for a task."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

import click
from pydantic import ValidationError

from amply.adapters.s3.operator_files import S3OperatorFiles
from amply.infra.settings import ExportSettings
from amply.modules.donations import OfflineDetails

_BYTES_MAX: Final = 65_536
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PAGE: Final = "docs/books.md shows the file"


@contextmanager
def details_given(file: IO[bytes] | None, uploaded: str | None) -> Iterator[OfflineDetails]:
    """Read the details. An uploaded file is deleted once the block succeeds.

    Raises:
        click.UsageError: Neither is given, or both; there is no such file, or not what it has to be.
    """
    if (file is None) == (uploaded is None):
        raise click.UsageError("Give --from or --uploaded, one of them.")
    if file is not None:
        yield _read(file.read(_BYTES_MAX + 1))
        return
    name = str(uploaded)
    if not _NAME.fullmatch(name):
        raise click.UsageError(
            "Name what was uploaded by letters, digits, dots and hyphens, such as gift-1.json."
        )
    store = S3OperatorFiles(bucket=ExportSettings().exports_bucket)
    content = store.read(name, bytes_max=_BYTES_MAX + 1)
    if content is None:
        raise click.UsageError(
            "Nothing was uploaded under this name: upload it first, as docs/books.md says."
        )
    yield _read(content)
    store.remove(name)


def _read(content: bytes) -> OfflineDetails:
    """Without a word of what the file says: what commands print stands in a log."""
    if len(content) > _BYTES_MAX:
        raise click.UsageError(f"The file has more than {_BYTES_MAX} bytes: {_PAGE}.")
    try:
        return OfflineDetails.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if not where:
        raise click.UsageError(f"The file is no JSON object: {_PAGE}.")
    raise click.UsageError(f"Correct `{where}` in the file ({first['type']}): {_PAGE}.")
