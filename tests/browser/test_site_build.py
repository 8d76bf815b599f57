"""What the build writes: the same bytes each time, every script hashed, nothing inline."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    assert set(manifest) == {
        "amply-button",
        "challenge",
        "donate",
        "giving",
        "onboarding",
        "account",
        "join",
        "keys",
        "organization",
        "sign_in",
        "webhooks",
        "integrate",
        "ledger",
        "demo",
        "pages",
        "icon",
    }
    for name, entry in manifest.items():
        content = (dist / entry["url"].removeprefix("/")).read_bytes()
        assert entry["url"].startswith(f"/assets/{name}.{hashlib.sha256(content).hexdigest()[:16]}.")
        assert entry["integrity"] == f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def test_published_versions_are_in_the_site_byte_for_byte(dist: Path) -> None:
    published = json.loads((WIDGETS / "versions.json").read_text())["published"]
    assert published
    for version, files in published.items():
        assert json.loads((dist / f"v{version}" / "manifest.json").read_text()) == {
            "version": version,
            "files": files,
        }
        for name, integrity in files.items():
            content = (dist / f"v{version}" / name).read_bytes()
            assert integrity == f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


@dataclass(frozen=True)
class Workshop:
    """A copy of the widgets, to be spoilt."""

    folder: Path

    def build(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", "build.mjs"], cwd=self.folder, check=False, capture_output=True, text=True
        )

    def release(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", "release.mjs"], cwd=self.folder, check=False, capture_output=True, text=True
        )

    def versions(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads((self.folder / "versions.json").read_text())
        return found


@pytest.fixture
def processor(tmp_path: Path) -> Workshop:
    folder = tmp_path / "widgets"
    shutil.copytree(WIDGETS, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (folder / "node_modules").symlink_to(WIDGETS / "node_modules")
    return Workshop(folder)


def test_a_published_version_that_changed_is_not_built(processor: Workshop) -> None:
    script = processor.folder / "published" / "1.0.0" / "amply-button.js"
    script.write_bytes(script.read_bytes() + b" ")
    built = processor.build()
    assert built.returncode == 1
    assert "published/1.0.0/amply-button.js is not what was published" in built.stderr


@pytest.mark.parametrize(
    ("name", "version", "sentence"),
    [("1", "1.9.9", "which is not published"), ("2", "1.0.0", "cannot mean 1.0.0")],
)
def test_a_moving_version_that_leads_nowhere_is_not_built(
    processor: Workshop, name: str, version: str, sentence: str
) -> None:
    versions = processor.versions()
    versions["newest"][name] = version
    (processor.folder / "versions.json").write_text(json.dumps(versions))
    built = processor.build()
    assert built.returncode == 1
    assert sentence in built.stderr


def test_a_release_keeps_what_was_published_and_moves_the_names_on(processor: Workshop) -> None:
    before = processor.versions()["published"]
    package = json.loads((processor.folder / "package.json").read_text())
    (processor.folder / "package.json").write_text(json.dumps({**package, "version": "1.2.0"}))
    assert processor.build().returncode == 0
    assert processor.release().returncode == 0
    versions = processor.versions()
    assert versions["newest"] == {"1": "1.2.0", "1.0": "1.0.0", "1.1": "1.1.0", "1.2": "1.2.0"}
    assert {version: versions["published"][version] for version in before} == before
    assert processor.build().returncode == 0
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        assert (processor.folder / "dist" / f"v{version}" / "amply-button.js").is_file()


def test_a_published_version_is_not_published_again(processor: Workshop) -> None:
    assert processor.build().returncode == 0
    again = processor.release()
    assert again.returncode == 1
    assert "raise the version in package.json" in again.stderr


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
