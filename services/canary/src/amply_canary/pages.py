"""Checks the donation page: it is served, its assets have the expected hashes, and it knows the API."""

import base64
import hashlib
import json
from html.parser import HTMLParser
from typing import Final

from amply_canary.checks import Get, Unwell

_PAGE: Final = "/donate/"
_ALGORITHM: Final = "sha384"


def look_at_pages(*, site: str, api: str, get: Get) -> None:
    """Fetch the donation page and everything without which it shows no form.

    A browser runs a script only when it has the hash that the page says (https://www.w3.org/TR/sri-2/): so does this.

    Raises:
        Unwell: Something is missing, is not what the page says, or sends gifts elsewhere.
    """
    named = _ReferencedAssets()
    named.feed(_text(get(f"{site}{_PAGE}"), "page"))
    if not named.scripts:
        raise Unwell("The donation page names no script, so it shows no form.")
    for address, integrity in (*named.scripts, *named.styles):
        if not address.startswith("/"):
            raise Unwell(f"The donation page takes {address} from another host.")
        if integrity != _integrity(get(f"{site}{address}")):
            raise Unwell(f"{address} is not what the donation page was built with, so no browser runs it.")
    if _told_api(get(f"{site}/config.json")) != api:
        raise Unwell(f"The pages are told another API than {api}.")


class _ReferencedAssets(HTMLParser):
    """Addresses of scripts and style sheets, each with the hash it must have."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[str, str]] = []
        self.styles: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" in said:
            self.scripts.append((said["src"], said.get("integrity", "")))
        if tag == "link" and said.get("rel") == "stylesheet":
            self.styles.append((said.get("href", ""), said.get("integrity", "")))


def _integrity(body: bytes) -> str:
    return f"{_ALGORITHM}-{base64.b64encode(hashlib.new(_ALGORITHM, body).digest()).decode()}"


def _told_api(config: bytes) -> object:
    try:
        return json.loads(_text(config, "configuration"))["api_url"]
    except (ValueError, TypeError, KeyError) as error:
        raise Unwell("The pages' configuration names no API.") from error


def _text(body: bytes, what: str) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Unwell(f"The donation {what} is no text.") from error
