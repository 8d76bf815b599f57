"""Bytes that two readers could take for different things, each with the one meaning of docs/ledger-format.md.

`python -m tests.verify.readings` writes `golden/readings.json` again; a test holds the file to this module. Every character
that some language's library takes for a space, a digit or the end of a line stands in one of them.
"""

import base64
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_format.entries import encode
from ledger_format.notes import NoteSignature, VerifierKey
from tests.verify.ledger_samples import (
    NEXT_KEY,
    ORIGIN,
    SIGNING_KEY,
    WITNESSES,
    sample_entry,
    sample_transfer,
    sign,
    verifier_key,
    witness_key,
)

FILE: Final = Path(__file__).parent / "golden" / "readings.json"

LINE_ENDS: Final = "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What is no newline and ends a line to some reader."""
SPACES: Final = "\v\f\x1c\x1f\x85\xa0\u1680\u2003\u2028\u202f\u3000\ufeff\u200b\u180e"
"""What is neither a space, a tab nor a carriage return, and is trimmed by some reader."""

LOG, NEXT = verifier_key(), verifier_key(NEXT_KEY)
TWINS: Final = tuple(
    Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big")) for seed in (19_175, 87_550)
)
"""Two keys that have one key id under the name of the log."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """Bytes in base64, what they are read as, and what becomes of it: `verified` with a meaning, or why not.

    `read` is `key list` (the meaning: its lines in their plain spelling), `note` (opened with `keys`; how many
    signatures count), `policy` (its quorum), `leaf` (its id).
    """

    name: str
    read: str
    content: str
    verdict: str = "verified"
    meaning: list[str] = dataclasses.field(default_factory=list)
    keys: list[str] = dataclasses.field(default_factory=list)

    @property
    def raw(self) -> bytes:
        return base64.b64decode(self.content)


def _reading(
    read: str, name: str, content: str | bytes, verdict: str = "verified", *meaning: object
) -> Reading:
    raw = content.encode() if isinstance(content, str) else content
    said = [str(each) for each in meaning]
    coded = base64.b64encode(raw).decode()
    return Reading(name=f"{read}: {name}", read=read, content=coded, verdict=verdict, meaning=said)


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def key_lists() -> Iterator[Reading]:
    def case(name: str, text: str | bytes, *keys: object, verdict: str = "verified") -> Reading:
        return _reading("key list", name, text, verdict, *keys)

    for end in LINE_ENDS:
        yield case(f"a comment goes on behind {_code(end)}", f"# note{end}{LOG}\n")
        yield case(f"a key does not end at {_code(end)}", f"{LOG}{end}{NEXT}\n", verdict="malformed")
    for space in SPACES:
        yield case(f"{_code(space)} before a key is no space", f"{space}{LOG}\n", verdict="malformed")
        yield case(f"{_code(space)} behind a key is no space", f"{LOG}{space}\n", verdict="malformed")
    yield case("lines as Windows ends them", f"# note\r\n{LOG}\r\n\r\n3 {NEXT}\r\n", LOG, f"3 {NEXT}")
    yield case("spaces and tabs around a line", f" \t{LOG}\t \n\t# note\n \t\n", LOG)
    yield case("without a last newline", f"{LOG}\n3 {NEXT}", LOG, f"3 {NEXT}")
    yield case("nothing", "")
    for size in ("\u0663", "\uff13", "3_0", "+3", "03", "3.0", "0x3", "3e0"):
        yield case(
            f"the size {size.encode('ascii', 'backslashreplace').decode()}",
            f"{size} {LOG}\n",
            verdict="malformed",
        )
    yield case("a tab behind the size", f"3\t{LOG}\n", verdict="malformed")
    yield case("a key of a witness", f"{witness_key('harbour')}\n", verdict="malformed")
    yield case("as many keys as there may be", f"{LOG}\n" * 64, *[LOG] * 64)
    yield case("one key more", f"{LOG}\n" * 65, verdict="malformed")


def notes() -> Iterator[Reading]:
    text = f"{ORIGIN}\n3\nNLbGrCb4KN4rdOIAN+yGSMO16h9SAPVQXsCKI02p828=\n"
    note = sign(text)

    def case(name: str, content: str | bytes, outcome: str | int, *keys: object) -> Reading:
        verdict, counted = ("verified", [outcome]) if isinstance(outcome, int) else (outcome, [])
        made = _reading("note", name, content, verdict, *counted)
        return dataclasses.replace(made, keys=[str(key) for key in keys or (LOG,)])

    def stranger(value: bytes, name: str = "stranger.example") -> str:
        return NoteSignature(name, value[:4], value[4:]).line()

    yield case("a stranger's key id with one byte behind it", note + stranger(b"abcd1"), 1)
    yield case("a stranger's key id with nothing behind it", note + stranger(b"abcd"), "malformed")
    yield case("a stranger's three bytes", note + stranger(b"abc"), "malformed")
    yield case("a stranger's name alone", f"{note}— stranger.example\n", "malformed")
    yield case("a stranger's base64 with spare bits", f"{note}— stranger.example YWJjZDF=\n", "malformed")
    yield case("a stranger's base64 without padding", f"{note}— stranger.example YWJjZDE\n", "malformed")
    yield case(
        "a stranger's name that is no UTF-8",
        note.encode() + b"\xe2\x80\x94 str\xffnger YWJjZDE=\n",
        "malformed",
    )
    yield case("a byte order mark before it", b"\xef\xbb\xbf" + note.encode(), "signature")
    for space in SPACES:
        is_space = space not in "\ufeff\u200b\u180e"
        line = stranger(b"abcd1", name=f"stranger{space}example")
        yield case(f"{_code(space)} in a name", note + line, "malformed" if is_space else 1)
    yield case("U+007F in a name", note + stranger(b"abcd1", name="stranger\x7fexample"), 1)
    yield case(
        "a name of 200 characters beyond 16 bits", note + stranger(b"abcd1", name="\U0001f511" * 200), 1
    )
    yield case("a name of 201 characters", note + stranger(b"abcd1", name="x" * 201), "malformed")
    line = note.rpartition("\n\n")[2]
    yield case("one signature twice", note + line, 2)
    yield case("a false one beside the true one", note + sign("other\n").rpartition("\n\n")[2], "signature")
    yield case("a text that begins with a newline", sign_anything(f"\n{text}"), 1)
    for end in LINE_ENDS[1:5]:
        yield case(f"{_code(end)} in the text", sign_anything(f"a{end}b\n"), "malformed")
    for end in LINE_ENDS[-3:]:
        yield case(f"{_code(end)} in the text", sign_anything(f"a{end}b\n"), 1)
    twins = [verifier_key(twin) for twin in TWINS]
    for number, twin in enumerate(TWINS):
        by_twin = sign(text, twin)
        yield case(f"by key {number} of two with one key id, alone", by_twin, 1, twins[number])
        yield case(f"by key {number} of two with one key id", by_twin, "signature", *twins)
        yield case(
            f"by key {number} of two with one key id, the other way round", by_twin, "signature", *twins[::-1]
        )


def sign_anything(text: str) -> str:
    """Sign a text that our own writer would not."""
    key = VerifierKey(ORIGIN, SIGNING_KEY.public_key().public_bytes_raw())
    return f"{text}\n{NoteSignature(ORIGIN, key.key_id, SIGNING_KEY.sign(text.encode())).line()}"


def policies() -> Iterator[Reading]:
    w, o = (f"witness {name[0]} {witness_key(name)}\n" for name in list(WITNESSES)[:2])

    def case(name: str, text: str | bytes, *quorum: object, verdict: str = "verified") -> Reading:
        return _reading("policy", name, text, verdict, *quorum)

    for end in LINE_ENDS[-3:]:
        yield case(f"a comment goes on behind {_code(end)}", f"{w}# note{end}quorum none\nquorum h\n", "h")
    for space in SPACES[4:]:
        yield case(
            f"{_code(space)} before an item is part of it", f"{w}{space}quorum none\n", verdict="malformed"
        )
        yield case(
            f"{_code(space)} behind an item is part of it", f"{w}quorum none{space}\n", verdict="malformed"
        )
        yield case(f"{_code(space)} in a name", f"{w}witness x{space}{o[9:]}quorum x{space}\n", f"x{space}")
    yield case("lines as Windows ends them", f"{w}quorum h\r\n", verdict="malformed")
    yield case("without a last newline", f"{w}quorum h", verdict="malformed")
    for count in ("\u0661", "1_0", "01", "+1", "1.0", "ANY"):
        told = count.encode("ascii", "backslashreplace").decode()
        yield case(f"the threshold {told}", f"{w}group g {count} h\nquorum g\n", verdict="malformed")


def leaves() -> Iterator[Reading]:
    first = encode(sample_entry())
    first_id = sample_entry().id

    def case(name: str, raw: str | bytes, verdict: str = "malformed", *meaning: object) -> Reading:
        return _reading("leaf", name, raw, verdict, *meaning)

    def later(value: str) -> str:
        return f'{{"v":2,"x":{value}}}'

    yield case("of version 1", first, "verified", first_id)
    for line, verdict in ((0, "verified"), (199, "verified"), (200, "malformed"), (255, "malformed")):
        resolving = encode(sample_entry(transfers=(sample_transfer(phase="post", pending="ent_other#0"),)))
        leaf = resolving.replace(b"ent_other#0", b"ent_other#%d" % line)
        yield case(f"resolving line {line}", leaf, verdict, *([first_id] if verdict == "verified" else []))
    for spelling in ("0_1", "\u0661", "1\n", " 1", "1e0"):
        leaf = first.replace(b'"org_seq":"0"', f'"org_seq":{json.dumps(spelling)}'.encode())
        yield case(f"org_seq {spelling!a}", leaf)
    for deep, verdict in (
        (100, "unknown_version"),
        (101, "malformed"),
        (500, "malformed"),
        (2_000, "malformed"),
    ):
        yield case(
            f"of version 2 with a value within {deep} others",
            later("[" * (deep - 1) + "1" + "]" * (deep - 1)),
            verdict,
        )
    for name, value, verdict in (
        ("NaN", "NaN", "malformed"),
        ("Infinity", "Infinity", "malformed"),
        ("-Infinity", "-Infinity", "malformed"),
        ("a number beyond doubles", "1e999", "unknown_version"),
        ("a number of 5,000 digits", "9" * 5_000, "unknown_version"),
        ("a number with an underscore", "1_0", "malformed"),
        ("a number with a digit beyond ASCII", "1\u0663", "malformed"),
        ("a number with a plus", "+1", "malformed"),
        ("a number with a leading zero", "01", "malformed"),
        ("a number that ends with its point", "1.", "malformed"),
        ("half a surrogate pair, escaped", '"\\ud800"', "unknown_version"),
        ("an escape with a sign in it", '"\\u+123"', "malformed"),
        ("an escape that is none", '"\\x41"', "malformed"),
        ("a control character in a string", '"\t"', "malformed"),
        ("U+2028 in a string", '"\u2028"', "unknown_version"),
        ("one key twice in two spellings", '{"a":1,"\\u0061":1}', "malformed"),
        ("a comma at the end", "[1,]", "malformed"),
        ("words in single quotes", "'a'", "malformed"),
        ("a comment", "1/**/", "malformed"),
        ("U+00A0 between", "1\xa0", "malformed"),
        ("a vertical tab between", "1\v", "malformed"),
    ):
        yield case(f"of version 2 with {name}", later(value), verdict)
    spaced: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
        ("a byte order mark before it", lambda raw: b"\xef\xbb\xbf" + raw),
        ("a newline behind it", lambda raw: raw + b"\n"),
        ("in UTF-16", lambda raw: raw.decode().encode("utf-16-le")),
        ("a zero byte behind it", lambda raw: raw + b"\0"),
    )
    for name, spoil in spaced:
        yield case(name, spoil(first))
    yield case("of version 2 with a newline behind it", later("1") + "\n", "unknown_version")
    yield case("of version 2 in UTF-16", later("1").encode("utf-16-le"))
    yield case(
        "of version 2 with bytes that are no UTF-8", later('"\0"').encode().replace(b"\0", b"\xed\xa0\x80")
    )


def readings() -> list[Reading]:
    return [*key_lists(), *notes(), *policies(), *leaves()]


def text() -> str:
    return json.dumps([dataclasses.asdict(each) for each in readings()], indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="ascii")
