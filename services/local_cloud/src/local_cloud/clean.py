"""`make clean`: removes everything that a run created, also outside its directory."""

import shutil
from contextlib import suppress
from pathlib import Path

from local_cloud import database, postgres
from local_cloud.failures import LocalCloudError
from local_cloud.settings import MARKS, Settings


def remove_everything(settings: Settings) -> None:
    """Raise LocalCloudError for what cannot be removed. Whose the directory is, `doctor` has asked."""
    outside = database.directory(settings)
    if not outside.is_relative_to(settings.state):
        _remove(outside)
        with suppress(OSError):
            outside.parent.rmdir()
    if settings.is_default:
        # Every run of this checkout uses the copy; only the one that `make clean` speaks of takes it away.
        postgres.remove_copied_binaries()
    # What shows whose folder it is goes last: where something cannot be removed, the command is repeated.
    if settings.state.is_dir() and not settings.state.is_symlink():
        for path in settings.state.iterdir():
            if path.is_symlink():
                path.unlink()
            elif path.name not in MARKS:
                _remove(path)
    _remove(settings.state)


def _remove(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise LocalCloudError(
            f"{error.filename or path} could not be removed ({error.strerror or error}): mend that, then type the same "
            "command again."
        ) from error
