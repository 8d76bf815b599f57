"""Presses buttons, and waits until an image is drawn."""

import time
from typing import Final

from playwright.sync_api import Locator, expect

_PATIENCE_MILLISECONDS: Final = 30_000
_BETWEEN_MILLISECONDS: Final = 50
_IS_DRAWN: Final = "image => image.complete === true && image.naturalWidth > 0"


def presses(control: Locator) -> None:
    """By the keyboard: parts of a page come one after the other, and move what is below from under the mouse.

    A key does not wait, as a click does, until a button takes it.
    """
    expect(control).to_be_enabled(timeout=_PATIENCE_MILLISECONDS)
    control.press("Enter")


def is_drawn(image: Locator) -> None:
    """Wait until all its bytes are there; an image whose source is not named yet is complete too, and has no width."""
    until = time.monotonic() + _PATIENCE_MILLISECONDS / 1000
    while not image.evaluate(_IS_DRAWN, timeout=_PATIENCE_MILLISECONDS):
        assert time.monotonic() < until, f"not drawn: {image}"
        image.page.wait_for_timeout(_BETWEEN_MILLISECONDS)
