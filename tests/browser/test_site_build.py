"""What the build writes: the same bytes each time, every script hashed, nothing inline."""

import base64
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.browser.site_server import WIDGETS


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _pages(folder: Path) -> dict[str, str]:
    return {path: content.decode() for path, content in _files(folder).items() if path.endswith(".html")}


def test_the_same_sources_give_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["node", "build.mjs", str(tmp_path / "again")], cwd=WIDGETS, check=True, capture_output=True
    )
    assert _files(tmp_path / "again") == _files(dist)


def test_every_asset_carries_its_hash_in_name_and_manifest(dist: Path) -> None:
    manifest = json.loads((dist / "manifest.json").read_text())
    assert set(manifest) == {"amply-button", "donate", "ledger", "demo", "pages", "icon"}
    for name, entry in manifest.items():
        content = (dist / entry["url"].removeprefix("/")).read_bytes()
        assert entry["url"].startswith(f"/assets/{name}.{hashlib.sha256(content).hexdigest()[:16]}.")
        assert entry["integrity"] == f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def test_every_script_and_style_of_a_page_is_hashed_and_none_is_inline(dist: Path) -> None:
    for path, html in _pages(dist).items():
        tags = re.findall(r'<script[^>]*>|<link rel="stylesheet"[^>]*>', html)
        assert tags, path
        assert all(re.search(r' integrity="sha384-[^"]+" crossorigin="anonymous"', tag) for tag in tags), path
        assert re.findall(r"<script[^>]*>[^<]|<style|\sstyle=|\son\w+=|<!--", html) == [], path


def test_nothing_in_the_site_names_another_host(dist: Path) -> None:
    allowed = {"www.w3.org"}  # XML namespaces, which are names
    for path, content in _files(dist).items():
        if path.startswith("assets/") or path.endswith(".html"):
            assert set(re.findall(rb"https?://([\w.-]+)", content)) <= {host.encode() for host in allowed}, (
                path
            )


@pytest.mark.parametrize(
    "lock", [WIDGETS / "package-lock.json", Path(__file__).with_name("package-lock.json")]
)
def test_the_lock_files_name_no_registry(lock: Path) -> None:
    assert '"resolved"' not in lock.read_text()
