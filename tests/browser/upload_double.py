"""Double of an S3 bucket for form uploads from pages, with CORS."""

import re
from dataclasses import dataclass, field

from tests.backend.application_world import FakeShelf
from tests.browser.loopback import Request, Response

_OPEN = {"Access-Control-Allow-Origin": "*"}
_REFUSAL = b"<Error><Code>EntityTooLarge</Code></Error>"


@dataclass
class UploadDouble:
    """Puts files on `shelf` under the name that the form gives them. The next `refuses` of them are refused.

    `forms` has the fields of each form that came.
    """

    shelf: FakeShelf
    refuses: int = 0
    forms: list[dict[str, str]] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        """As S3 does: nothing at all where it takes the file, XML where not."""
        fields = _fields(request)
        content = fields.pop("file")
        self.forms.append({name: value.decode() for name, value in fields.items()})
        if self.refuses:
            self.refuses -= 1
            return Response(status=400, body=_REFUSAL, headers={"Content-Type": "application/xml", **_OPEN})
        self.shelf.kept[fields["key"].decode()] = content
        return Response(status=204, headers=_OPEN)


def _fields(request: Request) -> dict[str, bytes]:
    """Of `multipart/form-data` (RFC 7578), in the order they came."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    found = {}
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)
        assert name is not None
        found[name[1].decode()] = content.removesuffix(b"\r\n")
    return found
