"""Every limit that docs/ledger-format.md names is the one that both verifiers keep: tried just within and just beyond."""

import base64
import dataclasses
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import rfc8785

from ledger_format import literals, notes, receipts, tiles
from ledger_format.cosignatures import WitnessKey
from ledger_format.entries import encode
from ledger_format.notes import NoteSignature, VerifierKey
from ledger_format.receipts import Opening, encode_receipt
from tests.verify.javascript_runner import Ask
from tests.verify.judging import judged_in_javascript, judged_in_python, question
from tests.verify.ledger_samples import (
    ORIGIN,
    SampleLog,
    sample_entry,
    sample_transfer,
    sign,
    verifier_key,
)
from tests.verify.readings import Reading, sign_anything
from tests.verify.test_document import DOCUMENT

RULES: Final = re.sub(
    r"\s+", " ", re.sub(r"```.*?```", "", DOCUMENT.partition("\n## 7. ")[0], flags=re.DOTALL)
)
"""All but the worked example and the rules between entries, which name no limits; wherever lines are broken."""

KEY: Final = verifier_key()
NOTE: Final = sign(f"{ORIGIN}\n3\nNLbGrCb4KN4rdOIAN+yGSMO16h9SAPVQXsCKI02p828=\n")
LEAF: Final[dict[str, Any]] = json.loads(encode(sample_entry()))
LOG: Final = SampleLog([encode(sample_entry(commitments={"name": bytes(32)}))])

NUMBER: Final = r"([0-9][0-9,]*)"
Make = Callable[[int], Reading]


def _reading(read: str, content: bytes | str) -> Reading:
    raw = content if isinstance(content, bytes) else content.encode()
    return Reading(name="", read=read, content=base64.b64encode(raw).decode(), keys=[str(KEY)])


def _leaf(**changes: Any) -> Reading:
    return _reading("leaf", rfc8785.dumps({**LEAF, **changes}))


def _transfer(**changes: str) -> Reading:
    return _leaf(transfers=[{**LEAF["transfers"][0], **changes}])


def _debited(account: str) -> Reading:
    return _transfer(d=account)


def _later(value: str) -> Reading:
    return _reading("leaf", f'{{"v":2,"x":{value}}}')


def _leaf_of(size: int) -> Reading:
    return _later(json.dumps("x" * (size - len(_later('""').raw))))


def _deep(depth: int) -> Reading:
    return _later("[" * (depth - 1) + "1" + "]" * (depth - 1))


def _stranger(name: str = "stranger.example", signature: bytes = b"1") -> str:
    return NoteSignature(name, b"abcd", signature).line()


def _note(*more: str) -> Reading:
    return _reading("note", NOTE + "".join(more))


def _note_of(size: int) -> Reading:
    return _reading("note", sign_anything("x" * (size - len(sign_anything("\n").encode())) + "\n"))


def _logs(count: int) -> Reading:
    keys = [VerifierKey(f"l{n}", n.to_bytes(32, "big")) for n in range(count)]
    return _policy(*(f"log {key}" for key in keys))


def _witnesses(count: int) -> list[str]:
    return [f"witness w{n} {WitnessKey(f'w{n}', n.to_bytes(32, 'big'))}" for n in range(count)]


def _groups(count: int) -> Reading:
    """A witness in a group, which is in the next one, and so on: more groups than there may be witnesses."""
    members = ["w0", *(f"g{n}" for n in range(count))]
    return _policy(*_witnesses(1), *(f"group g{n} any {members[n]}" for n in range(count)))


def _policy(*lines: str) -> Reading:
    return _reading("policy", "".join(f"{line}\n" for line in [*lines, "quorum none"]))


def _policy_of(size: int) -> Reading:
    end = "\nquorum none\n"
    return _reading("policy", "#" * (size - len(end)) + end)


def _key_list_of(size: int) -> Reading:
    return _reading("key list", "#" * (size - len(str(KEY)) - 1) + f"\n{KEY}")


def _receipt(**changes: Any) -> Reading:
    return _reading("receipt", _written(dataclasses.replace(LOG.receipt(0), **changes)))


def _written(receipt: receipts.Receipt) -> bytes:
    """As our writer writes it, also where it would refuse to."""
    openings = {
        field: {"salt": literals.to_base64(each.salt), "value": each.value}
        for field, each in receipt.openings.items()
    }
    extra = rfc8785.dumps({"leaf": receipt.leaf.decode(), "openings": openings})
    head = ["c2sp.org/tlog-proof@v1", f"extra {literals.to_base64(extra)}", f"index {receipt.index}"]
    return (
        "\n".join([*head, *map(literals.to_base64, receipt.proof)]) + "\n\n" + receipt.checkpoint_note
    ).encode()


def _opened(size: int) -> Reading:
    """A receipt that opens a value of so many bytes."""
    salt, value = bytes(32), b"x" * size
    message = b"amply/commitment/v1\0name\0" + size.to_bytes(4, "big") + value
    leaf = encode(sample_entry(commitments={"name": hmac.digest(salt, message, hashlib.sha256)}))
    return _reading(
        "receipt", _written(SampleLog([leaf]).receipt(0, {"name": Opening(value.decode(), salt)}))
    )


def _openings(count: int) -> Reading:
    return _receipt(openings={f"f{n}": Opening("x", bytes(32)) for n in range(count)})


class Limit(NamedTuple):
    """A sentence of the document with the numbers in it, and bytes that have as much of it as they are asked for.

    `sentence` has one group for the largest number or two, of which the first is the smallest. `within` is the verdict
    that shows a reader to have gone further than the limit, `beyond` the one for what breaks it.
    """

    sentence: str
    make: Make
    within: str = "verified"
    beyond: str = "malformed"


def limits() -> Iterator[Limit]:
    yield Limit(rf"at most {NUMBER} \(2\^63 . 1\)", lambda n: _transfer(amt=str(n)))
    yield Limit(rf"the name of a log, {NUMBER} to {NUMBER} of", lambda n: _leaf(log="x" * n))
    yield Limit(rf"A leaf has 1 to {NUMBER} bytes", _leaf_of, "unknown_version")
    yield Limit(rf"Refuse more than {NUMBER} bytes", _leaf_of, "unknown_version")
    yield Limit(rf"`ent_` and {NUMBER} to {NUMBER} of", lambda n: _leaf(id="ent_" + "x" * n))
    yield Limit(
        rf"followed by `a-z 0-9 _`; {NUMBER} to {NUMBER} characters",
        lambda n: _leaf(kind="a." + "x" * (n - 2)),
    )
    yield Limit(rf"of the years {NUMBER} to {NUMBER}\.", lambda n: _leaf(ts=f"{n:04d}-01-01T00:00Z"))
    yield Limit(rf"list of {NUMBER} to {NUMBER} transfers", lambda n: _leaf(transfers=LEAF["transfers"] * n))
    yield Limit(
        rf"`0-9 A-Z a-z \. _ -`; {NUMBER} to {NUMBER} characters", lambda n: _leaf(ref=("a:" + "x" * n)[:n])
    )
    yield Limit(
        rf"object of {NUMBER} to {NUMBER} commitments",
        lambda n: _leaf(commitments={f"f{i}": "00" * 32 for i in range(n)}),
    )
    yield Limit(rf"followed by at most {NUMBER} of `a-z 0-9 _`", lambda n: _leaf(reason="a" + "x" * n))
    yield Limit(rf"or {NUMBER} to {NUMBER} letters `a-z`", lambda n: _leaf(org="x" * n + "_1"))
    yield Limit(rf"`_`, and {NUMBER} to {NUMBER} of `0-9 a-z`", lambda n: _leaf(org="org_" + "x" * n))
    yield Limit(rf"with a part of {NUMBER} to {NUMBER} of", lambda n: _debited("platform/a/" + "x" * n))
    yield Limit(
        rf"with a decimal line of 0 to {NUMBER},", lambda n: _transfer(phase="post", pending=f"ent_other#{n}")
    )
    yield Limit(rf"\(no normalisation\), 0 to {NUMBER} bytes", _opened, beyond="opening")
    yield Limit(rf"the value has 0 to {NUMBER} bytes in UTF-8", _opened, beyond="opening")
    yield Limit(rf"stands within more than {NUMBER} others", _deep, "unknown_version")
    yield Limit(
        rf"a whole number from 2 to {NUMBER},", lambda n: _reading("leaf", f'{{"v":{n}}}'), "unknown_version"
    )
    yield Limit(rf"no entries, and more than {NUMBER}\.", lambda n: _reading("bundle", b"\0\1x" * n))
    yield Limit(
        rf"and {NUMBER} to {NUMBER} signature lines",
        lambda n: _note(*[_stranger()] * (n - 1)) if n else _reading("note", NOTE.rpartition("— ")[0]),
    )
    yield Limit(rf"It is UTF-8 of at most {NUMBER} bytes", _note_of)
    yield Limit(rf"name has {NUMBER} to {NUMBER} characters;", lambda n: _note(_stranger(name="x" * n)))
    yield Limit(rf"It has at most {NUMBER} bytes and", _key_list_of)
    yield Limit(rf"bytes and {NUMBER} keys, all of logs", lambda n: _reading("key list", f"{KEY}\n" * n))
    yield Limit(rf"a text of at most {NUMBER} bytes, whose lines", _policy_of)
    yield Limit(rf"There are at most {NUMBER} logs,", _logs)
    yield Limit(rf"logs, {NUMBER} witnesses", lambda n: _policy(*_witnesses(n)))
    yield Limit(rf"witnesses and {NUMBER} groups", _groups)
    yield Limit(
        rf"the inclusion proof: 0 to {NUMBER} lines", lambda n: _receipt(proof=(bytes(32),) * n), "proof"
    )
    yield Limit(rf"an object of 0 to {NUMBER} openings", _openings, "mismatch")


CONSTANTS: Final = {
    rf"256 consecutive hashes, {NUMBER} bytes": ("MAX_TILE_BYTES", tiles.TILE_WIDTH * literals.HASH_BYTES),
    rf"no multiple of 32 or above {NUMBER} bytes": ("MAX_TILE_BYTES", tiles.TILE_WIDTH * literals.HASH_BYTES),
    rf", {NUMBER} for a tile": ("MAX_TILE_BYTES", tiles.TILE_WIDTH * literals.HASH_BYTES),
    rf"{NUMBER} for `checkpoint`": ("MAX_NOTE_BYTES", notes.MAX_NOTE_BYTES),
    rf", {NUMBER} for a bundle": ("MAX_BUNDLE_BYTES", tiles.MAX_BUNDLE_BYTES),
    rf"\({NUMBER} entries of 65,535 bytes": ("TILE_WIDTH", tiles.TILE_WIDTH),
    rf"a UTF-8 file of at most {NUMBER} bytes": ("MAX_RECEIPT_BYTES", receipts.MAX_RECEIPT_BYTES),
}
"""Limits of what is fetched or of a whole file, by sentence: the constant's name in the pages, and the package's value."""

OTHERS: Final = (
    r"the first \*w\* \(1 to 255\) of them",  # the width of a tile but one
    r"at level \*l\* \(0 to 7\)",  # what sizes below 2^63 have
    r"from at least 128 random bits",  # which no verifier can count
    r"every rule of 2\.1 to 2\.4",
    r"Refuse any byte above 0x7f",
    r"the signature at least 1\.",  # golden/readings.json
    r"are at most 2\^63 . 1",
    r"UTC, at most 2\^63 . 1",
    r"its time is at most 2\^63 . 1",
)
"""What looks like a limit and is held elsewhere, or is none."""

_ANY: Final = re.compile(r"\b[0-9][0-9,]* to [0-9][0-9,]*|(?:at most|at least|more than|above) [0-9][0-9,^]*")


def _numbers(sentence: str) -> list[int]:
    found = re.findall(sentence, RULES)
    assert len(found) == 1, (sentence, found)
    numbers = found[0] if isinstance(found[0], tuple) else (found[0],)
    return [int(number.replace(",", "")) for number in numbers]


def _tries() -> Iterator[tuple[str, Reading, str]]:
    """What is tried, and the verdict it must have."""
    for limit in limits():
        *smallest, largest = _numbers(limit.sentence)
        wanted = {largest: limit.within, largest + 1: limit.beyond}
        for least in smallest:
            wanted |= {least: limit.within, least - 1: limit.beyond}
        for number, verdict in wanted.items():
            yield f"{limit.sentence}: {number}", limit.make(number), verdict


def test_both_verifiers_keep_every_limit_of_the_document(ask: Ask) -> None:
    tries = list(_tries())
    expected = {name: verdict for name, _, verdict in tries}
    assert {name: judged_in_python(reading)[0] for name, reading, _ in tries} == expected
    answers = ask([question(reading) for _, reading, _ in tries])
    judged = {
        name: judged_in_javascript(answer)[0] for (name, *_), answer in zip(tries, answers, strict=True)
    }
    assert judged == expected


def test_the_sizes_of_files_are_the_constants_of_both(ask: Ask) -> None:
    (answer,) = ask([{"do": "constants"}])
    for sentence, (name, value) in CONSTANTS.items():
        assert (_numbers(sentence), answer["result"][name]) == ([value], value), sentence
    assert (tiles.TILE_WIDTH - 1, tiles.MAX_LEVEL, literals.MAX_INTEGER) == (255, 7, 2**63 - 1)


def test_no_limit_of_the_document_is_left_out() -> None:
    left = RULES
    for sentence in (*(limit.sentence for limit in limits()), *CONSTANTS, *OTHERS):
        assert re.search(sentence, left), sentence
        left = re.sub(sentence, lambda match: re.sub(r"[0-9]", "…", match[0]), left)
    assert _ANY.findall(left) == []


def test_the_receipts_tried_here_are_what_the_package_writes() -> None:
    receipt = LOG.receipt(0)
    assert _written(receipt) == encode_receipt(receipt)
    assert sample_transfer().debit == LEAF["transfers"][0]["d"]
