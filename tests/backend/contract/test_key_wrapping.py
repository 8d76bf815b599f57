"""What the vault needs of a key service: held against KMS as the emulated cloud has it, and against what other tests use."""

from collections.abc import Callable

import boto3
import pytest
from sqlalchemy import text

from amply.adapters.kms import KmsKeyWrapping
from amply.infra.database import Database, ExternalCallInTransaction
from amply.infra.vault import DONORS, CellLocation, KeyNotAtHand, Keyring, KeyWrapping, KeyWrappingAway
from tests.backend.conftest import Databases
from tests.backend.key_service import Wrapping

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.usefixtures("cloud")]
PLACE = CellLocation(table="donation", column="sealed", row="don_1")


def _of_kms() -> KeyWrapping:
    return KmsKeyWrapping(key_arn=boto3.client("kms").create_key()["KeyMetadata"]["Arn"])


@pytest.mark.parametrize("service", [_of_kms, Wrapping])
def test_a_key_opens_for_its_scope_and_version_alone(service: Callable[[], KeyWrapping]) -> None:
    wrapping = service()
    key, wrapped = wrapping.generate(scope="donors", version=1)
    assert len(key) == 32
    assert key not in wrapped
    assert wrapping.unwrap(wrapped, scope="donors", version=1) == key
    for scope, version in (("people", 1), ("donors", 2)):
        with pytest.raises(KeyWrappingAway):
            wrapping.unwrap(wrapped, scope=scope, version=version)


@pytest.mark.parametrize("service", [_of_kms, Wrapping])
def test_no_two_keys_are_alike(service: Callable[[], KeyWrapping]) -> None:
    wrapping = service()
    made = [wrapping.generate(scope="donors", version=1) for _ in range(3)]
    assert len({key for key, _ in made}) == 3


def test_kms_is_not_asked_inside_a_transaction(database: Database) -> None:
    wrapping = _of_kms()
    _, wrapped = wrapping.generate(scope="donors", version=1)
    with database.transaction():
        with pytest.raises(ExternalCallInTransaction):
            wrapping.generate(scope="donors", version=1)
        with pytest.raises(ExternalCallInTransaction):
            wrapping.unwrap(wrapped, scope="donors", version=1)


def test_a_key_of_kms_that_is_disabled_opens_nothing_for_who_starts_then(databases: Databases) -> None:
    kms, app, api = boto3.client("kms"), databases.as_role("amply_app"), databases.as_role("amply_api")
    with databases.as_role("master").engine.begin() as connection:
        connection.execute(text("DELETE FROM data_key"))
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    before = Keyring(app.engine, KmsKeyWrapping(key_arn=arn))
    before.freshen()
    sealed = before.seal(b"Ada", scope=DONORS, at=PLACE)

    kms.disable_key(KeyId=arn)
    later = Keyring(api.engine, KmsKeyWrapping(key_arn=arn))
    later.freshen()
    with pytest.raises(KeyNotAtHand):
        later.open(sealed, scope=DONORS, at=PLACE)
    assert before.open(sealed, scope=DONORS, at=PLACE) == b"Ada", "who has the key goes on"

    kms.enable_key(KeyId=arn)
    again = Keyring(api.engine, KmsKeyWrapping(key_arn=arn))
    again.freshen()
    assert again.open(sealed, scope=DONORS, at=PLACE) == b"Ada"
