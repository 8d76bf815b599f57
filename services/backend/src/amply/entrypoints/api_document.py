"""Builds the OpenAPI 3.1 document: FastAPI's own, with every route's errors, limits and examples added.

`make openapi` writes it to `docs/openapi.json`; `/openapi.json` serves the same.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from amply.entrypoints.conditional_reads import CONDITIONAL
from amply.entrypoints.deprecation import DEPRECATED
from amply.entrypoints.problem_catalogue import Code, catalogue, declared
from amply.entrypoints.webhook_document import add_webhooks
from amply.infra.credentials import Credential, is_optional, taken_by
from amply.infra.rate_limit_fields import FIELDS
from amply.infra.rate_limits import Limiting
from amply.infra.web import CODES, PROBLEM_MEDIA_TYPE, Problem, calls_of

TAGS: Final = {
    "Donations": "Take a gift, to one organisation or several, and see how it stands.",
    "Recurring gifts": "Take gifts that repeat; donors change, pause and end theirs by the link in their letters.",
    "Donors": "What donors see of their own gifts, receipts and years, by the link in their letters.",
    "Public": "What anybody may read: organisations, their ledgers and payouts, and where an entry is in the log.",
    "Onboarding": "What invited staff do for their organisation, and whether an organisation takes gifts.",
    "People": "An account from its registration to its end: passwords, second factors, sessions.",
    "Organisations": "What members and programs of an organisation see and change of it and its funds.",
    "Applications": "Applying to become an organisation here, and the documents that bear it out.",
    "Gifts": "What an organisation sees of what was given to it.",
    "Payouts": "What an organisation sees of what was paid out to it, and its reports.",
    "Members": "Who is in an organisation, and as what.",
    "Trying": "How somebody who integrates gets a test organisation and a key by themselves, in a sandbox.",
    "API keys": "What an organisation's programs are known by.",
    "Sign-in of organisations": "An organisation's own provider and domains, and whom they bring in.",
    "Exports": "Files of what is an organisation's own: asked for, made, and fetched by a link of minutes.",
    "Sold data": "What an organisation sees of its data: who consents, what is released, who uses it, what it brings.",
    "Data": "What outside sources hand in: datasets, files, how far one has come, and rows that were refused.",
    "Audit log": "Who did what in an organisation.",
    "Webhook endpoints": "Where an organisation's events are sent, what became of them, and sending them again.",
    "Webhooks": "Where the processor tells of payments.",
    "Health": "Whether this process and what it needs are well.",
}

_ALWAYS: Final = {"500": ["server_error"], "503": ["unavailable"]}
_UNSAFE: Final = ("post", "patch", "delete")
"""Methods whose bodies are always read, and that need CSRF protection."""
_CHANGING: Final = {
    "400": ["bad_request"],
    "403": ["request_from_elsewhere"],
    "408": ["request_timeout"],
    "413": ["request_too_large"],
}
_MALFORMED: Final = "invalid_request"
_WAITS: Final = ("429", "503")
_UNAUTHORIZED: Final = "401"
_JSON: Final = "application/json"
_EXAMPLES: Final = "api_examples.json"
_PREFIX: Final = "/v1/"
"""Versioned routes, to which these rules apply; health checks are exempt."""
_PUBLISHED_PREFIXES: Final = {"amply__modules__seller_portal__": "amply__modules__selling__"}
"""Two modules' schemas of the same name are told apart by their modules, in the document by what those were called first."""

_SCHEMES: Final[Mapping[Credential, Mapping[str, str]]] = {
    Credential.SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-amply-session",
        "description": "Of somebody who is signed in on our own pages (`/v1/auth/login`); without https it is called `amply-session`.",
    },
    Credential.KEY: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "sk_live_… or sk_test_…",
        "description": "An organisation's API key.",
    },
    Credential.DONOR_LINK: {
        "type": "http",
        "scheme": "bearer",
        "description": "The token in the link of a donor's letter.",
    },
    Credential.INVITATION: {
        "type": "http",
        "scheme": "bearer",
        "description": "The token in the link of the letter that invites: staff to onboard their organisation, or a member to join one.",
    },
}

_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-Id": {"description": "What we find this request by", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "What is left of each limit: `r` requests now, all of them after `t` seconds",
        "schema": {"type": "string", "examples": ['"public_ledger";r=299;t=1']},
    },
    "RateLimit-Policy": {
        "description": "Each limit: `q` requests at once, which are there again after `w` seconds",
        "schema": {"type": "string", "examples": ['"public_ledger";q=300;w=60']},
    },
    "ETag": {
        "description": "Differs whenever the answer does; to be sent as `If-None-Match`",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "What to ask with: `Bearer` and a key or a link's token, or a `Session`'s cookie",
        "schema": {"type": "string", "examples": ['Bearer realm="amply"']},
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}


def route_contexts(app: FastAPI) -> Iterator[RouteContext]:
    """Every route of the application, with its routers' settings."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.include_in_schema:
            yield context


def limits_of(context: RouteContext) -> tuple[str, ...]:
    """Names of the rate limits of a route."""
    counting = [call for call in calls_of(context.dependant) if isinstance(call, Limiting)]
    found = (name for call in counting for method in context.methods or () for name in call.limits(method))
    return tuple(dict.fromkeys(found))


def document(app: FastAPI) -> dict[str, Any]:
    """The complete OpenAPI document."""
    made = _with_published_names(
        get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        )
    )
    examples = _examples()
    contexts = {context.unique_id: context for context in route_contexts(app)}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            name = operation["operationId"]
            if path.startswith(_PREFIX):
                _add_problems(operation, is_unsafe=method in _UNSAFE)
            if method == "get" and f"{path}/".startswith(CONDITIONAL):
                _add_condition(operation)
            _add_fields(operation, is_limited=bool(limits_of(contexts[name])))
            _add_security(operation, contexts[name])
            _add_examples(operation, examples["operations"].get(name, {}))
            if name in DEPRECATED:
                operation["deprecated"] = True
    add_webhooks(made)
    _add_components(made, problems=examples["problems"])
    return made


def _with_published_names(made: Mapping[str, Any]) -> dict[str, Any]:
    """Schemas keep the names by which callers' generated code knows them."""
    written = json.dumps(made)
    for present, published in _PUBLISHED_PREFIXES.items():
        written = written.replace(present, published)
    renamed: dict[str, Any] = json.loads(written)
    return renamed


def _add_components(made: dict[str, Any], *, problems: Mapping[str, Any]) -> None:
    """What many operations share: a problem's schema, an example of each, and the fields of answers."""
    components, of_routes = made["components"], declared(made)
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"][Problem.__name__] = Problem.model_json_schema()
    components["securitySchemes"] = {name: dict(scheme) for name, scheme in _SCHEMES.items()}
    components["headers"] = {name: dict(field) for name, field in _FIELDS.items()}
    components["examples"] = {
        code.code: {"value": _example(code, problems)} for code in catalogue() if code.code in of_routes
    }


def _add_problems(operation: dict[str, Any], *, is_unsafe: bool) -> None:
    """Say of one operation all that it may answer with instead of what was asked."""
    answers: dict[str, Any] = operation["responses"]
    for status, added in _added(operation, is_unsafe=is_unsafe).items():
        told = answers.setdefault(status, {}).setdefault(CODES, [])
        told += [code for code in added if code not in told]
    for status, answer in answers.items():
        if CODES in answer:
            answers[status] = _problem(answer[CODES])
    operation["responses"] = dict(sorted(answers.items()))


def _add_condition(operation: dict[str, Any]) -> None:
    """Of what is read in JSON: the tag of the answer, and that who names it is sent nothing again."""
    answer = operation["responses"]["200"]
    if _JSON not in answer.get("content", {}):
        return
    operation.setdefault("parameters", []).append(
        {
            "name": "if-none-match",
            "in": "header",
            "required": False,
            "description": "The `ETag` of the answer that you have",
            "schema": {"type": "string"},
        }
    )
    answer.setdefault("headers", {})["ETag"] = {"$ref": "#/components/headers/ETag"}
    operation["responses"]["304"] = {"description": "What you have is what there is"}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _add_fields(operation: dict[str, Any], *, is_limited: bool) -> None:
    for status, answer in operation["responses"].items():
        names = ["X-Request-Id"]
        if is_limited and status not in _ALWAYS:
            names += FIELDS
        if status in _WAITS:
            names.append("Retry-After")
        if status == _UNAUTHORIZED:
            names.append("WWW-Authenticate")
        headers = answer.setdefault("headers", {})
        headers |= {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _add_security(operation: dict[str, Any], context: RouteContext) -> None:
    """Any one of what the route takes; an empty one where nothing will do as well."""
    taken: list[dict[str, list[str]]] = [{name: []} for name in taken_by(context.dependant)]
    if is_optional(context.dependant):
        taken.append({})
    if taken:
        operation["security"] = taken


def _added(operation: Mapping[str, Any], *, is_unsafe: bool) -> dict[str, list[str]]:
    """Codes by status that an operation may answer with, whatever its function raises."""
    added = dict(_ALWAYS)
    if is_unsafe:
        added |= _CHANGING
    if is_unsafe or "parameters" in operation:
        added["422"] = [_MALFORMED]
    return added


def _problem(told: list[str]) -> dict[str, Any]:
    return {
        "description": ", ".join(f"`{code}`" for code in told),
        CODES: told,
        "content": {
            PROBLEM_MEDIA_TYPE: {
                "schema": {"$ref": f"#/components/schemas/{Problem.__name__}"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in told},
            }
        },
    }


def _example(code: Code, examples: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": f"https://amply.example/problems/#{code.code}",
        "title": code.title,
        "status": code.status,
        "detail": code.meaning,
        "code": code.code,
        "request_id": "req_0190a3c1b2d4700080000000000000a1",
    } | dict(examples.get(code.code, {}))


def _add_examples(operation: dict[str, Any], examples: Mapping[str, Any]) -> None:
    """Beside a request and each answer in JSON, one as tests send and get it (`api_examples.json`)."""
    if "request" in examples:
        for content in operation["requestBody"]["content"].values():
            content["example"] = examples["request"]
    for status, value in examples.get("answers", {}).items():
        content = operation["responses"][status].get("content", {})
        if _JSON in content:
            content[_JSON]["example"] = value


def _examples() -> dict[str, Any]:
    text = resources.files(__package__).joinpath(_EXAMPLES).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def as_text(made: Mapping[str, Any]) -> str:
    """The document as stored in the repository: deterministic, so that diffs are readable."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
