"""`make clean`: removes everything that a run created, also outside its directory."""

import shutil
from contextlib import suppress
from pathlib import Path

from local_cloud import database, postgres
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings


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
    _remove(settings.state)


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise LocalCloudError(
            f"{error.filename or folder} could not be removed ({error.strerror or error}): mend that, then type the same "
            "command again."
        ) from error
