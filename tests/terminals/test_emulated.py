"""From a terminal's own key to the raw lake, with the emulated IoT Core, SQS and S3 in between."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from amply_terminals import datasets
from amply_terminals.control_plane import SourceItems
from amply_terminals.datasets import DATASETS
from amply_terminals.errors import Reason
from amply_terminals.handed import Handed
from amply_terminals.keeping import keep
from amply_terminals.store import RawBucket
from amply_terminals.told import Kind
from operations.terminals.registry import Registry, RegistryError
from tests.terminals.conftest import ENVIRONMENT, World
from tests.terminals.device import RefusedError, make_request
from tests.terminals.terminal_world import LOBBY, ORGANIZATION, Shelf, gift

pytestmark = pytest.mark.enable_socket

TILL = f"{ORGANIZATION}:till"


def _topic(terminal: str, kind: str = "gifts") -> str:
    return f"amply-{ENVIRONMENT}/terminals/{terminal}/{kind}"


def _certificate(folder: Path) -> str:
    return str(json.loads((folder / "terminal.json").read_text())["certificate_id"])


@pytest.fixture(scope="module")
def lobby(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.registered(tmp_path_factory.mktemp("lobby"), LOBBY)


@pytest.fixture(scope="module")
def raw(world: World) -> RawBucket:
    s3 = world.client("s3")
    s3.create_bucket(Bucket="raw")
    return RawBucket(s3, bucket="raw")


def test_what_a_terminal_publishes_is_kept_once_with_the_name_it_connected_by(
    world: World, lobby: Path, raw: RawBucket
) -> None:
    said = json.dumps(gift(number=1, at="2026-11-27T08:00:00Z")).encode()
    with world.connect(lobby, LOBBY) as device:
        device.publish(_topic(LOBBY), said)
        device.publish(_topic(LOBBY), said)
        device.publish(_topic(LOBBY), b"\xff not JSON")
    first, again, broken = map(Handed.of, world.handed_over())
    assert (first.topic_terminal, first.client, first.principal) == (LOBBY, LOBBY, _certificate(lobby))
    assert first.payload == said
    at = first.received_at.isoformat()
    fresh = gift(number=1, at=f"{at[:19]}Z")
    assert keep(_saying(first, fresh), store=raw).is_new
    assert keep(_saying(again, fresh), store=raw) == keep(_saying(first, fresh), store=raw)
    assert keep(broken, store=raw).refused is Reason.NOT_READABLE
    (kept,) = raw.keys(f"terminals/gifts/dt={at[:10]}/")
    assert json.loads(raw.get(kept) or b"")["principal"] == _certificate(lobby)
    assert keep(_saying(again, gift(number=1, at=f"{at[:19]}Z", method="cash")), store=raw).refused is (
        Reason.CONTRADICTS
    )


def _saying(handed: Handed, said: dict[str, object]) -> Handed:
    """At the emulator's own time, which no test can set."""
    return replace(handed, payload=json.dumps(said).encode())


def test_a_newer_description_changes_nothing_that_people_said_of_a_dataset(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb, dataset = world.client("dynamodb"), DATASETS[Kind.GIFTS]
    dynamodb.create_table(
        TableName="datasets",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "dataset_id", "KeyType": "HASH"},
            {"AttributeName": "part", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("dataset_id", "part")
        ],
    )
    key = {name: dataset.source()[name] for name in ("dataset_id", "part")}
    items = SourceItems(dynamodb, table="datasets")

    def stands() -> dict[str, dict[str, str]]:
        return dict(dynamodb.get_item(TableName="datasets", Key=key)["Item"])

    items.name(dataset)
    assert stands() == dataset.source()
    said = {"state": {"S": "closed"}, "asked_for": {"S": "2026-11-27T08:00:00Z"}, "title": {"S": "Old"}}
    dynamodb.put_item(TableName="datasets", Item={**stands(), **said})
    items.name(dataset)
    assert stands() == {**dataset.source(), **said}, "of this version already"
    monkeypatch.setattr(datasets, "VERSION", datasets.VERSION + 1)
    items.name(dataset)
    assert stands() == {**dataset.source(), "state": said["state"], "asked_for": said["asked_for"]}


def test_the_bucket_keeps_what_was_first_as_the_shelf_of_other_tests_does(raw: RawBucket) -> None:
    for store in (raw, Shelf()):
        assert store.get("terminals/x/1") is None
        assert store.put_once("terminals/x/1", b"first") is True
        assert store.put_once("terminals/x/1", b"second") is False
        assert store.put_once("terminals/x/2", b"other") is True
        assert store.get("terminals/x/1") == b"first"
        assert list(store.keys("terminals/x/")) == ["terminals/x/1", "terminals/x/2"]
        assert list(store.keys("terminals/y/")) == []


@pytest.mark.parametrize(
    "topic",
    [
        _topic(TILL),
        _topic(LOBBY, "settings"),
        f"{_topic(LOBBY)}/more",
        _topic(LOBBY).replace("sandbox", "staging"),
    ],
)
def test_a_terminal_publishes_nowhere_else(world: World, lobby: Path, topic: str) -> None:
    with world.connect(lobby, LOBBY) as device, pytest.raises(RefusedError):
        device.publish(topic, json.dumps(gift()).encode())
    assert world.handed_over() == []


def test_a_terminal_hears_nothing(world: World, lobby: Path) -> None:
    with world.connect(lobby, LOBBY) as device, pytest.raises(RefusedError):
        device.subscribe(_topic(LOBBY))


def test_nobody_connects_as_somebody_else(world: World, lobby: Path) -> None:
    with pytest.raises(RefusedError):
        world.connect(lobby, TILL)


def test_a_renewed_certificate_works_beside_the_old_one_until_that_is_revoked(
    world: World, tmp_path: Path
) -> None:
    old = world.registered(tmp_path / "old", TILL)
    new = tmp_path / "new"
    done = world.run("renew", ENVIRONMENT, TILL, "--csr", str(make_request(new)), "--into", str(new))
    assert done.exit_code == 0, done.output
    for folder in (old, new):
        with world.connect(folder, TILL):
            pass
    revoked = world.run("revoke", ENVIRONMENT, TILL, "--certificate", _certificate(old))
    assert revoked.output == f"{TILL}: {_certificate(old)} is revoked.\n"
    with pytest.raises(RefusedError):
        world.connect(old, TILL)
    with world.connect(new, TILL):
        pass


def test_a_lost_terminal_is_shut_out_and_its_name_stays_in_the_list(world: World, tmp_path: Path) -> None:
    lost = f"{ORGANIZATION}:lost"
    folder = world.registered(tmp_path, lost)
    assert f"{lost}  ACTIVE  {_certificate(folder)}\n" in world.run("list", ENVIRONMENT).output
    assert world.run("revoke", ENVIRONMENT, lost).exit_code == 0
    with pytest.raises(RefusedError):
        world.connect(folder, lost)
    assert f"{lost}  SHUT OUT\n" in world.run("list", ENVIRONMENT).output
    described = world.client("iot").describe_certificate(certificateId=_certificate(folder))
    assert described["certificateDescription"]["status"] == "REVOKED", (
        "attached again, it would be refused too"
    )
    again = world.run("revoke", ENVIRONMENT, lost)
    assert (again.exit_code, again.output) == (
        1,
        f"{lost} has no certificate: 'list' shows those that there are.\n",
    )
    request = str(make_request(tmp_path / "next"))
    refused = world.run("register", ENVIRONMENT, lost, "--csr", request, "--into", str(tmp_path / "next"))
    assert refused.exit_code == 1
    assert f"{lost} was shut out on " in refused.output
    assert "register another label" in refused.output
    assert not (tmp_path / "next" / "certificate.pem").exists()


def test_who_shuts_a_terminal_out_and_is_cut_off_has_said_so(world: World, tmp_path: Path) -> None:
    """Before anything is revoked: its label's numbers are taken, whatever becomes of the rest."""
    cut = f"{ORGANIZATION}:cut"
    world.registered(tmp_path, cut)
    registry = Registry(iot=world.client("iot"), environment=ENVIRONMENT)
    next(registry.revoke(cut, today=date(2026, 11, 27)))
    with pytest.raises(RegistryError, match="was shut out on 2026-11-27: register another label"):
        registry.register(cut, "request")


def test_who_has_a_certificate_is_not_registered_again(world: World, lobby: Path, tmp_path: Path) -> None:
    request = str(make_request(tmp_path))
    refused = world.run("register", ENVIRONMENT, LOBBY, "--csr", request, "--into", str(tmp_path))
    assert refused.exit_code == 1
    assert f"{LOBBY} has the certificate {_certificate(lobby)} already" in refused.output
    assert not (tmp_path / "certificate.pem").exists()


def test_a_certificate_that_was_never_handed_over_is_taken_away_by_the_next_attempt(
    world: World, tmp_path: Path
) -> None:
    door = f"{ORGANIZATION}:door"
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "terminal.json").mkdir()
    request = str(make_request(tmp_path))
    broken = world.run("register", ENVIRONMENT, door, "--csr", request, "--into", str(taken))
    assert broken.exit_code == 1
    assert "choose another folder" in broken.output
    world.registered(tmp_path, door)
    lines = [line for line in world.run("list", ENVIRONMENT).output.splitlines() if line.startswith(door)]
    assert lines == [f"{door}  ACTIVE  {_certificate(tmp_path)}"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("register", ENVIRONMENT, "lobby"), "'lobby' is no terminal: write ORGANISATION:LABEL"),
        (("register", "staging", LOBBY), "staging takes no terminals here: deploy it with the flag iot"),
        (("renew", ENVIRONMENT, f"{ORGANIZATION}:nobody"), "has no certificate to renew: write 'register'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    world: World, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    request = str(make_request(tmp_path))
    refused = world.run(*arguments, "--csr", request, "--into", str(tmp_path))
    assert refused.exit_code == 1
    assert sentence in refused.output
