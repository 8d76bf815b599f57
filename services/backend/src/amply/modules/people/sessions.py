"""Sessions in the cache. A token has 256 random bits; the cache holds its digest only.

Whatever is known of a session but when it was last used stays as it is: a change makes another token, so that nothing
is lost between two requests at once. When the cache is lost, people sign in again. When it does not answer, nobody is let in.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import redis
import structlog

from amply.infra.cache import (
    cache_client,
    get_field,
    get_hash,
    get_many,
    get_text,
    log_unavailable,
    take_text,
)
from amply.infra.database import forbid_transaction
from amply.infra.settings import CacheSettings
from amply.modules.access import SignInUnavailable
from amply.modules.people.domain import SESSION_IDLE, SESSION_LIFETIME, STAMP_CACHED, IpBinding, SignInSession

AT_ONCE_MAX: Final = 50
"""Sessions of a person; another one ends the oldest."""
_TOKEN_BYTES: Final = 32
_PREFIX: Final = "amply:people"
_REMEMBER: Final = """
    local known = redis.call('GET', KEYS[1])
    if not known or tonumber(known) < tonumber(ARGV[1]) then
        redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
    end
"""

_log = structlog.get_logger()


class SessionStore:
    """Sessions and related short-lived data in the cache.

    Everything raises SignInUnavailable when the cache does not answer, and may not be called inside a transaction.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    @classmethod
    def from_settings(cls, settings: CacheSettings) -> "SessionStore":
        """A store with its own connections and a one-second timeout."""
        return cls(cache_client(settings, decodes=True))

    def open(self, session: SignInSession) -> str:
        """Store a session and return its token."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        name, index = _session_key(token), _index_key(session.person_id)
        with self._answering() as cache, cache.pipeline(transaction=True) as pipe:
            pipe.set(name, _written(session), ex=_left(session, now=session.seen_at))
            pipe.hset(index, session.id, name)
            pipe.expire(index, SESSION_LIFETIME)
            pipe.hlen(index)
            held = int(pipe.execute()[-1])
        if held > AT_ONCE_MAX:
            self._end_oldest(session.person_id)
        return token

    def find(self, token: str) -> SignInSession | None:
        """The session of a token."""
        with self._answering() as cache:
            found = get_text(cache, _session_key(token))
        return _read(found) if found else None

    def touch(self, token: str, session: SignInSession, *, now: datetime) -> None:
        """Update the last use. An ended session stays ended."""
        seen = replace(session, seen_at=now)
        with self._answering() as cache:
            cache.set(_session_key(token), _written(seen), ex=_left(seen, now=now), xx=True)

    def exchange(self, token: str, session: SignInSession) -> str:
        """Replace a token's session by this one with a new id; return its token."""
        made = self.open(session)
        self.end(token)
        return made

    def end(self, token: str) -> None:
        """End a token's session. Idempotent."""
        found = self.find(token)
        with self._answering() as cache:
            cache.delete(_session_key(token))
            if found is not None:
                cache.hdel(_index_key(found.person_id), found.id)

    def of_person(self, person_id: str) -> list[SignInSession]:
        """A person's sessions, newest first."""
        return sorted(self._held(person_id).values(), key=lambda held: held.signed_in_at, reverse=True)

    def end_one(self, person_id: str, *, session_id: str) -> bool:
        """End a person's session by id; False if there is none."""
        with self._answering() as cache:
            name = get_field(cache, _index_key(person_id), session_id)
            if name is None:
                return False
            cache.hdel(_index_key(person_id), session_id)
            return bool(cache.delete(name))

    def end_all(self, person_id: str, *, but: str | None = None) -> None:
        """End all sessions of a person except this id."""
        with self._answering() as cache:
            index = get_hash(cache, _index_key(person_id))
            over = {session_id: name for session_id, name in index.items() if session_id != but}
            if over:
                cache.delete(*over.values())
                cache.hdel(_index_key(person_id), *over)

    def stamp_of(self, person_id: str) -> int | None:
        """The cached stamp of a person, at most five minutes old, or None."""
        with self._answering() as cache:
            found = get_text(cache, _stamp_key(person_id))
        return int(found) if found else None

    def remember_stamp(self, person_id: str, stamp: int) -> None:
        """Cache a stamp for five minutes. A smaller one than the cached is outdated, and ignored."""
        with self._answering() as cache:
            cache.eval(_REMEMBER, 1, _stamp_key(person_id), stamp, int(STAMP_CACHED.total_seconds()))

    def move_stamp(self, person_id: str, stamp: int) -> None:
        """Update the cached stamp. While the cache is unavailable, the old one is valid for five minutes at most."""
        try:
            self.remember_stamp(person_id, stamp)
        except SignInUnavailable:
            _log.warning("stamp_not_told", person_id=person_id)

    def keep(self, name: str, facts: Mapping[str, str], *, lasts: timedelta) -> None:
        """Store a value for single use."""
        with self._answering() as cache:
            cache.set(f"{_PREFIX}:once:{name}", json.dumps(dict(facts)), ex=lasts)

    def kept(self, name: str) -> dict[str, str] | None:
        """Read a single-use value without consuming it."""
        with self._answering() as cache:
            found = get_text(cache, f"{_PREFIX}:once:{name}")
        return json.loads(found) if found else None

    def take(self, name: str) -> dict[str, str] | None:
        """Consume a single-use value: of two concurrent callers one gets it."""
        with self._answering() as cache:
            found = take_text(cache, f"{_PREFIX}:once:{name}")
        return json.loads(found) if found else None

    def _held(self, person_id: str) -> dict[str, SignInSession]:
        """By the name of its key. What is over leaves the index."""
        with self._answering() as cache:
            index = get_hash(cache, _index_key(person_id))
            if not index:
                return {}
            stored = get_many(cache, list(index.values()))
            held = {name: _read(each) for name, each in zip(index.values(), stored, strict=True) if each}
            over = [session_id for session_id, name in index.items() if name not in held]
            if over:
                cache.hdel(_index_key(person_id), *over)
        return {name: session for name, session in held.items() if session is not None}

    def _end_oldest(self, person_id: str) -> None:
        held = sorted(self._held(person_id).values(), key=lambda each: each.signed_in_at)
        for session in held[: max(0, len(held) - AT_ONCE_MAX)]:
            self.end_one(person_id, session_id=session.id)

    @contextmanager
    def _answering(self) -> Iterator[redis.Redis]:
        forbid_transaction("the cache of sessions")
        try:
            yield self._redis
        except (redis.RedisError, OSError) as error:
            log_unavailable(error, without="sessions")
            raise SignInUnavailable("Signing in does not work just now: try again in a moment.") from error


def _session_key(token: str) -> str:
    return f"{_PREFIX}:session:{hashlib.sha256(token.encode()).hexdigest()}"


def _index_key(person_id: str) -> str:
    return f"{_PREFIX}:sessions:{person_id}"


def _stamp_key(person_id: str) -> str:
    return f"{_PREFIX}:stamp:{person_id}"


def _left(session: SignInSession, *, now: datetime) -> timedelta:
    """How long the cache keeps it from now on: never less than a second, which it would refuse."""
    left = min(SESSION_IDLE, session.signed_in_at + SESSION_LIFETIME - now)
    return max(left, timedelta(seconds=1))


def _written(session: SignInSession) -> str:
    moments = {name: getattr(session, name).timestamp() for name in _MOMENTS}
    return json.dumps({**vars(session), **moments})


def _read(text: str) -> SignInSession | None:
    """What is written otherwise is of another release: its person signs in again."""
    try:
        facts: dict[str, Any] = json.loads(text)
        moments = {name: datetime.fromtimestamp(facts[name], tz=UTC) for name in _MOMENTS}
        return SignInSession(**{**facts, **moments, "binding": IpBinding(facts["binding"])})
    except (KeyError, TypeError, ValueError):
        return None


_MOMENTS: Final = ("signed_in_at", "confirmed_at", "seen_at")
