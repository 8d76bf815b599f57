"""The outbox over HTTP. Messages are untrusted: HTML is sandboxed, attachments are only downloaded."""

import os
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_cloud.outbox.mailbox import Email, Mailbox

HEALTH_PATH = "/.well-known/local-outbox"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
)
_MESSAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class Outbox:
    """The pages over one mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def index(self, _request: Request) -> Response:
        return self._page("index.html", emails=self._mailbox.newest_first())

    def listing(self, _request: Request) -> Response:
        """The same list for programs, newest first."""
        return JSONResponse([_summary(email) for email in self._mailbox.newest_first()])

    def message(self, request: Request) -> Response:
        return self._page("message.html", email=self._find(request))

    def html(self, request: Request) -> Response:
        """The message's own HTML: no scripts, no forms, nothing loaded from anywhere."""
        html = self._find(request).html
        if html is None:
            raise HTTPException(404)
        return HTMLResponse(html, headers={"Content-Security-Policy": _MESSAGE_POLICY, **_NOT_GUESSED})

    def raw(self, request: Request) -> Response:
        email = self._find(request)
        return _download(email.raw, name=f"{email.id}.eml", content_type="message/rfc822")

    def attachment(self, request: Request) -> Response:
        attachments = self._find(request).attachments
        number = int(request.path_params["number"])
        if number >= len(attachments):
            raise HTTPException(404)
        chosen = attachments[number]
        return _download(chosen.content, name=chosen.name, content_type="application/octet-stream")

    def _find(self, request: Request) -> Email:
        email = self._mailbox.find(request.path_params["id"])
        if email is None:
            raise HTTPException(404)
        return email

    def _page(self, template: str, **values: object) -> Response:
        html = self._templates.get_template(template).render(**values)
        return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_POLICY, **_NOT_GUESSED})


_NOT_GUESSED = {"X-Content-Type-Options": "nosniff"}


def app() -> Starlette:
    outbox = Outbox(Mailbox(Path(os.environ["AMPLY_OUTBOX_MAIL"])))
    return Starlette(
        routes=[
            Route(HEALTH_PATH, lambda _: PlainTextResponse("ok\n")),
            Route("/", outbox.index),
            Route("/messages.json", outbox.listing),
            Route("/messages/{id}", outbox.message),
            Route("/messages/{id}/html", outbox.html),
            Route("/messages/{id}/raw.eml", outbox.raw),
            Route("/messages/{id}/attachments/{number:int}", outbox.attachment),
        ],
        # A page elsewhere that makes its name point at loopback must not read people's mail.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _summary(email: Email) -> dict[str, object]:
    return {
        "id": email.id,
        "accepted_at": email.accepted_at.isoformat(),
        "from": email.sender,
        "to": list(email.to),
        "subject": email.subject,
        "attachments": [attachment.name for attachment in email.attachments],
    }


def _download(content: bytes, *, name: str, content_type: str) -> Response:
    safe = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
    disposition = {"Content-Disposition": f'attachment; filename="{safe}"', **_NOT_GUESSED}
    return Response(content, media_type=content_type, headers=disposition)
