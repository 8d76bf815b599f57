"""Files given by the person who checks, read with a limit."""

import sys
from pathlib import Path

from amply_verify.outcome import CheckFailure, Exit


def read_file(name: str, *, limit: int, if_larger: Exit = Exit.MALFORMED) -> bytes:
    """Read a file (`-` for standard input) of at most `limit` bytes.

    Raises:
        CheckFailure: It cannot be read, or is larger.
    """
    try:
        if name == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no file name"
        raise CheckFailure(
            Exit.UNREADABLE, f"{name!r} cannot be read ({reason})", "give the path of a file you can read"
        ) from error
    if len(content) > limit:
        raise CheckFailure(
            if_larger,
            f"{name!r} is larger than {limit} bytes",
            "give the file itself, not an archive of it",
        )
    return content


def decode_text(content: bytes, *, what: str) -> str:
    """Read bytes as UTF-8.

    Raises:
        CheckFailure: They are not.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CheckFailure(
            Exit.MALFORMED, f"{what} is not UTF-8 text", "check that it is the right one"
        ) from error
