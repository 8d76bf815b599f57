"""The donation page as a stranger's browser would take it: the page that is built, and what could happen to it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from amply_canary.checks import NotThere, Unwell
from amply_canary.pages import look_at_pages

BUILT = Path(__file__).parents[3] / "services" / "widgets" / "dist"
SITE, API = "https://amply.example", "https://api.amply.example"


@pytest.fixture
def files() -> dict[str, bytes]:
    """What the edge serves: the built site, and what pages are told."""
    built = {
        f"/{file.relative_to(BUILT)}": file.read_bytes() for file in BUILT.rglob("*.*") if file.is_file()
    }
    return {
        **built,
        "/donate/": (BUILT / "donate" / "index.html").read_bytes(),
        "/config.json": json.dumps({"api_url": API}).encode(),
    }


def _look(files: Mapping[str, bytes]) -> None:
    def get(url: str) -> bytes:
        path = url.removeprefix(SITE)
        if path not in files:
            raise NotThere(f"There is nothing at {url}.")
        return files[path]

    look_at_pages(site=SITE, api=API, get=get)


def _script(files: Mapping[str, bytes]) -> str:
    (path,) = (path for path in files if path.startswith("/assets/donate.") and path.endswith(".js"))
    return path


def test_what_is_built_is_well(files: dict[str, bytes]) -> None:
    _look(files)


Break = Callable[[dict[str, bytes]], None]


def _page(old: str, new: str) -> Break:
    def apply(files: dict[str, bytes]) -> None:
        page = files["/donate/"].decode()
        assert old in page
        files["/donate/"] = page.replace(old, new).encode()

    return apply


def _without_its_script(files: dict[str, bytes]) -> None:
    del files[_script(files)]


def _with_another_script(files: dict[str, bytes]) -> None:
    files[_script(files)] += b"\n// one more line"


def _with_another_style(files: dict[str, bytes]) -> None:
    (path,) = (path for path in files if path.startswith("/assets/pages."))
    files[path] = b""


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda files: files.pop("/donate/"), "nothing at"),
        (lambda files: files.update({"/donate/": b"\xff"}), "is no text"),
        (lambda files: files.update({"/donate/": b"<h1>We will be back</h1>"}), "names no script"),
        (_without_its_script, "nothing at .*/assets/donate"),
        (_with_another_script, "donate.* is not what the donation page was built with"),
        (_with_another_style, "pages.* is not what the donation page was built with"),
        (_page(' integrity="', ' data-was="'), "is not what the donation page was built with"),
        (_page('src="/assets', 'src="https://other.example/assets'), "from another host"),
        (lambda files: files.pop("/config.json"), "nothing at .*config"),
        (lambda files: files.update({"/config.json": b"{}"}), "names no API"),
        (lambda files: files.update({"/config.json": b"[]"}), "names no API"),
        (lambda files: files.update({"/config.json": b'{"api_url": "https://old.example"}'}), "another API"),
    ],
)
def test_a_page_that_shows_no_form_is_found(files: dict[str, bytes], break_it: Break, sentence: str) -> None:
    break_it(files)
    with pytest.raises(Unwell, match=sentence):
        _look(files)
