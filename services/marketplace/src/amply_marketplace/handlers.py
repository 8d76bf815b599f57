"""Lambda handlers. Each call logs one line: route, result and duration, never a token or a link."""

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from amply_marketplace import asked
from amply_marketplace import delta_sharing as protocol
from amply_marketplace.control_plane import ControlPlane, Tables
from amply_marketplace.errors import RequestRefused, Unavailable
from amply_marketplace.gateway import Answer, Request, problem
from amply_marketplace.links import Links

Event = Mapping[str, Any]
_LIMITS = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "max_attempts": 2})
_SIGNED = Config(signature_version="s3v4")


def get_datasets(event: Event, _context: object) -> dict[str, Any]:
    return _told("get_datasets", event, lambda it: asked.datasets(it, control=_control(), now=_now()))


def get_data_signed_url(event: Event, _context: object) -> dict[str, Any]:
    return _told(
        "get_data_signed_url",
        event,
        lambda it: asked.links_to(it, control=_control(), links=_links(), now=_now()),
    )


def get_usage(event: Event, _context: object) -> dict[str, Any]:
    return _told("get_usage", event, lambda it: asked.usage(it, control=_control(), now=_now()))


def delta_sharing(event: Event, _context: object) -> dict[str, Any]:
    return _told(
        "delta_sharing",
        event,
        lambda it: protocol.answer(it, control=_control(), links=_links(), now=_now()),
    )


def _told(call: str, event: Event, answer: Callable[[Request], Answer]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        found = answer(Request.of(event))
    except RequestRefused as refused:
        found = problem(refused)
    except BotoCoreError:
        found = problem(Unavailable())
    line = {
        "event": "marketplace_call",
        "call": call,
        "status": found.status,
        "milliseconds": int((time.monotonic() - began) * 1000),
    }
    print(json.dumps(line))  # noqa: T201 -- how a function writes to its log
    return found.written()


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _control() -> ControlPlane:
    tables = Tables(
        **{
            name: os.environ[f"AMPLY_{name.upper()}_TABLE"]
            for name in ("datasets", "contracts", "usage", "grants")
        }
    )
    return ControlPlane(get_session().create_client("dynamodb", config=_LIMITS), tables)


@cache
def _links() -> Links:
    return Links(get_session().create_client("s3", config=_SIGNED), bucket=os.environ["AMPLY_CURATED_BUCKET"])
