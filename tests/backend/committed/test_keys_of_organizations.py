"""Keys of organisations' own rotate, however many do at once."""

from sqlalchemy import select, text

from amply.infra.vault import OF_ORGANIZATION, head_of
from amply.infra.vault.keyring import COMING
from amply.infra.vault.organization_keys import hold_key_of, of_organizations
from amply.infra.vault.reencryption import reencrypt
from amply.kernel.clock import system_clock
from amply.kernel.ids import id_of
from amply.modules.applications.models import LookupRow
from tests.backend.conftest import Databases
from tests.backend.key_service import keyring

ORGANIZATIONS = 45
_ORGANIZATION = text("""
    INSERT INTO organization (id, slug, name, country, created_at)
    VALUES (:id, 'a' || right(:id, 5), 'Lake', 'DE', now())
""")


def test_a_rotation_comes_round_to_every_organisation(databases: Databases) -> None:
    """Twenty a turn; the former versions of those that are done stay for an hour and a quarter, and hold nobody up."""
    master = databases.as_role("master")
    master.keyring = keyring(master, bucket=databases.name)
    ids = [id_of("org", number) for number in range(ORGANIZATIONS)]
    for each in ids:
        hold_key_of(master, each, to_seal=True)
    with master.transaction() as session:
        for number, each in enumerate(ids):
            session.execute(_ORGANIZATION, {"id": each})
            row = LookupRow(
                id=id_of("look", number),
                organization_id=each,
                country="DE",
                asked_at=system_clock(),
                attempts=0,
                next_attempt_at=system_clock(),
            )
            row.tax_id = f"tax {number}"
            session.add(row)
    for each in ids:
        master.keyring.rotate(f"{OF_ORGANIZATION}{each}", now=system_clock() - COMING)
    turns = []
    while done := reencrypt(master, [of_organizations(LookupRow)], now=system_clock()):
        turns.append(done)
    assert turns == [20, 20, 5]
    with master.transaction() as session:
        rows = session.scalars(select(LookupRow).order_by(LookupRow.id)).all()
        assert {head_of(bytes(row.sealed or b"")).version for row in rows} == {2}
        assert [row.tax_id for row in rows] == [f"tax {number}" for number in range(ORGANIZATIONS)]
    master.close()
