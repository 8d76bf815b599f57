"""Version 1 of the entry: what it can say, and what no entry may be made to say."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger_format.entries import (
    MAX_COMMITMENTS,
    MAX_LEAF_BYTES,
    MAX_TRANSFERS,
    Entry,
    Transfer,
    decode,
    encode,
    to_minute,
)
from ledger_format.errors import EntryError
from tests.hypothesis_profiles import examples
from tests.verify.ledger_samples import ORGANIZATION, sample_entry, sample_transfer

OTHER_ENTRY = "ent_0m6kf9x2wn8jd5rbtq4zv1h7sc"
RESOLVED = sample_transfer(phase="post", pending=f"{OTHER_ENTRY}#0")

# What version 1 must be able to say for ever.

LIFE_OF_A_GIFT = {
    "a pending debit": sample_entry(
        transfers=(sample_transfer(phase="pending"),), kind="donation.processing"
    ),
    "its posting, in part": sample_entry(
        transfers=(sample_transfer(phase="post", pending=f"{OTHER_ENTRY}#0", amount_minor=2000),)
    ),
    "its voiding": sample_entry(
        transfers=(sample_transfer(phase="void", pending=f"{OTHER_ENTRY}#{MAX_TRANSFERS - 1}"),),
        kind="donation.failed",
    ),
    "a refund": sample_entry(kind="donation.refunded", reverses=OTHER_ENTRY),
    "a payout": sample_entry(kind="payout.paid", ref="stripe:payout:po_3Q9"),
    "a correction with its reason": sample_entry(
        kind="entry.corrected", supersedes=OTHER_ENTRY, reason="wrong_organisation"
    ),
    "a match": sample_entry(kind="match.paid", matches=OTHER_ENTRY),
    "several commitments": sample_entry(
        commitments={"donor_name": bytes(32), "donor_email": bytes(32), "donation_id": bytes(range(32))}
    ),
    "an account with a part of its own": sample_entry(
        transfers=(sample_transfer(credit=f"{ORGANIZATION}/payout_in_transit/po_1AbC"),)
    ),
    "the platform's own books": sample_entry(
        org="platform", transfers=(sample_transfer(debit="platform/processor_balance"),)
    ),
    "another owner than an organisation": sample_entry(
        org="biz_01k9", transfers=(sample_transfer(debit="biz_01k9/available", credit="biz_01k9/pledged"),)
    ),
    "two currencies": sample_entry(
        kind="currency.exchanged",
        transfers=(sample_transfer(), sample_transfer(currency="JPY", amount_minor=2**63 - 1)),
    ),
    "a later entry of an organisation": sample_entry(org_seq=2**63 - 1, org_prev=bytes(32)),
    "the first day of the calendar": sample_entry(ts=datetime(1, 1, 1, 0, 0, tzinfo=UTC)),
}


@pytest.mark.parametrize("name", LIFE_OF_A_GIFT)
def test_version_1_can_say(name: str) -> None:
    entry = LIFE_OF_A_GIFT[name]
    assert decode(encode(entry)) == entry


codes = st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True)
entry_ids = st.from_regex(r"ent_[0-9a-z]{1,64}", fullmatch=True)
owners = st.one_of(st.just("platform"), st.from_regex(r"[a-z]{2,16}_[0-9a-z]{1,64}", fullmatch=True))
accounts = st.builds("{}/{}".format, owners, codes)
amounts = st.integers(1, 2**63 - 1)
hashes = st.binary(min_size=32, max_size=32)
currencies = st.from_regex(r"[A-Z]{3}", fullmatch=True)


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    debit, credit = draw(st.lists(accounts, min_size=2, max_size=2, unique=True))
    phase = draw(st.sampled_from(["pending", "post", "void", None]))
    pending = (
        f"{draw(entry_ids)}#{draw(st.integers(0, MAX_TRANSFERS - 1))}" if phase in {"post", "void"} else None
    )
    return Transfer(debit, credit, draw(currencies), draw(amounts), phase, pending)  # type: ignore[arg-type]  # a phase


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    entry_id, *others = draw(st.lists(entry_ids, min_size=4, max_size=4, unique=True))
    reverses, supersedes, matches = (draw(st.sampled_from([other, None])) for other in others)
    org_seq = draw(st.integers(0, 2**63 - 1))
    moment = draw(st.datetimes(timezones=st.just(UTC)))
    moved = draw(st.lists(transfers(), min_size=1, max_size=4))
    resolved = [transfer.pending for transfer in moved if transfer.pending]
    assume(len(set(resolved)) == len(resolved))
    assume(not any(line.startswith(f"{entry_id}#") for line in resolved))
    return Entry(
        log=draw(st.from_regex(r"[a-z0-9]{1,20}/[a-z0-9]{1,20}", fullmatch=True)),
        id=entry_id,
        kind=".".join(
            draw(st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), min_size=2, max_size=3))
        ),
        ts=to_minute(moment),
        org=draw(owners),
        org_seq=org_seq,
        org_prev=draw(hashes) if org_seq else None,
        transfers=tuple(moved),
        ref=draw(st.none() | st.just("stripe:payout:po_3Q9")),
        reverses=reverses,
        supersedes=supersedes,
        matches=matches,
        reason=draw(st.none() | codes),
        commitments=draw(st.dictionaries(codes, hashes, max_size=4)),
    )


@given(entries())
@settings(max_examples=examples(day=100, night=1_000))
def test_every_entry_reads_back_and_is_spelled_as_rfc_8785_spells_it(entry: Entry) -> None:
    raw = encode(entry)
    assert decode(raw) == entry
    assert rfc8785.dumps(json.loads(raw)) == raw


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_entry_errors_and_nothing_else(raw: bytes) -> None:
    with pytest.raises(EntryError):
        decode(raw)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"log": ""}, "origin"),
        ({"log": "log example"}, "origin"),
        ({"log": "log.example/ü"}, "origin"),
        ({"log": "log.example/"}, "origin"),
        ({"id": "don_01"}, "entry id"),
        ({"id": "ent_"}, "entry id"),
        ({"id": "ent_01\n"}, "entry id"),
        ({"id": "ent_" + "0" * 65}, "entry id"),
        ({"id": "ent_ABC"}, "entry id"),
        ({"id": "ent_é"}, "entry id"),
        ({"kind": "donation"}, "kind"),
        ({"kind": "Donation.succeeded"}, "kind"),
        ({"kind": "donation..succeeded"}, "kind"),
        ({"kind": "donation." + "s" * 64}, "kind"),
        ({"org": "amply"}, "organisation"),
        ({"org_seq": -1}, "org_seq"),
        ({"org_seq": 2**63, "org_prev": bytes(32)}, "org_seq"),
        ({"org_seq": True, "org_prev": bytes(32)}, "org_seq"),
        ({"org_seq": 1}, "org_prev"),
        ({"org_prev": bytes(32)}, "org_prev"),
        ({"org_seq": 1, "org_prev": bytes(31)}, "org_prev"),
        ({"transfers": ()}, "transfers"),
        ({"transfers": (sample_transfer(),) * (MAX_TRANSFERS + 1)}, "transfers"),
        ({"transfers": (RESOLVED, RESOLVED)}, "twice"),
        ({"transfers": (RESOLVED, dataclasses.replace(RESOLVED, phase="void"))}, "twice"),
        ({"id": OTHER_ENTRY, "transfers": (RESOLVED,)}, "later entry"),
        ({"ts": datetime(2026, 11, 21, 7, 44)}, "UTC"),  # noqa: DTZ001 -- a time without a zone is the point
        ({"ts": datetime(2026, 11, 21, 7, 44, 1, tzinfo=UTC)}, "minute"),
        ({"ts": datetime(2026, 11, 21, 7, 44, tzinfo=timezone(timedelta(hours=1)))}, "UTC"),
        ({"ref": "pi_1"}, "reference"),
        ({"ref": "stripe:pi 1"}, "reference"),
        ({"ref": "stripe:" + "x" * 249}, "reference"),
        ({"reverses": "ent_5q0x7m3gk9r2v8cdt4h6wzb1ne"}, "another entry"),
        ({"supersedes": "don_1"}, "supersedes"),
        ({"matches": ""}, "matches"),
        ({"reason": "because of this"}, "reason"),
        ({"commitments": {"Donor": bytes(32)}}, "field"),
        ({"commitments": {"donor_name": bytes(31)}}, "commitment"),
        ({"commitments": {f"field_{number}": bytes(32) for number in range(33)}}, "commitments"),
    ],
)
def test_an_entry_that_breaks_a_rule_cannot_be_made(change: dict[str, Any], words: str) -> None:
    with pytest.raises(EntryError, match=words):
        sample_entry(**change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": -1}, "amount"),
        ({"amount_minor": 2**63}, "amount"),
        ({"amount_minor": True}, "amount"),
        ({"amount_minor": 25.0}, "amount"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "€"}, "currency"),
        ({"debit": f"{ORGANIZATION}/gifts"}, "two different"),
        ({"debit": "gifts"}, "debited"),
        ({"debit": f"{ORGANIZATION}/"}, "debited"),
        ({"credit": f"{ORGANIZATION}/gifts/a/b"}, "credited"),
        ({"credit": "somebody/gifts"}, "credited"),
        ({"phase": "later"}, "phase"),
        ({"phase": "post"}, "pending"),
        ({"phase": "void"}, "pending"),
        ({"phase": "pending", "pending": f"{OTHER_ENTRY}#0"}, "pending"),
        ({"pending": f"{OTHER_ENTRY}#0"}, "pending"),
        ({"phase": "post", "pending": OTHER_ENTRY}, "pending"),
        ({"phase": "post", "pending": f"{OTHER_ENTRY}#00"}, "pending"),
        ({"phase": "post", "pending": f"{OTHER_ENTRY}#1000"}, "pending"),
        ({"phase": "post", "pending": f"{OTHER_ENTRY}#{MAX_TRANSFERS}"}, "pending"),
    ],
)
def test_a_transfer_that_breaks_a_rule_cannot_be_made(change: dict[str, Any], words: str) -> None:
    with pytest.raises(EntryError, match=words):
        sample_transfer(**change)


def test_an_entry_with_the_longest_names_the_books_have_always_fits() -> None:
    """Our accounts have at most 63 characters; the chart's codes at most 32."""
    owner = f"org_{'z' * 26}"
    longest = [
        Transfer(
            debit=f"{owner}/{'d' * 32}",
            credit=f"{owner}/{'c' * 32}",
            currency="EUR",
            amount_minor=2**63 - 1,
            phase="post",
            pending=f"ent_{'9' * 26}#{line}",
        )
        for line in range(MAX_TRANSFERS)
    ]
    entry = Entry(
        log=f"log.example/{'o' * 80}",
        id=f"ent_{'z' * 26}",
        kind=f"entry.{'k' * 58}",
        ts=datetime(2026, 11, 21, 7, 44, tzinfo=UTC),
        org=owner,
        org_seq=2**63 - 1,
        org_prev=bytes(32),
        transfers=tuple(longest),
        ref=f"stripe:{'r' * 248}",
        reverses=f"ent_{'1' * 26}",
        supersedes=f"ent_{'2' * 26}",
        matches=f"ent_{'3' * 26}",
        reason="r" * 64,
        commitments={f"{'f' * 62}{number:02}": bytes(32) for number in range(MAX_COMMITMENTS)},
    )
    assert MAX_LEAF_BYTES * 0.8 < len(encode(entry)) <= MAX_LEAF_BYTES


def test_the_commitments_of_an_entry_cannot_be_changed_from_outside() -> None:
    commitments = {"donor_name": bytes(32)}
    entry = sample_entry(commitments=commitments)
    commitments["donor_email"] = bytes(32)
    assert set(entry.commitments) == {"donor_name"}


def test_an_entry_larger_than_a_bundle_can_hold_is_refused() -> None:
    long = {
        "debit": f"org_{'0' * 64}/{'a' * 64}/{'b' * 80}",
        "credit": f"org_{'0' * 64}/{'c' * 64}/{'d' * 80}",
    }
    with pytest.raises(EntryError, match="65535"):
        encode(sample_entry(transfers=(sample_transfer(**long),) * MAX_TRANSFERS))
    with pytest.raises(EntryError, match="65535"):
        decode(b" " * 65_536)


def test_to_minute_rounds_down_in_utc() -> None:
    moment = datetime(2026, 11, 21, 8, 44, 59, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert to_minute(moment) == datetime(2026, 11, 21, 7, 44, tzinfo=UTC)
    with pytest.raises(EntryError):
        to_minute(datetime(2026, 11, 21, 7, 44))  # noqa: DTZ001 -- a time without a zone is the point
