"""What axe-core finds on a page."""

import json
from collections.abc import Sequence
from typing import Final

from playwright.sync_api import Page

from tests.browser.site_server import WIDGETS

_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OF_COLOURS: Final = ("color-contrast", "link-in-text-block")
"""Axe's rules that colours decide; nothing else is another in the dark."""


def assert_accessible(page: Page) -> None:
    """No violation, and no scrolling sideways: in light and dark, on a telephone and a desk."""
    # Evaluated rather than added as a script tag, which the pages' own policy refuses.
    page.evaluate((WIDGETS / "node_modules" / "axe-core" / "axe.min.js").read_text())
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        assert _violations(page) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        assert _violations(page, only=_OF_COLOURS) == [], (width, "dark")


def _violations(page: Page, *, only: Sequence[str] = ()) -> list[str]:
    """Against all rules, or `only` some by their names."""
    asked = {"type": "rule", "values": only} if only else {"type": "tag", "values": _RULES}
    options = json.dumps({"runOnly": asked, "resultTypes": ["violations"]})
    results = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]
