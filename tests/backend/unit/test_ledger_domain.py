"""What can be asked of the ledger, and how openings rest."""

from dataclasses import replace
from datetime import datetime

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.errors import InvariantViolation
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import domain
from ledger_format.entries import MAX_TRANSFERS, Entry, Phase, Transfer, decode, encode, to_minute
from tests.backend.ledger_world import NOW, ORG, ORIGIN

FIVE = Money(minor_units=500, currency="EUR")


@pytest.mark.parametrize(
    ("debit", "credit", "minor_units"),
    [
        pytest.param(f"{ORG}/gifts", f"{ORG}/gifts", 1, id="one account"),
        pytest.param(f"{ORG}/pocket", f"{ORG}/gifts", 1, id="not in the chart"),
        pytest.param("org_1/gifts", f"{ORG}/bank", 1, id="no such owner"),
        pytest.param(f"{ORG}/bank", f"{ORG}/gifts", 0, id="nothing"),
        pytest.param(f"{ORG}/bank", f"{ORG}/gifts", -1, id="less than nothing"),
    ],
)
def test_an_impossible_transfer_cannot_be_written_down(debit: str, credit: str, minor_units: int) -> None:
    with pytest.raises(InvariantViolation):
        ledger.NewTransfer(debit=debit, credit=credit, amount=Money(minor_units=minor_units, currency="EUR"))


@pytest.mark.parametrize(
    ("phase", "pending"),
    [
        pytest.param("post", None, id="posts nothing"),
        pytest.param("void", None, id="voids nothing"),
        pytest.param("pending", "ent_" + "7" * 26 + "#0", id="reserves what was reserved"),
        pytest.param(None, "ent_" + "7" * 26 + "#0", id="no phase"),
        pytest.param("post", "ent_" + "7" * 26, id="no line"),
        pytest.param("post", "ent_" + "7" * 26 + "#01", id="another spelling of a line"),
        pytest.param("settle", None, id="no such phase"),
    ],
)
def test_an_impossible_step_cannot_be_written_down(phase: Phase | None, pending: str | None) -> None:
    with pytest.raises(InvariantViolation):
        ledger.NewTransfer(
            debit=f"{ORG}/bank", credit=f"{ORG}/gifts", amount=FIVE, phase=phase, pending=pending
        )


def entry_with(*, kind: str = "donation.succeeded", reference: str | None = None) -> ledger.NewEntry:
    return ledger.NewEntry(
        kind=kind,
        organization_id=ORG,
        idempotency_key="k",
        transfers=ledger.donation_succeeded(organization_id=ORG, amount=FIVE),
        event_at=NOW,
        reference=reference,
    )


def test_an_impossible_entry_cannot_be_written_down() -> None:
    entry = entry_with()

    with pytest.raises(InvariantViolation, match="moves something"):
        replace(entry, transfers=())
    with pytest.raises(InvariantViolation, match="zone"):
        replace(entry, event_at=datetime(2026, 1, 1))  # noqa: DTZ001 -- the missing zone is the point
    with pytest.raises(InvariantViolation, match="kind"):
        replace(entry, kind="Donation")
    with pytest.raises(InvariantViolation, match="has the entry"):
        replace(entry, organization_id="org_1")
    with pytest.raises(InvariantViolation, match="named by its id"):
        replace(entry, reverses="ent_1")
    with pytest.raises(InvariantViolation, match="code of small letters"):
        replace(entry, reason="Because")
    with pytest.raises(InvariantViolation, match="gives its reason"):
        replace(entry, supersedes="ent_" + "7" * 26)
    step = ledger.NewTransfer(
        debit=f"{ORG}/bank",
        credit=f"{ORG}/gifts",
        amount=FIVE,
        phase="void",
        pending="ent_" + "7" * 26 + "#0",
    )
    with pytest.raises(InvariantViolation, match="resolved once"):
        replace(entry, transfers=(step, step))
    with pytest.raises(InvariantViolation, match="small letters"):
        replace(entry, personal={"Name": "x"})
    with pytest.raises(InvariantViolation, match="short"):
        replace(entry, personal={"donor_name": "x" * 2_000})


@pytest.mark.parametrize(
    "reference", ["two words", "PAYMENT:1", "stripe:", "a:b\u00e9", "a:b\n", "a:" + "b" * 254]
)
def test_a_reference_the_public_log_cannot_spell_cannot_be_written_down(reference: str) -> None:
    with pytest.raises(InvariantViolation, match="names joined by colons"):
        entry_with(kind="payout.paid", reference=reference)


@pytest.mark.parametrize("kind", list(ledger.Kind))
def test_only_what_belongs_to_no_person_names_its_reference_in_public(kind: ledger.Kind) -> None:
    """A payment's leads whoever has the processor's dashboard to the donor."""
    if kind.startswith(("payout.", "currency.")):
        assert entry_with(kind=kind, reference="stripe:payout:po_1").reference
    else:
        with pytest.raises(InvariantViolation, match="belongs to no person"):
            entry_with(kind=kind, reference="stripe:payment_intent:pi_1")


def test_an_entry_has_as_many_transfers_as_the_format_and_the_database_take() -> None:
    step = entry_with().transfers[0]
    assert len(replace(entry_with(), transfers=(step,) * MAX_TRANSFERS).transfers) == MAX_TRANSFERS
    with pytest.raises(InvariantViolation, match="not too much"):
        replace(entry_with(), transfers=(step,) * (MAX_TRANSFERS + 1))


@given(
    kind_and_reference=st.one_of(
        st.tuples(st.from_regex(domain._KIND, fullmatch=True), st.none()),
        st.tuples(
            st.from_regex(r"(payout|currency)\.[a-z][a-z_]{0,30}", fullmatch=True),
            st.from_regex(r"[a-z][a-z0-9_]{0,9}(:[0-9A-Za-z._-]{1,80}){1,3}", fullmatch=True),
        ),
    )
)
def test_what_can_be_written_down_can_be_spelled(kind_and_reference: tuple[str, str | None]) -> None:
    kind, reference = kind_and_reference
    entry = entry_with(kind=kind, reference=reference)
    transfers = tuple(
        Transfer(t.debit, t.credit, t.amount.currency, t.amount.minor_units) for t in entry.transfers
    )
    spelled = encode(
        Entry(
            log=ORIGIN,
            id="ent_" + "0" * 26,
            kind=entry.kind,
            ts=to_minute(entry.event_at),
            org=entry.organization_id,
            org_seq=0,
            org_prev=None,
            transfers=transfers,
            ref=entry.reference,
        )
    )
    assert decode(spelled).ref == reference


def test_a_sealed_opening_opens_only_with_its_key_in_its_place() -> None:
    secrets = ledger.CommitmentSecrets(key=b"\1" * 32)
    openings = {
        "donor_email": secrets.new_opening("zoe@example.org"),
        "donor_name": secrets.new_opening("Zoë"),
    }
    sealed = secrets.seal(openings, entry_id="ent_1")

    assert secrets.unseal(sealed, entry_id="ent_1") == openings
    assert b"zoe" not in sealed
    with pytest.raises(InvalidTag):
        secrets.unseal(sealed, entry_id="ent_2")
    with pytest.raises(InvalidTag):
        secrets.unseal(sealed[:-1], entry_id="ent_1")
    with pytest.raises(InvalidTag):
        ledger.CommitmentSecrets(key=b"\2" * 32).unseal(sealed, entry_id="ent_1")


def test_what_was_sealed_by_a_version_nobody_knows_is_not_guessed_at() -> None:
    secrets = ledger.CommitmentSecrets(key=b"\1" * 32)
    sealed = secrets.seal({"donor_name": secrets.new_opening("Zoë")}, entry_id="ent_1")

    assert sealed[:1] == b"\1"
    with pytest.raises(InvariantViolation, match="a version this code knows"):
        secrets.unseal(b"\2" + sealed[1:], entry_id="ent_1")


def test_no_two_openings_share_a_salt() -> None:
    secrets = ledger.CommitmentSecrets(key=b"\1" * 32)

    assert secrets.new_opening("same").salt != secrets.new_opening("same").salt
