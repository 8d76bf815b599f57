"""What is recorded can be certified: whatever could not be is refused while nothing is recorded."""

from pathlib import Path

import pytest

from amply_lake import LakeError, LedgerError, Release, SourceError, Violation
from ledger_format import certificates
from tests.lake.lake_world import TestSigner, World, people, policy


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, policy())


def kept(world: World) -> list[str]:
    return sorted(path.name for path in (world.folder / "ledger").rglob("*") if path.is_file())


@pytest.mark.parametrize(("limit", "value"), [("MAX_PARTS", 1), ("MAX_CERTIFICATE_BYTES", 2_500)])
def test_a_batch_that_no_certificate_has_room_for_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    first = world.released(world.source(people(range(20))))
    before = kept(world)
    monkeypatch.setattr(certificates, limit, value)
    with pytest.raises(SourceError, match="nothing was changed"):
        world.release(world.source(people(range(30, 50), age=61)))
    assert kept(world) == before
    after = world.released(withdrawn=["person_1"], buyer="other")
    assert after.certificate.rows < first.certificate.rows


def test_a_class_of_which_nothing_is_known_is_left_out_where_l_is_1(world: World) -> None:
    world.policy = policy(l=1)
    unknown = [{**row, "amount": ""} for row in people(range(100, 104), age=71, zip_code="99999")]
    done = world.released(world.source([*people(range(20)), *unknown]))
    assert done.certificate.l
    assert world.released(withdrawn=["person_1"]).certificate.release == 2


def test_where_nothing_is_known_at_all_nothing_is_recorded(world: World) -> None:
    world.policy = policy(l=1)
    done = world.release(world.source([{**row, "amount": ""} for row in people(range(20))]))
    assert isinstance(done, Violation)
    assert list(world.ledger.records()) == []


class FalseSigner(TestSigner):
    def sign(self, message: bytes) -> bytes:
        return super().sign(message + b"!")


def test_a_false_signature_is_an_error_of_the_lake_and_the_next_run_goes_on(world: World) -> None:
    source = world.source(people(range(20)))
    world.signer = FalseSigner()
    with pytest.raises(LakeError, match="look at the signer's key"):
        world.release(source)
    world.signer = TestSigner()
    assert isinstance(world.release(source), Release)


def test_the_certificate_of_another_signer_is_an_error_of_the_ledger(world: World) -> None:
    source = world.source(people(range(20)))
    world.released(source)
    world.signer = TestSigner(8)
    with pytest.raises(LedgerError, match="give the signer that made it"):
        world.release(source)
