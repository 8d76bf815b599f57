"""People and their browsers: the API with its production role, a real cache, and a worker that sends letters."""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2
import pytest
import redis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from sqlalchemy import orm, text

from amply.entrypoints import application
from amply.infra.counters import CacheCounters
from amply.infra.database import Database
from amply.infra.settings import CacheSettings, LinkSettings
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.modules import keys, mail, people
from amply.modules.people.domain import IpBinding, SignInSession
from local_cloud import valkey
from tests.backend.audit_shelf import AuditShelf
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.world import FakeClock, FakeMailer, FakeProcessor, NoLimit, open_gate
from tests.ports import free_port

EDGE: Final = "https://edge.example"
PASSWORD: Final = "a quiet river at dawn"
ANOTHER: Final = "two herons on the far bank"
ADA: Final = "ada@example.org"
LINUX: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
KEY: Final = people.PeopleKey(b"p" * 43)
LINKS: Final = people.LetterLinks.from_settings(LinkSettings(link_key=SecretStr("l" * 43)))
CHEAP: Final = people.Cost(memory_kib=8, passes=1, lanes=1)
"""What a hash costs in tests that are about something else."""
_CACHE_PASSWORD: Final = "for-tests-on-loopback"
_TOKEN: Final = re.compile(r"#(\S+)")


def people_work(database: Database, *, mailer: mail.Mailer | None = None) -> people.PeopleTaskDependencies:
    """What the worker needs for people."""
    return people.PeopleTaskDependencies(
        database=database,
        mailer=mailer or FakeMailer(),
        key=replace(KEY, keyring=database.keyring),
        links=LINKS,
        page=f"{EDGE}/account/",
        listed=AuditShelf(),
    )


def _nobody_minds(_session: orm.Session, _person_id: str, _now: datetime) -> None:
    pass


def people_parts(
    database: Database,
    cache: CacheSettings,
    *,
    before_leaving: Callable[[orm.Session, str, datetime], None] = _nobody_minds,
    before_session: Callable[[orm.Session, str, datetime], None] = _nobody_minds,
    oidc_sign_in: people.OidcSignIn | None = None,
) -> people.Dependencies:
    """What the API needs for people."""
    return people.Dependencies(
        database=database,
        key=replace(KEY, keyring=database.keyring),
        links=LINKS,
        sessions=people.SessionStore.from_settings(cache),
        counters=CacheCounters(cache),
        hashing=people.Hashing(CHEAP),
        breaches=people.CommonPasswords(),
        site=people.Site.of(EDGE),
        before_leaving=before_leaving,
        before_session=before_session,
        oidc_sign_in=oidc_sign_in,
    )


def put_person(master: Database, parts: people.Dependencies, *, person_id: str, now: datetime) -> int:
    """Somebody with an account and no password, by an id of the test's, whatever became of a former one; their stamp."""
    address = people.address_of(f"{person_id}@example.org")
    values = {
        "person_id": person_id,
        "index": parts.key.index_of(address),
        "sealed": parts.key.seal_address(address, of=person_id),
        "now": now,
    }
    with master.transaction() as session:
        return int(session.execute(_PUT_PERSON, values).scalar_one())


_PUT_PERSON: Final = text("""
    INSERT INTO person (id, address_index, sealed_address, language, created_at, password_changed_at)
    VALUES (:person_id, :index, :sealed, 'en', :now, :now)
    ON CONFLICT (id) DO UPDATE SET
        address_index = excluded.address_index,
        sealed_address = excluded.sealed_address,
        erased_at = NULL
    RETURNING stamp
""")


def open_session(
    parts: people.Dependencies,
    *,
    person_id: str,
    stamp: int,
    now: datetime,
    signed_in_ago: timedelta = timedelta(),
    confirmed_ago: timedelta = timedelta(),
) -> str:
    """A session of theirs, without how people come by one; its token."""
    return parts.sessions.open(
        SignInSession(
            id=ids.new_id("ses"),
            person_id=person_id,
            stamp=stamp,
            signed_in_at=now - signed_in_ago,
            confirmed_at=now - confirmed_ago,
            seen_at=now,
            device="Firefox on Linux",
            binding=IpBinding.NONE,
            place="",
        )
    )


class Browser:
    """One browser with its cookies, on our own page unless `origin` says otherwise."""

    def __init__(self, app: FastAPI, *, agent: str = LINUX, address: str = "198.51.100.7") -> None:
        self.client = TestClient(app, base_url="https://api.example", raise_server_exceptions=False)
        self.headers = {"Origin": EDGE, "User-Agent": agent, "X-Amply-Client": address}

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """A POST; `headers` with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"/v1/auth/{path}", json=body or {}, headers={**self.headers, **named})

    def get(self, path: str) -> Any:
        return self.client.get(f"/v1/auth/{path}", headers=self.headers)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/v1/auth/{path}", headers=self.headers)

    def signs_in(self, email: str = ADA, password: str = PASSWORD) -> Any:
        return self.post("login", {"email": email, "password": password})

    @property
    def session(self) -> str | None:
        return self.client.cookies.get("__Host-amply-session")

    @session.setter
    def session(self, token: str) -> None:
        self.client.cookies.delete("__Host-amply-session")
        self.client.cookies.set("__Host-amply-session", token, domain="api.example", path="/")

    @property
    def is_signed_in(self) -> bool:
        return bool(self.get("me").status_code == httpx2.codes.OK)


@dataclass
class PeopleWorld:
    """The platform as far as people meet it. `beside`: other parts of the application, where a test needs them."""

    app: FastAPI
    own: Database
    worker: Database
    parts: people.Dependencies
    cache: redis.Redis
    settings: CacheSettings
    clock: FakeClock
    mailer: FakeMailer
    beside: dict[str, Any] = field(default_factory=dict)

    def browser(self, **how: str) -> Browser:
        return Browser(self.app, **how)

    def works(self) -> None:
        """The worker's turn at letters."""
        people.send_letters(people_work(self.worker, mailer=self.mailer), now=self.clock())

    def letters(self) -> list[mail.Mail]:
        """What was written since this was last asked."""
        self.works()
        written, self.mailer.sent = self.mailer.sent, []
        return written

    def link(self) -> str:
        """The token in the link of the one letter that was written."""
        (written,) = self.letters()
        found = _TOKEN.search(written.text)
        assert found is not None, written.text
        return found[1]

    def member(self, email: str = ADA, password: str = PASSWORD, **how: str) -> Browser:
        """Somebody with an account, signed in, and their letters read."""
        browser = self.browser(**how)
        self.letters()
        assert browser.post("register", {"email": email, "password": password}).status_code == 202
        assert browser.post("verify-email", {"token": self.link(), "password": password}).status_code == 201
        assert browser.signs_in(email, password).status_code == 200
        self.letters()
        return browser


@pytest.fixture(scope="session")
def people_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CacheSettings]:
    """A cache for all tests about people; each empties it."""
    directory = tmp_path_factory.mktemp("people")
    port = free_port()
    written = valkey.write_settings(directory / "valkey.conf", port=port, password=_CACHE_PASSWORD)
    with (directory / "valkey.log").open("wb") as log:
        command = [str(valkey.binary("valkey-server")), str(written)]
        server = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
    yield CacheSettings(host="127.0.0.1", port=port, tls=False, password=SecretStr(_CACHE_PASSWORD))
    server.terminate()
    server.wait(timeout=30)


def emptied(cache: CacheSettings) -> redis.Redis:
    """The cache with nothing in it."""
    opened = redis.Redis(
        host=cache.host,
        port=cache.port,
        password=_CACHE_PASSWORD,
        # It has only just been started, in the first test of all.
        retry=Retry(ConstantBackoff(0.05), 400),
    )
    opened.flushall()
    return opened


@pytest.fixture
def world(databases: Databases, people_cache: CacheSettings) -> Iterator[PeopleWorld]:
    opened = emptied(people_cache)
    own, worker, clock = databases.as_role("amply_api"), databases.as_role("amply_app"), FakeClock()
    parts = people_parts(own, people_cache)
    made = application_with(own, parts, clock)
    yield PeopleWorld(
        app=made,
        own=own,
        worker=worker,
        parts=parts,
        cache=opened,
        settings=people_cache,
        clock=clock,
        mailer=FakeMailer(),
    )
    opened.close()


def application_with(
    own: Database,
    parts: people.Dependencies,
    clock: Clock,
    *,
    origins: tuple[str, ...] = (EDGE,),
    **others: Any,
) -> FastAPI:
    """The API around people; gifts are taken too. `others` of its parts, in place of these or beside them."""
    usual: dict[str, Any] = {
        "database": own,
        "processor": FakeProcessor(),
        "method_cloning": FakeMethodCloning(),
        "verifier": None,
        "limiter": NoLimit(),
        "gate": open_gate(own),
        "clock": clock,
        "livemode": False,
        "log_url": "http://edge.example/log",
        "allowed_origins": origins,
        "client_address_header": "X-Amply-Client",
        "callers": (keys.KeyCallers(database=own, livemode=False), people.SessionCallers(parts)),
        "accounts": parts,
    }
    return application.create(application.Parts(**{**usual, **others}))
