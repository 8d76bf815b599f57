"""Polls until a condition holds."""

import time
from collections.abc import Callable
from typing import TypeVar

from local_cloud.failures import LocalCloudError

Found = TypeVar("Found")

_BETWEEN_SECONDS = 0.2


def until(look: Callable[[], Found | None], *, seconds: float, otherwise: str) -> Found:
    """What `look` finds once it is not None.

    Raises:
        LocalCloudError: With the sentence `otherwise`, when nothing was found in time.
    """
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise LocalCloudError(otherwise)
        time.sleep(_BETWEEN_SECONDS)
    return found
