"""A log's files in a local directory, such as a mirror. Whoever wrote it is trusted with nothing.

Only plain files below the directory are read: a link could lead anywhere, and a pipe would keep a reader waiting.
"""

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from amply_verify.outcome import CheckFailure, Exit

MAX_REMEMBERED_FOLDERS: Final = 4_096

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


class DirectoryGetter:
    """A `Getter` whose addresses are paths below one directory: `/checkpoint`, `/tile/0/000`."""

    def __init__(self, name: str) -> None:
        try:
            self._root = Path(name).resolve(strict=True)
            is_directory = self._root.is_dir()
        except (OSError, ValueError, RuntimeError) as error:
            raise _unreadable(name, "it does not exist") from error
        if not is_directory:
            raise _unreadable(name, "it is no directory")
        self._name = name
        self._base = str(self._root)
        self._plain_folders: set[str] = set()

    @property
    def root(self) -> Path:
        """The directory itself, links resolved."""
        return self._root

    def get(self, url: str, *, limit: int) -> bytes:
        """Read at most `limit` bytes.

        Raises:
            CheckFailure: NOT_THERE, UNREADABLE for what is no plain file, MALFORMED for what is larger.
        """
        relative = url.lstrip("/")
        folder, _, _ = relative.rpartition("/")
        if folder not in self._plain_folders:
            self._check_folder(folder, url)
        try:
            descriptor = os.open(f"{self._base}/{relative}", _FLAGS | _BINARY)
        except FileNotFoundError as error:
            raise _absent(self._shown(relative)) from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "no file name"
            raise _unreadable(self._shown(relative), reason) from error
        try:
            return _read(descriptor, self._shown(relative), limit=limit)
        finally:
            os.close(descriptor)

    def _shown(self, relative: str) -> str:
        return f"{self._name}/{relative}"

    def _check_folder(self, folder: str, url: str) -> None:
        try:
            resolved = (self._root / folder).resolve(strict=True)
        except FileNotFoundError as error:
            raise _absent(f"{self._name}{url}") from error
        except (OSError, ValueError, RuntimeError) as error:
            raise _unreadable(f"{self._name}/{folder}", "it cannot be followed") from error
        if resolved != self._root / folder:
            raise _unreadable(f"{self._name}/{folder}", "it is a link, or leads out of the directory")
        if len(self._plain_folders) >= MAX_REMEMBERED_FOLDERS:
            self._plain_folders.clear()
        self._plain_folders.add(folder)


def store(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old content or the new one, and never a part.

    Raises:
        CheckFailure: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _flush_folder(path.parent)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CheckFailure(
            Exit.UNREADABLE,
            f"{str(path)!r} cannot be written ({reason})",
            "make room or choose another place",
        ) from error


def _flush_folder(folder: Path) -> None:
    """Make a new name last. Where folders cannot be opened (Windows) the file system sees to it."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _read(descriptor: int, shown: str, *, limit: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(shown, "it is no plain file")
    if status.st_size > limit:
        raise CheckFailure(
            Exit.MALFORMED,
            f"{shown!r} is larger than {limit} bytes",
            "what the log serves is damaged, so report it to the log's operator",
        )
    content = os.read(descriptor, status.st_size)
    if len(content) != status.st_size:
        raise _unreadable(shown, "it changes while it is read")
    return content


def _absent(shown: str) -> CheckFailure:
    return CheckFailure(
        Exit.NOT_THERE, f"{shown!r} does not exist", "check the name, or complete the copy of the log"
    )


def _unreadable(shown: str, reason: str) -> CheckFailure:
    return CheckFailure(
        Exit.UNREADABLE, f"{shown!r} cannot be read ({reason})", "give a directory of plain files"
    )
