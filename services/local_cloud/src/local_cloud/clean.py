"""`make clean`: removes everything that a run created, also outside its directory."""

import shutil
from contextlib import suppress

from local_cloud import database, postgres
from local_cloud.settings import Settings


def remove_everything(settings: Settings) -> None:
    outside = database.directory(settings)
    if not outside.is_relative_to(settings.state):
        shutil.rmtree(outside, ignore_errors=True)
        with suppress(OSError):
            outside.parent.rmdir()
    if settings.is_default:
        # Every run of this checkout uses the copy; only the one that `make clean` speaks of takes it away.
        postgres.remove_copied_binaries()
    shutil.rmtree(settings.state, ignore_errors=True)
