"""The fast reading of leaves against the strict one: the same answers, whatever comes and in whatever order."""

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_format import scanning
from ledger_format.entries import MAX_LEAF_BYTES, decode, encode
from ledger_format.errors import EntryError
from ledger_format.scanning import Pair, Scanned, Scanner
from tests.hypothesis_profiles import examples
from tests.verify.ledger_samples import ORGANIZATION, sample_entry, sample_transfer
from tests.verify.test_entries import LIFE_OF_A_GIFT, entries
from tests.verify.worked_example import example_log, example_two_phases

PLAIN = [*example_log().leaves, *example_two_phases(), *map(encode, LIFE_OF_A_GIFT.values())]


def strictly(raw: bytes) -> Scanned | str:
    """What a scanner that has learned nothing says: it is `decode`."""
    return answer(Scanner(), raw)


def answer(scanner: Scanner, raw: bytes) -> Scanned | str:
    try:
        return scanner.scan(raw)
    except EntryError as error:
        return str(error)


def is_refused_strictly(raw: bytes) -> bool:
    try:
        decode(raw)
    except EntryError:
        return True
    return False


def warm() -> Scanner:
    """A scanner that knows the shapes of all samples."""
    scanner = Scanner()
    for raw in PLAIN:
        scanner.scan(raw)
    return scanner


@pytest.mark.parametrize("raw", PLAIN, ids=range(len(PLAIN)))
def test_a_leaf_of_a_known_shape_reads_as_at_first(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner()
    first = scanner.scan(raw)
    assert first == strictly(raw)
    if scanner._shapes:  # a leaf with a number of 19 digits is always read strictly
        monkeypatch.setattr(scanning, "decode", lambda _: pytest.fail("it was read strictly again"))
    assert scanner.scan(raw) == first


def test_what_was_scanned_is_what_the_entry_says() -> None:
    entry = decode(example_log().leaves[2])
    scanned = Scanner().scan(example_log().leaves[2])
    assert (scanned.id, scanned.org_seq, scanned.minute) == (entry.id.encode(), b"2", b"2026-11-23T16:05Z")
    assert scanned.org_prev == (entry.org_prev or b"").hex().encode()
    assert scanned.links.reverses == (entry.reverses or "").encode()
    assert [amount for _, amount, _, _ in scanned.moves] == [1000]
    assert scanned.moves[0][0] == Pair(
        f"{ORGANIZATION}/gifts".encode(),
        f"{ORGANIZATION}/processor_balance".encode(),
        b"EUR",
    )
    assert scanned.transfers.startswith(b'{"amt":"1000"')
    assert scanned.transfers.endswith(b'/gifts"}')


@settings(max_examples=examples(day=40, night=400))
@given(st.lists(entries(), min_size=1, max_size=4))
def test_every_entry_is_scanned_as_it_is_read_strictly(some: Sequence[object]) -> None:
    scanner = Scanner()
    for entry in [*some, *some]:
        raw = encode(entry)  # type: ignore[arg-type]  # the strategy makes entries
        assert answer(scanner, raw) == strictly(raw)


@settings(max_examples=examples(day=150, night=3_000))
@given(st.data())
def test_a_changed_leaf_is_judged_as_the_strict_reading_judges_it(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(PLAIN)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.one_of(st.sampled_from(list(b'"\\0129aAf_{}[],:\n')), st.integers(0, 255)))
    assert answer(warm(), bytes(raw)) == strictly(bytes(raw))


def test_every_single_bit_flip_of_a_leaf_is_judged_as_strictly() -> None:
    scanner = warm()
    for raw in (PLAIN[2], PLAIN[4]):
        for position in range(8 * len(raw)):
            flipped = bytearray(raw)
            flipped[position // 8] ^= 1 << position % 8
            changed = bytes(flipped)
            found = answer(scanner, changed)
            assert isinstance(found, str) == is_refused_strictly(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "ent_5Q0x7m3gk9r2v8cdt4h6wzb1ne"},
        {"id": 'ent_5q0x7m3gk9r2v8cdt4h6wz"1ne'},
        {"ts": "2026-02-30T07:44Z"},
        {"ts": "2026-11-21T24:00Z"},
        {"ts": "0000-11-21T07:44Z"},
        {"org": "org_01K9z3v8x4e5t6y7m8n9p0q1r2"},
        {"org_seq": "-"},
    ],
)
def test_values_of_the_right_length_and_the_wrong_kind_are_refused(changes: dict[str, str]) -> None:
    entry = sample_entry()
    raw = encode(entry)
    scanner = Scanner()
    scanner.scan(raw)
    for key, value in changes.items():
        before = {"ts": "2026-11-21T07:44Z", "org_seq": "0"}.get(key) or getattr(entry, key)
        changed = raw.replace(f'"{key}":"{before}"'.encode(), f'"{key}":"{value}"'.encode())
        assert changed != raw
        assert len(changed) == len(raw)
        with pytest.raises(EntryError):
            scanner.scan(changed)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'"amt":"2500"', b'"amt":"0500"'),
        (b'"amt":"2500"', b'"amt":"+500"'),
        (b'"amt":"2500"', b'"amt":"2_00"'),
        (b'"cur":"EUR"', b'"cur":"EuR"'),
        (b'/gifts"', b'/Gifts"'),
        (b"processor_balance", b"processor-balance"),
        (b'"v":1}', b'"v":2}'),
        (b'"v":1}', b'"v":7}'),
    ],
)
def test_a_known_shape_lends_nothing_to_a_wrong_value(right: bytes, wrong: bytes) -> None:
    raw = encode(sample_entry())
    scanner = Scanner()
    scanner.scan(raw)
    assert right in raw
    with pytest.raises(EntryError):
        scanner.scan(raw.replace(right, wrong))


def test_a_transfer_in_a_circle_is_refused_in_a_known_shape() -> None:
    there, back = f"{ORGANIZATION}/aaaa", f"{ORGANIZATION}/bbbb"
    raw = encode(sample_entry(transfers=(sample_transfer(debit=there, credit=back),)))
    scanner = Scanner()
    scanner.scan(raw)
    with pytest.raises(EntryError, match="two different accounts"):
        scanner.scan(raw.replace(b"bbbb", b"aaaa"))


def test_a_step_that_resolves_twice_or_its_own_entry_is_refused_in_a_known_shape() -> None:
    other, third = "ent_0m6kf9x2wn8jd5rbtq4zv1h7sc", "ent_0m6kf9x2wn8jd5rbtq4zv1h7sd"
    steps = tuple(sample_transfer(phase="post", pending=f"{name}#0") for name in (other, third))
    raw = encode(sample_entry(transfers=steps))
    scanner = Scanner()
    scanner.scan(raw)
    for wrong in (other, "ent_5q0x7m3gk9r2v8cdt4h6wzb1ne"):
        with pytest.raises(EntryError):
            scanner.scan(raw.replace(third.encode(), wrong.encode()))


def test_an_entry_that_reverses_itself_is_refused_in_a_known_shape() -> None:
    raw = encode(sample_entry(reverses="ent_5q0x7m3gk9r2v8cdt4h6wzb1nf"))
    scanner = Scanner()
    scanner.scan(raw)
    with pytest.raises(EntryError, match="another entry"):
        scanner.scan(raw.replace(b"1nf", b"1ne"))


def test_numbers_beyond_64_bits_are_refused_though_their_length_is_known() -> None:
    raw = encode(sample_entry(transfers=(sample_transfer(amount_minor=2**63 - 1),)))
    scanner = Scanner()
    scanner.scan(raw)
    with pytest.raises(EntryError):
        scanner.scan(raw.replace(b"9223372036854775807", b"9223372036854775808"))


def test_memory_is_bounded_under_hostile_variety(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MAX_SHAPES", 8)
    monkeypatch.setattr(scanning, "MAX_SHAPES_OF_A_LENGTH", 2)
    monkeypatch.setattr(scanning, "MAX_REMEMBERED", 8)
    scanner = Scanner()
    for number in range(200):
        entry = sample_entry(
            id=f"ent_{number:0{1 + number % 30}d}",
            kind=f"kind.{'abcdefghij'[number % 10] * 3}",
            org=f"org_{number:04d}",
            ts=dataclasses.replace(sample_entry()).ts.replace(minute=number % 60),
            transfers=(sample_transfer(amount_minor=1000 + number, debit=f"org_{number:04d}/x"),),
        )
        raw = encode(entry)
        assert answer(scanner, raw) == strictly(raw)
        assert answer(scanner, raw) == strictly(raw)
    assert sum(map(len, scanner._shapes.values())) <= 8
    for remembered in (scanner._minutes, scanner._owners, scanner._amounts, scanner._paths):
        assert len(remembered) <= 8


def test_a_leaf_beyond_its_limit_is_refused() -> None:
    with pytest.raises(EntryError):
        Scanner().scan(b"{" + b" " * MAX_LEAF_BYTES)
