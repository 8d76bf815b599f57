"""Double of the donor page's API."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from tests.browser.loopback import Request, Response
from tests.browser.plans_double import TOKEN

ORGANIZATION: Final = "org_0199aaaabbbbccccddddeeeeffff0001"
PDF: Final = b"%PDF-1.7 a receipt"


def gift(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A gift of 25 euro that has arrived and has a receipt."""
    return {
        "id": f"don_{number}",
        "organization_id": ORGANIZATION,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "refunded": {"minor_units": "0", "currency": "EUR"},
        "status": "succeeded",
        "standing": "succeeded",
        "method": None,
        "description": None,
        "fund": "",
        "given_on": "2026-02-28",
        "anonymity": "public",
        "plan_id": None,
        "split_id": None,
        "receipts": [
            {
                "id": f"rct_{number}",
                "number": f"CA-00000{number}",
                "kind": "official",
                "state": "valid",
                "amount": {"minor_units": "2500", "currency": "EUR"},
                "issued_at": "2026-02-28T12:00:00.000Z",
            }
        ],
        "version": f'"{number}"',
        **changes,
    }


@dataclass
class GivingDouble:
    """Shows `pages` of gifts one after the other, changes one when its version is named, and makes documents in two looks.

    `posts` are the paths with what was sent. `refusals` answer the next of them.
    """

    pages: list[list[dict[str, Any]]] = field(default_factory=lambda: [[gift()]])
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    fails: bool = False
    sharing: list[dict[str, Any]] = field(default_factory=list)
    logo: dict[str, Any] | None = None
    _shown: int = 0
    _looks: int = 0

    def answer(self, request: Request) -> tuple[int, object] | Response:
        """Status and content, or the file; 401 without the link's token."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {
                "detail": "This link is not valid any more: ask for a new one.",
                "code": "link_not_valid",
            }
        path = request.path.removeprefix("/v1/donor/")
        return self._post(path, request) if request.method == "POST" else self._get(path)

    def _get(self, path: str) -> tuple[int, object] | Response:
        if path == "organisations":
            return 200, {"data": [{**_RECIPIENT, "logo": self.logo}]}
        if path == "data-sharing":
            return 200, {"degraded": not self.sharing, "data": self.sharing}
        if path == "gifts":
            return self._page()
        if path.endswith("/content"):
            return Response(body=PDF, headers={"Content-Type": "application/pdf"})
        self._looks += 1
        state = "failed" if self.fails else "waiting" if self._looks % 2 else "ready"
        return 200, {"state": state, "filename": "CA-000001.pdf" if state == "ready" else None}

    def _page(self) -> tuple[int, object]:
        page = self.pages[min(self._shown, len(self.pages) - 1)]
        self._shown += 1
        more = self._shown < len(self.pages)
        return 200, {"data": page, "has_more": more, "next_cursor": page[-1]["id"] if more else None}

    def _post(self, path: str, request: Request) -> tuple[int, object] | Response:
        sent = json.loads(request.body)
        self.posts.append((path, sent))
        if self.refusals:
            return self.refusals.pop(0)
        if path == "data-sharing":
            self.sharing = [{**each, "extent": "all" if sent["shares"] else "none"} for each in self.sharing]
            return 200, {"degraded": False, "data": self.sharing}
        if path == "documents":
            return 202, {"id": "doc_1", "state": "waiting"}
        if path.endswith("/receipt-letter"):
            return 202, {"detail": "on its way"}
        (found,) = (each for page in self.pages for each in page if path == f"gifts/{each['id']}/anonymity")
        if request.headers.get("if-match") != found["version"]:
            return 412, {"detail": "This gift has changed meanwhile.", "code": "changed_meanwhile"}
        found |= {"anonymity": sent["anonymity"], "version": f'{found["version"][:-1]}-changed"'}
        return Response(
            body=json.dumps(found).encode(),
            headers={"Content-Type": "application/json", "ETag": found["version"]},
        )


_RECIPIENT: Final = {
    "id": ORGANIZATION,
    "name": "Green Fields",
    "takes_anonymous_gifts": True,
    "gifts": 1,
    "years": [
        {"year": 2026, "first": "2026-01-01", "last": "2026-12-31"},
        {"year": 2024, "first": "2024-07-01", "last": "2025-06-30"},
    ],
}
