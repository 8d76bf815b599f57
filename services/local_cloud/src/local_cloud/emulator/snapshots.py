"""Saves the emulated cloud's state while it runs.

MiniStack writes its state when it stops in good order. That is too late for a log whose signing key lives in
the emulated KMS: were the process killed, the next one would make another key, and the log would fork. So the
state is also written once changes have come to rest. (Objects in S3 are written through by MiniStack itself.)
"""

import asyncio
import re
from time import monotonic

from ministack import app as ministack
from ministack.core import persistence

from local_cloud.emulator.asgi import App, Message, Receive, Send

_QUIET_SECONDS = 1.0
_UNSAVED_SECONDS_MAX = 15.0
_READING_METHODS = frozenset({"GET", "HEAD"})
_READING_ACTIONS = ("Get", "Describe", "List", "Receive", "Lookup", "Query", "Scan")
_SIGNED_FOR = re.compile(rb"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/aws4_request")
_EVERYTHING = "everything"
"""What a change by CloudFormation, or by a service whose state we cannot tell, may have touched."""


class SavesState:
    """An ASGI layer: notes whose state may have changed (services sign with their names), and saves it soon after."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._changed: set[str] = set()
        self._first_change = self._last_change = 0.0
        self._saver: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._saver is None:
                self._saver = asyncio.create_task(self._save_after_changes())
            if not _only_reads(scope):
                self._note(_state_of(scope))
        await self._app(scope, receive, send)

    def _note(self, state: str) -> None:
        self._last_change = monotonic()
        if not self._changed:
            self._first_change = self._last_change
        self._changed.add(state)

    async def _save_after_changes(self) -> None:
        while True:
            await asyncio.sleep(_QUIET_SECONDS / 2)
            now = monotonic()
            is_quiet = now - self._last_change > _QUIET_SECONDS
            if self._changed and (is_quiet or now - self._first_change > _UNSAVED_SECONDS_MAX):
                changed, self._changed = self._changed, set()
                _save(changed)


def _save(changed: set[str]) -> None:
    states = ministack._build_persistence_save_dict()  # noqa: SLF001 -- what MiniStack's own shutdown saves
    is_known = changed.issubset(states) and "cloudformation" not in changed
    persistence.save_all({name: states[name] for name in changed} if is_known else states)


def _only_reads(scope: Message) -> bool:
    action = _header(scope, b"x-amz-target").decode().rpartition(".")[2]
    return scope["method"] in _READING_METHODS or action.startswith(_READING_ACTIONS)


def _state_of(scope: Message) -> str:
    signed = _SIGNED_FOR.search(_header(scope, b"authorization"))
    return signed[1].decode() if signed else _EVERYTHING


def _header(scope: Message, name: bytes) -> bytes:
    return next((bytes(value) for key, value in scope["headers"] if key.lower() == name), b"")
