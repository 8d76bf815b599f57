"""A real browser, the built site and its platform, on loopback and temporary."""

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect

from tests.browser.loopback import serving
from tests.browser.platform_double import PlatformDouble
from tests.browser.site_server import WIDGETS, Site

# How long to wait for what must come: only a failing test waits this long, and a busy machine must not make one.
PATIENCE_MILLISECONDS = 20_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site built from the sources as they are now, not from an older `dist`; once, for all workers of a run."""
    if not (WIDGETS / "node_modules" / "esbuild").is_dir():
        pytest.fail("The widgets' packages are not installed: run `make setup`.")
    room = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        room = room.parent
    folder = room / "site"
    with (room / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = room / "site.unfinished"
            command = ["node", "build.mjs", str(unfinished)]
            subprocess.run(command, cwd=WIDGETS, check=True, capture_output=True)
            unfinished.rename(folder)
    return folder


@dataclass
class Pages:
    """Opens pages and remembers what went wrong on them.

    `complaints` holds what the browser reported: script errors, policy violations, requests that would leave loopback.
    """

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, url: str = "about:blank", **options: Any) -> Page:
        """A page in a fresh profile; `options` as Playwright's `new_context` takes them."""
        context = self.browser.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.route(lambda asked: urlsplit(asked).hostname != "127.0.0.1", self._refuse)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.contexts.append(context)
        page = context.new_page()
        if url != "about:blank":
            page.goto(url)
        return page

    def forgive(self, *words: str) -> None:
        """Drop the complaints that a test provoked: each must have been made."""
        for word in words:
            assert any(word in complaint for complaint in self.complaints), (word, self.complaints)
        self.complaints = [c for c in self.complaints if not any(word in c for word in words)]

    def close(self) -> None:
        """Close every page, before the servers go that they talk to. May be called again."""
        while self.contexts:
            self.contexts.pop().close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _refuse(self, route: Route) -> None:
        self.complaints.append(f"asked for {route.request.url}")
        route.abort()


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """Pages that end the test in failure when the browser had something to complain about."""
    opened = Pages(browser=browser)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def platform() -> PlatformDouble:
    return PlatformDouble()


@pytest.fixture
def api(platform: PlatformDouble, pages: Pages) -> Iterator[str]:
    with serving(platform) as origin:
        yield origin
        pages.close()


@pytest.fixture
def site(dist: Path, api: str) -> Site:
    return Site(folder=dist, api=api)


@pytest.fixture
def edge(site: Site, pages: Pages) -> Iterator[str]:
    with serving(site) as origin:
        yield origin
        pages.close()


@pytest.fixture
def run_module(pages: Pages, tmp_path: Path) -> Callable[[str], Page]:
    """Bundle one source file of the widgets and load it into a blank page as the global `module`."""

    def load(source: str) -> Page:
        bundle = tmp_path / "module.js"
        command = ["node_modules/.bin/esbuild", source, "--bundle", "--format=iife", "--global-name=module"]
        subprocess.run([*command, f"--outfile={bundle}"], cwd=WIDGETS, check=True, capture_output=True)
        page = pages.open()
        page.add_script_tag(path=bundle)
        return page

    return load
