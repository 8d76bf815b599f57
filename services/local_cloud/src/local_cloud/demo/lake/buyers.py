"""A data buyer: contract and token by the operator's commands, and an independent program that reads with them."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pyarrow.parquet as pq

from local_cloud.console import Steps
from local_cloud.credentials import write_privately
from local_cloud.demo import network_off
from local_cloud.demo.lake.data_platform import RELEASES, DataPlatform
from local_cloud.demo.staff import Staff
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

_PROGRAM: Final = Path(__file__).with_name("stranger.py")
_SCHEMA: Final = "released"
_PRICE: Final = ("--price", "500.00", "--currency", "EUR", "--per", "month", "--share", "7000")
_BYTES: Final = ("--bytes-a-month", "1000000000")
_YEAR: Final = timedelta(days=365)
_CERTIFICATE: Final = "certificate"
_VERSION: Final = "Delta-Table-Version"
_MADE_SECONDS_MAX: Final = 120.0
"""The process looks three times a minute for who has a grant and no release yet."""


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """A buyer with a contract, a token (perhaps without grants), and a gateway key."""

    name: str
    contract: str
    token: str
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class BuyerRead:
    """What a buyer's program read; `refused` is the HTTP status of a refusal."""

    rows: int = 0
    columns: tuple[str, ...] = ()
    first: tuple[Mapping[str, str], ...] = ()
    refused: int | None = None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A downloaded revision: files and certificate."""

    folder: Path
    files: tuple[Path, ...]

    @property
    def signed(self) -> bytes:
        return (self.folder / _CERTIFICATE).read_bytes()


class Market:
    """Creates contracts and tokens, and runs buyers' programs."""

    def __init__(self, platform: DataPlatform, *, dataset: str) -> None:
        self._platform, self._dataset = platform, dataset
        self._settings: Settings = platform.cloud.settings
        self._staff = Staff(platform.cloud)
        self._signed: list[str] = []
        self.folder = self._settings.state / "lake"
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def sign(self, name: str, *, today: date) -> str:
        """A contract's id."""
        dates = ("--from", today.isoformat(), "--until", (today + _YEAR).isoformat())
        made = self._staff.type(
            *("data", "contract", "open", "--buyer", name, "--dataset", self._dataset),
            *(*_PRICE, *_BYTES, *dates),
        )[-1]
        self._signed.append(str(made["id"]))
        return self._signed[-1]

    def give_token(self, name: str, contract: str) -> Buyer:
        """And a key of the gateway, which calls of ours need besides."""
        given = self._staff.type("data", "grant", "give", contract)[-1]
        made = self._staff.type("data", "key", "make", contract)[-1]
        return Buyer(name=name, contract=contract, token=str(given["token"]), key=str(made["value"]))

    @contextmanager
    def closing(self, steps: Steps) -> Iterator[None]:
        """End all contracts that were signed inside, also where it fails: else each walk would leave buyers behind whom the next one's releases are made to."""
        try:
            yield
        except BaseException:
            with suppress(LocalCloudError):  # what failed first is told
                self._close(steps)
            raise
        self._close(steps)

    def _close(self, steps: Steps) -> None:
        with steps.step("closed", "the contracts end; nothing more is made for them") as told:
            told.result = f"{len(self._signed)} contracts"
            while self._signed:
                self._staff.type("data", "contract", "close", self._signed.pop())

    def wait_for_release(self, buyer: Buyer, *, after: int = 0) -> int:
        """The number of the newest revision that is the buyer's own, once it is higher than `after`.

        Raises:
            LocalCloudError: None came.
        """

        def look() -> int | None:
            answer = httpx2.get(self._table(buyer, "version"), headers=_bearer(buyer), timeout=30.0)
            found = int(answer.headers[_VERSION]) if answer.is_success else 0
            return found if found > after else None

        return until(
            look,
            seconds=_MADE_SECONDS_MAX,
            otherwise=f"No release to {buyer.name} was made; 'make logs PART={RELEASES}' says more.",
        )

    def reads(self, buyer: Buyer) -> BuyerRead:
        """What a stranger's pandas makes of the buyer's profile file."""
        profile = self.folder / "profile.share"
        said = {
            "shareCredentialsVersion": 1,
            "endpoint": f"{self._platform.gateway}/delta-sharing",
            "bearerToken": buyer.token,
        }
        write_privately(profile, json.dumps(said))
        python = self._settings.root / ".venv-peers" / "bin" / "python"
        table = f"{buyer.contract}.{_SCHEMA}.{self._dataset}"
        done = subprocess.run(
            [str(python), "-I", str(_PROGRAM), str(profile), table],
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr.splitlines() or ["nothing was said"])[-1]
            raise LocalCloudError(f"A buyer's pandas could not read {table}: {last}")
        found = json.loads(done.stdout.splitlines()[-1])
        return BuyerRead(
            rows=found.get("rows", 0),
            columns=tuple(found.get("columns", ())),
            first=tuple(found.get("first", ())),
            refused=found.get("refused"),
        )

    def refuses(self, buyer: Buyer) -> int:
        """The status that the buyer's pandas is refused with.

        Raises:
            LocalCloudError: It could read.
        """
        read = self.reads(buyer)
        if read.refused is None:
            raise LocalCloudError(
                f"What {buyer.contract} covers could be read by a token that was not granted it."
            )
        return read.refused

    def fetch(self, buyer: Buyer, *, revision: int) -> Fetched:
        """The released files themselves and their certificate, by the links that the buyer is given."""
        answer = httpx2.post(
            f"{self._platform.gateway}/datasets/{self._dataset}/links",
            json={"revision": revision},
            headers={**_bearer(buyer), "x-api-key": buyer.key},
            timeout=30.0,
        )
        linked: Mapping[str, Any] = answer.raise_for_status().json()
        folder = self.folder / buyer.name / f"{revision:06}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _download(str(linked["certificate"]["url"]), folder / _CERTIFICATE)
        files = [_download(str(each["url"]), folder / str(each["name"])) for each in linked["links"]]
        return Fetched(folder=folder, files=tuple(files))

    def status(self, buyer: Buyer, *, revision: int) -> int:
        """How a buyer who asks for a revision by its number is answered."""
        return httpx2.post(
            self._table(buyer, "query"), json={"version": revision}, headers=_bearer(buyer), timeout=30.0
        ).status_code

    def _table(self, buyer: Buyer, asked: str) -> str:
        path = f"shares/{buyer.contract}/schemas/{_SCHEMA}/tables/{self._dataset}/{asked}"
        return f"{self._platform.gateway}/delta-sharing/{path}"

    def verify(self, fetched: Fetched, *, key: str) -> tuple[tuple[str, ...], str]:
        """What `amply-verify certificate` says of files that it must accept, and how the network was off.

        Raises:
            LocalCloudError: It refused them.
        """
        folder = fetched.folder
        (folder / "certificates-key.txt").write_text(f"{key}\n")
        off = network_off.strongest()
        data = [word for file in fetched.files for word in ("--data", file.name)]
        done = subprocess.run(
            off.command(
                "amply_verify", ["certificate", _CERTIFICATE, "--key", "certificates-key.txt", *data]
            ),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalCloudError(f"The release in {folder} was refused: {done.stderr.strip()}")
        return tuple(done.stdout.splitlines()), off.words


def in_common(one: Fetched, other: Fetched, *, person: str) -> int:
    """How many pseudonyms two buyers' files share.

    Raises:
        LocalCloudError: The files have other rows, or none.
    """
    first, second = (
        [row for file in each.files for row in pq.read_table(file).to_pylist()] for each in (one, other)
    )
    if not first:
        raise LocalCloudError(f"The release in {one.folder} has no rows.")
    said = [
        sorted(json.dumps({**row, person: ""}, sort_keys=True) for row in rows) for rows in (first, second)
    ]
    if said[0] != said[1]:
        raise LocalCloudError(f"The releases in {one.folder} and {other.folder} have other rows.")
    return len({row[person] for row in first} & {row[person] for row in second})


def _bearer(buyer: Buyer) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {buyer.token}"}


def _download(url: str, into: Path) -> Path:
    into.write_bytes(httpx2.get(url, timeout=30.0).raise_for_status().content)
    return into
