"""What a browser's visit forgives: requests that leaving a page breaks off, and nothing else."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from playwright.sync_api import Page

from tests.local.browser_member import Visit


class OnePage:
    """A page whose requests fail as a test says."""

    def __init__(self) -> None:
        self._heard: dict[str, Callable[[Any], object]] = {}
        self.breaks_off: list[str] = []

    def on(self, event: str, heard: Callable[[Any], object]) -> None:
        self._heard[event] = heard

    def goto(self, _url: str) -> None:
        for url in self.breaks_off:
            self.fails(url, "net::ERR_ABORTED")

    def fails(self, url: str, failure: str) -> None:
        self._heard["requestfailed"](SimpleNamespace(url=url, failure=failure))


def test_a_request_that_is_broken_off_is_forgiven_while_a_page_is_left_alone() -> None:
    page = OnePage()
    visit = Visit(cast("Page", page))
    page.breaks_off = ["/polled"]
    visit.goes("/account/")
    assert visit.errors == []
    page.fails("/sent", "net::ERR_ABORTED")
    page.breaks_off = []
    visit.goes("/donate/")
    assert visit.errors == ["/sent"]
