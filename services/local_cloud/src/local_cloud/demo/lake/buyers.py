"""Who buys: a contract and a token by the operator's commands, and a stranger's program that reads with them."""

import json
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2

from local_cloud.credentials import write_privately
from local_cloud.demo import network_off
from local_cloud.demo.lake.data_platform import DataPlatform
from local_cloud.demo.staff import Staff
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

_PROGRAM: Final = Path(__file__).with_name("stranger.py")
_SCHEMA: Final = "released"
_PRICE: Final = ("--price", "500.00", "--currency", "EUR", "--per", "month", "--share", "7000")
_BYTES: Final = ("--bytes-a-month", "1000000000")
_YEAR: Final = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """Who has a contract, and a token that may or may not have been granted anything."""

    contract: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a program found: `refused` is the status it was refused with."""

    rows: int = 0
    columns: tuple[str, ...] = ()
    first: tuple[Mapping[str, str], ...] = ()
    refused: int | None = None


class Market:
    """Signs contracts, gives tokens, and lets buyers ask."""

    def __init__(self, platform: DataPlatform, *, dataset: str) -> None:
        self._platform, self._dataset = platform, dataset
        self._settings: Settings = platform.cloud.settings
        self._staff = Staff(platform.cloud)
        self.folder = self._settings.state / "lake"
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def sign(self, name: str, *, today: date) -> str:
        """A contract's id."""
        dates = ("--from", today.isoformat(), "--until", (today + _YEAR).isoformat())
        made = self._staff.type(
            *("data", "contract", "open", "--buyer", name, "--dataset", self._dataset),
            *(*_PRICE, *_BYTES, *dates),
        )[-1]
        return str(made["id"])

    def give_token(self, contract: str) -> Buyer:
        given = self._staff.type("data", "grant", "give", contract)[-1]
        return Buyer(contract=contract, token=str(given["token"]))

    def without_grant(self, contract: str) -> Buyer:
        """Somebody who has a contract, and made up a token."""
        return Buyer(contract=contract, token=secrets.token_urlsafe(32))

    def reads(self, buyer: Buyer) -> Read:
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
        return Read(
            rows=found.get("rows", 0),
            columns=tuple(found.get("columns", ())),
            first=tuple(found.get("first", ())),
            refused=found.get("refused"),
        )

    def fetch(self, buyer: Buyer, *, revision: int) -> list[Path]:
        """The released files themselves, by the links that the buyer is given."""
        answer = self._query(buyer, revision=revision)
        answer.raise_for_status()
        lines: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
        folder = self.folder / f"{revision:06}"
        folder.mkdir(mode=0o700, exist_ok=True)
        fetched = []
        for url in (str(line["file"]["url"]) for line in lines if "file" in line):
            fetched.append(folder / url.partition("?")[0].rpartition("/")[2])
            fetched[-1].write_bytes(httpx2.get(url, timeout=30.0).raise_for_status().content)
        return fetched

    def status(self, buyer: Buyer, *, revision: int) -> int:
        """How a buyer who asks for a revision by its number is answered."""
        return self._query(buyer, revision=revision).status_code

    def _query(self, buyer: Buyer, *, revision: int) -> httpx2.Response:
        path = f"delta-sharing/shares/{buyer.contract}/schemas/{_SCHEMA}/tables/{self._dataset}/query"
        return httpx2.post(
            f"{self._platform.gateway}/{path}",
            json={"version": revision},
            headers={"Authorization": f"Bearer {buyer.token}"},
            timeout=30.0,
        )

    def verify(self, certificate: bytes, *, files: list[Path], key: str) -> tuple[tuple[str, ...], str]:
        """What `amply-verify certificate` says of files that it must accept, and how the network was off.

        Raises:
            LocalCloudError: It refused them.
        """
        folder = files[0].parent
        (folder / "certificate").write_bytes(certificate)
        (folder / "certificates-key.txt").write_text(f"{key}\n")
        off = network_off.strongest()
        data = [word for file in files for word in ("--data", file.name)]
        done = subprocess.run(
            off.command(
                "amply_verify", ["certificate", "certificate", "--key", "certificates-key.txt", *data]
            ),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalCloudError(f"The release in {folder} was refused: {done.stderr.strip()}")
        return tuple(done.stdout.splitlines()), off.words
