"""Pressing what stands on a page, and seeing that a picture is drawn."""

from typing import Final

from playwright.sync_api import Locator, expect

_PATIENCE_MILLISECONDS: Final = 30_000


def presses(control: Locator) -> None:
    """By the keyboard: parts of a page come one after the other, and move what is below from under the mouse.

    A key does not wait, as a click does, until a button takes it.
    """
    expect(control).to_be_enabled(timeout=_PATIENCE_MILLISECONDS)
    control.press("Enter")


def is_drawn(image: Locator) -> None:
    """Wait until its bytes are there; an image whose source is not named yet is complete too, and has no width."""
    expect(image).not_to_have_js_property("naturalWidth", 0, timeout=_PATIENCE_MILLISECONDS)
