"""Serves the built site with the edge's response headers."""

import json
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.browser.loopback import Request, Response

WIDGETS: Final = Path(__file__).parents[2] / "services" / "widgets"
NEWEST: Final[dict[str, str]] = json.loads((WIDGETS / "versions.json").read_text())["newest"]
_MOVING: Final = re.compile(r"/v(\d+(?:\.\d+)?)/")
_EXACT: Final = re.compile(r"/assets/|/v\d+\.\d+\.\d+/")


@dataclass
class Site:
    """Serves `folder` as CloudFront would: `/config.json`, `/policy.txt` and `/log/*` beside the built files.

    `uploads` is where signed forms lead; empty: to the API's origin. `log` holds the published files by their path under `/log/`, `media`
    pictures by their path, `policy` whom the pages are told to trust, `former_keys` which of those sign no more,
    `requested` every path asked for. `behind` are pages of flags that are on: folders, by where they are.
    """

    folder: Path
    api: str
    log: dict[str, bytes] = field(default_factory=dict)
    media: dict[str, bytes] = field(default_factory=dict)
    policy: str = ""
    former_keys: str = ""
    uploads: str = ""
    moved: dict[str, str] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    behind: dict[str, str] = field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        """A file of the site, its configuration, or a published file of the log."""
        self.requested.append(request.path)
        if request.path == "/config.json":
            return Response(body=self._config(), headers={"Content-Type": "application/json"})
        if request.path == "/policy.txt" and self.policy:
            return Response(body=self.policy.encode(), headers={"Content-Type": "text/plain"})
        if request.path in self.moved:
            return Response(status=302, headers={"Location": self.moved[request.path]})
        if request.path.startswith("/log/"):
            published = self.log.get(request.path.removeprefix("/log/"))
            return Response(status=404) if published is None else Response(body=published)
        if request.path.startswith("/media/"):
            shown = self.media.get(request.path.removeprefix("/"))
            kind, _ = mimetypes.guess_type(request.path)
            return (
                Response(status=404)
                if shown is None
                else Response(body=shown, headers={"Content-Type": str(kind)})
            )
        return self._file(request.path, _MOVING.match(request.path))

    def _config(self) -> bytes:
        config = {
            "api_url": self.api,
            "log_url": "/log",
            "stripe_js_url": f"{self.api}/v3/",
            "publishable_key": "pk_test_double",
            "ledger_policy": self.policy,
            "ledger_former_keys": self.former_keys,
            **{flag.replace("-", "_"): "on" for flag in self.behind.values()},
        }
        return json.dumps(config).encode()

    def _file(self, path: str, moving: re.Match[str] | None) -> Response:
        meant = f"/v{NEWEST.get(moving[1], moving[1])}/{path[moving.end() :]}" if moving else path
        for place, flag in self.behind.items():
            if meant.startswith(f"/{place}/"):
                meant = f"/behind/{flag}{meant.removeprefix(f'/{place}')}"
        file = self.folder / meant.removeprefix("/")
        if path.endswith("/"):
            file /= "index.html"
        # Of the build's folder of pages behind flags nothing is served but what is on.
        is_found = file.is_file() and not path.startswith("/behind/")
        kind, _ = mimetypes.guess_type(file.name if is_found else "404.html")
        return Response(
            status=200 if is_found else 404,
            body=(file if is_found else self.folder / "404.html").read_bytes(),
            headers={"Content-Type": f"{kind}; charset=utf-8", **self._headers(path)},
        )

    def _headers(self, path: str) -> dict[str, str]:
        room = "assets" if _EXACT.match(path) else "widgets" if _MOVING.match(path) else "pages"
        headers: dict[str, str] = json.loads((WIDGETS / "headers.json").read_text())[room]
        names = ("api_origin", "stripe_js_origins", "stripe_api_origin", "stripe_frame_origins")
        for name in names:
            headers = {header: value.replace(f"{{{name}}}", self.api) for header, value in headers.items()}
        uploads = self.uploads or self.api
        return {header: value.replace("{upload_origin}", uploads) for header, value in headers.items()}
