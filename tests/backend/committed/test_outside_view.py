"""What the stranger's view finds, in a log that the real sequencer and publisher have written."""

import json
from dataclasses import dataclass
from datetime import timedelta

import pytest

from amply.modules import ledger
from amply_canary.checks import NotThere, Unwell, look, verify_newest
from amply_canary.keys import read_policy
from ledger_format.notes import VerifierKey
from ledger_format.policies import UNWITNESSED, Policy
from tests.backend.ledger_world import NOW, LedgerWorld
from tests.backend.ledger_world import ORIGIN as LOG_NAME
from tests.verify.ledger_samples import cosigned, sample_policy

API, LOG = "https://api.example", "https://edge.example/log"
LATER = NOW + timedelta(seconds=90)


@dataclass
class Stranger:
    """Looks at the books' public side the way the canary does; `told` overrules an answer."""

    world: LedgerWorld
    told: dict[str, bytes]
    policy: Policy = UNWITNESSED

    def look(self) -> int:
        return look(
            api=API, log=LOG, keys=[self.world.verifier], policy=self.policy, get=self.get
        ).checkpoint_size

    def get(self, url: str) -> bytes:
        if url in self.told:
            return self.told[url]
        if url == f"{API}/v1/public/log/freshness":
            return self._freshness()
        path = url.removeprefix(f"{LOG}/")
        if path == "checkpoint" and self.world.public_log.note is not None:
            return self.world.public_log.note.encode()
        if path in self.world.public_log.objects:
            return self.world.public_log.objects[path]
        raise NotThere(f"There is nothing at {url}.")

    def _freshness(self) -> bytes:
        with self.world.app.transaction() as session:
            age = ledger.oldest_unpublished_age(session, now=LATER).total_seconds()
        size = self.world.public_checkpoint().size if self.world.public_log.note else 0
        return json.dumps({"published_size": size, "oldest_unpublished_seconds": age}).encode()


@pytest.fixture
def stranger(books: LedgerWorld) -> Stranger:
    return Stranger(world=books, told={})


def publish(world: LedgerWorld, count: int) -> None:
    world.post_many(count)
    world.sequence()
    world.publish()


def test_an_empty_log_is_well(stranger: Stranger) -> None:
    assert stranger.look() == 0


@pytest.mark.parametrize("count", [1, 3, 257])
def test_a_published_log_is_well(stranger: Stranger, count: int) -> None:
    publish(stranger.world, count)

    assert stranger.look() == count


def test_an_entry_outside_every_checkpoint_for_a_minute_is_found(stranger: Stranger) -> None:
    publish(stranger.world, 2)
    stranger.world.post()

    with pytest.raises(Unwell, match="outside every checkpoint for 90 seconds"):
        stranger.look()


def test_a_checkpoint_behind_what_is_published_is_found(stranger: Stranger) -> None:
    publish(stranger.world, 2)
    old = stranger.get(f"{LOG}/checkpoint")
    publish(stranger.world, 1)
    stranger.told[f"{LOG}/checkpoint"] = old

    with pytest.raises(Unwell, match="shows 2 entries, and the API says 3"):
        stranger.look()


def test_a_false_signature_is_found(stranger: Stranger) -> None:
    publish(stranger.world, 2)
    note = stranger.get(f"{LOG}/checkpoint").decode()
    stranger.told[f"{LOG}/checkpoint"] = note.replace("\n2\n", "\n1\n").encode()

    with pytest.raises(Unwell, match="does not verify: the signature"):
        stranger.look()


def test_a_checkpoint_signed_by_a_stranger_is_found(stranger: Stranger) -> None:
    publish(stranger.world, 2)
    other = VerifierKey.from_ed25519(LOG_NAME, bytes(31) + b"\1")

    with pytest.raises(Unwell, match="no signature by a key you trust"):
        verify_newest(LOG, [other], UNWITNESSED, stranger.get)


@pytest.fixture
def witnessed(stranger: Stranger) -> Stranger:
    """One who demands two of three witnesses, of a log that has published."""
    stranger.policy = read_policy(sample_policy(logs=()).text())
    publish(stranger.world, 3)
    return stranger


def cosign(stranger: Stranger, *names: str) -> str:
    note = cosigned(stranger.world.public_log.note or "", *names)
    stranger.told[f"{LOG}/checkpoint"] = note.encode()
    return note


def test_a_checkpoint_with_its_quorum_is_well(witnessed: Stranger) -> None:
    cosign(witnessed, "harbour", "lantern")

    assert witnessed.look() == 3


@pytest.mark.parametrize("names", [(), ("orchard",)])
def test_a_checkpoint_without_its_witnesses_is_found(witnessed: Stranger, names: tuple[str, ...]) -> None:
    if names:
        cosign(witnessed, *names)

    with pytest.raises(Unwell, match="not enough for the policy's quorum"):
        witnessed.look()


def test_a_false_cosignature_is_found(witnessed: Stranger) -> None:
    note = cosign(witnessed, "harbour", "lantern")
    lines = note.splitlines(keepends=True)
    place = lines[-1].rindex(" ") + 30  # inside the signature
    changed = "B" if lines[-1][place] == "A" else "A"
    lines[-1] = lines[-1][:place] + changed + lines[-1][place + 1 :]
    witnessed.told[f"{LOG}/checkpoint"] = "".join(lines).encode()

    with pytest.raises(Unwell, match=r"does not verify: the signature by witness\.lantern\.example is false"):
        witnessed.look()


def test_a_policy_that_cannot_be_read_is_no_look() -> None:
    with pytest.raises(Unwell, match="cannot be read"):
        read_policy("quorum partners\n")


def test_tiles_that_give_another_root_are_found(stranger: Stranger) -> None:
    publish(stranger.world, 3)
    (path,) = (name for name in stranger.world.public_log.objects if name.startswith("tile/0/"))
    tile = stranger.world.public_log.objects[path]
    stranger.told[f"{LOG}/{path}"] = bytes(32) + tile[32:]

    with pytest.raises(Unwell, match="do not give the root"):
        stranger.look()


def test_tiles_that_are_not_there_are_found(stranger: Stranger) -> None:
    publish(stranger.world, 3)
    stranger.world.public_log.objects.clear()

    with pytest.raises(Unwell, match="nothing at"):
        stranger.look()


def test_a_tile_that_is_full_by_now_serves_for_its_beginning(stranger: Stranger) -> None:
    publish(stranger.world, 3)
    (path,) = (name for name in stranger.world.public_log.objects if name.startswith("tile/0/"))
    stranger.world.public_log.objects["tile/0/000"] = stranger.world.public_log.objects.pop(path) + bytes(32)

    assert stranger.look() == 3


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"published_size": "many"}', b"<html>"])
def test_an_answer_that_says_nothing_is_found(stranger: Stranger, answer: bytes) -> None:
    stranger.told[f"{API}/v1/public/log/freshness"] = answer

    with pytest.raises(Unwell, match="does not say how fresh"):
        stranger.look()


def test_a_checkpoint_that_is_no_text_is_found(stranger: Stranger) -> None:
    publish(stranger.world, 1)
    stranger.told[f"{LOG}/checkpoint"] = b"\xff\xfe"

    with pytest.raises(Unwell, match="does not verify"):
        stranger.look()
