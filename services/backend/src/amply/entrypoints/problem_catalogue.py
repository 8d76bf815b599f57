"""Collects every stable error code with its meaning from the error classes, for the API document, docs/problems.md and the
site.

The document (`/openapi.json`) lists a route's codes, `docs/problems.md` all of them for who reads the repository, those of
commands apart, and the site's page `/problems/` those of routes for who follows a problem's `type`.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Any, Final

import amply
from amply.infra.web import CODES
from amply.kernel.errors import AmplyError

_ROOMS: Final = ("kernel", "infra", "modules", "adapters")


@dataclass(frozen=True, kw_only=True)
class Code:
    """A stable error code. `meaning` is for people; each problem's `detail` says what to do next."""

    code: str
    status: int
    title: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class HttpCode(Code):
    """The code of an error of HTTP itself. `advice` is what to do next."""

    advice: str

    @property
    def detail(self) -> str:
        """What a problem says of it."""
        return f"{self.title}: {self.advice}."


OF_HTTP: Final = (
    HttpCode(
        code="bad_request",
        status=400,
        title="Bad Request",
        meaning="The request is no well-formed HTTP.",
        advice="send a well-formed request",
    ),
    HttpCode(
        code="not_found",
        status=404,
        title="Not found",
        meaning="Nothing is at this path, or what the request names does not exist for this caller.",
        advice="check the path",
    ),
    HttpCode(
        code="method_not_allowed",
        status=405,
        title="Method Not Allowed",
        meaning="The path exists and takes other methods.",
        advice="check the method",
    ),
    HttpCode(
        code="request_timeout",
        status=408,
        title="Request Timeout",
        meaning="The request did not arrive within the time that is given to it.",
        advice="send the whole request without pauses",
    ),
    HttpCode(
        code="request_too_large",
        status=413,
        title="Content Too Large",
        meaning="The body is larger than what is taken.",
        advice="send at most 1 MiB",
    ),
    HttpCode(
        code="server_error",
        status=500,
        title="Something went wrong on our side",
        meaning="Nobody foresaw this. The same request may be repeated, with the same Idempotency-Key where it has one.",
        advice="repeat the request with the same Idempotency-Key; if it fails again, write to us with the request_id",
    ),
)
"""Errors of HTTP itself, and the unexpected error."""

_THEIRS: Final = 400
_OURS: Final = 500
_BY_STATUS: Final = {each.status: each for each in OF_HTTP}


def of_status(status: int) -> HttpCode:
    """What an error of HTTP is to the caller. One without a code of its own is a bad request's, or from 500 on ours."""
    return _BY_STATUS.get(status, _BY_STATUS[_OURS if status >= _OURS else _THEIRS])


def catalogue() -> tuple[Code, ...]:
    """All codes, those of commands among them, sorted."""
    known: dict[str, Code] = {each.code: each for each in OF_HTTP}
    for error in _errors():
        known.setdefault(
            error.code,
            Code(code=error.code, status=error.status, title=error.title, meaning=_meaning(error)),
        )
    return tuple(sorted(known.values(), key=lambda each: each.code))


def _errors() -> Iterator[type[AmplyError]]:
    """Ours, as they are defined in every room, the general before the special."""
    for room in _ROOMS:
        package = importlib.import_module(f"{amply.__name__}.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    yield from _below(AmplyError)


def _below(error: type[AmplyError]) -> Iterator[type[AmplyError]]:
    # Deterministic: of two classes with the same code, always the same one is used.
    for each in sorted(error.__subclasses__(), key=lambda found: (found.__module__, found.__qualname__)):
        if each.__module__.startswith(f"{amply.__name__}."):
            yield each
            yield from _below(each)


def _meaning(error: type[AmplyError]) -> str:
    """What the class says of itself, as one line."""
    said = inspect.cleandoc(error.__doc__ or "").partition("\n\n")[0]
    return " ".join(said.split())


def declared(document: Mapping[str, Any]) -> frozenset[str]:
    """The codes that the API's document lists at any of its routes, and those of HTTP itself."""
    answers = (
        answer
        for operations in document["paths"].values()
        for operation in operations.values()
        for answer in operation["responses"].values()
    )
    of_routes = (code for answer in answers for code in answer.get(CODES, ()))
    return frozenset(of_routes) | {each.code for each in OF_HTTP}


_MARKDOWN: Final = Template("""\
# Problems

Every error of the API is a problem document (RFC 9457): `application/problem+json` with `type`, `title`, `status` and
`detail`, and besides `code`, which is stable and what programs branch on, `request_id`, which we find your request by, and
where one field is wrong `param`. `type` leads to this list on the site of the same environment. Which route answers with
which codes is in the API's document (`/openapi.json`, [openapi.json](openapi.json)). `make openapi` writes this page.

| code | status | title | meaning |
|---|---|---|---|
$of_api

## Of commands

No route answers with these. Operators' commands (`admin …`) end with one of them, which the audit log names, or the platform's own
processes do.

| code | meaning |
|---|---|
$of_commands
""")

_PAGE: Final = Template("""\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Problems · Amply</title>
    <!--look-->
  </head>
  <body>
    <header class="top"><span class="wordmark">Amply</span></header>
    <main class="prose">
      <h1>What the API answers when it cannot do what was asked</h1>
      <p class="lead">Each problem has a <code>code</code> that stays the same, and a <code>detail</code> that says what to do next.</p>
$entries
    </main>
  </body>
</html>
""")

_ENTRY: Final = Template("""\
      <section id="$code">
        <h2><code>$code</code></h2>
        <p>$title · status $status</p>
        <p>$meaning</p>
      </section>""")


def markdown(of_api: Collection[str]) -> str:
    """`docs/problems.md`; `of_api` are the codes that the API's document declares."""
    api = [each for each in catalogue() if each.code in of_api]
    commands = [each for each in catalogue() if each.code not in of_api]
    return _MARKDOWN.substitute(
        of_api="\n".join(
            f"| `{each.code}` | {each.status} | {each.title} | {each.meaning} |" for each in api
        ),
        of_commands="\n".join(f"| `{each.code}` | {each.meaning} |" for each in commands),
    )


def page(of_api: Collection[str]) -> str:
    """The site's page, to whose sections each problem's `type` links."""
    entries = (
        _ENTRY.substitute({name: escape(str(value)) for name, value in vars(each).items()})
        for each in catalogue()
        if each.code in of_api
    )
    return _PAGE.substitute(entries="\n".join(entries))
