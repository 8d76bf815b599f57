"""Both verifiers read the same policies, refuse the same, and mean the same by a quorum."""

import itertools
import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from amply_verify.outcome import Exit, from_format_error
from ledger_format.checkpoints import open_checkpoint
from ledger_format.cosignatures import WitnessKey
from ledger_format.errors import FormatError, PolicyError
from ledger_format.literals import to_base64
from ledger_format.notes import VerifierKey, add_signatures
from ledger_format.policies import MAX_DEFINITIONS, Policy, parse_policy
from tests.verify.javascript_runner import Answer, Ask, kind
from tests.verify.ledger_samples import (
    NEXT_KEY,
    STRANGERS_KEY,
    WITNESSES,
    cosignature,
    cosigned,
    sample_policy,
    sign,
    verifier_key,
)
from tests.verify.test_document import BLOCKS
from tests.verify.test_policies import MALFORMED, witnesses
from tests.verify.worked_example import example_log

LOG = verifier_key()
LOGS = [LOG, *(VerifierKey(f"log{number}.example", bytes([number]) * 32) for number in (1, 2, 3))]
KEYS = [WitnessKey(f"w{number}.example", bytes([0xB0 + number]) * 32) for number in range(6)]
NAMES = [
    "w0",
    "w1",
    "w2",
    "all",
    "any",
    "\u212a",
    "K",
    "\u00a0",
    "g0",
    "g1",
    "g2",
    "__proto__",
    "constructor",
]


def written(key: VerifierKey | WitnessKey) -> list[str]:
    return [key.name, key.key_id.hex(), to_base64(key.public_key)]


def as_told(policy: Policy, chosen: Sequence[Sequence[str]]) -> Answer:
    """A policy as the pages' verifier tells what it read."""
    return {
        "logs": [written(log.key) for log in policy.logs],
        "witnesses": [[witness.name, *written(witness.key)] for witness in policy.witnesses],
        "groups": [[group.name, group.threshold, list(group.members)] for group in policy.groups],
        "quorum": policy.quorum,
        "met": [policy.is_met(names) for names in chosen],
    }


def python_answer(text: str, chosen: Sequence[Sequence[str]]) -> Answer:
    try:
        return {"result": as_told(parse_policy(text.encode()), chosen)}
    except PolicyError:
        return {"kind": "malformed"}


def subsets(text: str) -> list[list[str]]:
    """Every choice of the witnesses that a text seems to name, of the first six."""
    lines = (line.split() for line in text.split("\n"))
    names = list(dict.fromkeys(items[1] for items in lines if items[:1] == ["witness"] and items[1:]))[:6]
    return [list(some) for n in range(len(names) + 1) for some in itertools.combinations(names, n)]


def disagreements(ask: Ask, texts: Sequence[str]) -> tuple[list[Any], int]:
    """The texts that are judged or understood differently, and how many both read."""
    asked = [(text, subsets(text)) for text in texts]
    answers = ask([{"do": "policy", "policy": text, "chosen": chosen} for text, chosen in asked])
    different = []
    for (text, chosen), answer in zip(asked, answers, strict=True):
        told = {name: value for name, value in answer.items() if name != "message"}
        if told != (expected := python_answer(text, chosen)):
            different.append((text, told, expected))
    return different, sum(kind(answer) == "verified" for answer in answers)


def made_up(chance: random.Random) -> str:
    """A policy whose lines are each likely to be allowed; about every third is a whole policy that means something."""
    defined: list[str] = []
    lines = [f"log {log}{chance.choice(('', ' https://log.example/'))}" for log in chance.sample(LOGS, 1)]
    fresh = [name for name in NAMES if not name.startswith("g")]
    for key in chance.sample(KEYS, chance.randint(1, 5)):
        name = chance.choice(fresh)
        lines.append(f"witness {name} {key}{chance.choice(('', ' https://w.example'))}")
        fresh = [other for other in fresh if other != name] if chance.random() < 0.97 else fresh
        defined.append(name)
    loose = list(defined)
    for number in range(chance.randint(0, 3)):
        members = chance.sample(loose, chance.randint(1, len(loose))) if loose else ["w9"]
        count = chance.choice(
            ["any", "all", *map(str, range(1, len(members) + 1)), chance.choice(["0", "9", "01", "2"])]
        )
        lines.append(f"group g{number} {count} {' '.join(members)}")
        loose = [name for name in loose if name not in members] if chance.random() < 0.9 else loose
        loose.append(f"g{number}")
        defined.append(f"g{number}")
    lines.append(
        f"quorum {chance.choice([*defined, defined[-1], 'none', 'nobody'] if chance.random() < 0.3 else defined)}"
    )
    if chance.random() < 0.1:
        chance.shuffle(lines)
    return "".join(f"{line}\n" for line in lines)


PIECES = [
    *(
        "",
        " ",
        "\t",
        "\n",
        "\r",
        "#",
        "\n#",
        "\u00a0",
        "\u2003",
        "\u0085",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x0b",
        "\x7f",
    ),
    *(
        "\u0080",
        "\u2028",
        "0",
        "1",
        "2",
        "+",
        "-1",
        "=",
        "/",
        "e",
        "none",
        "any",
        "all",
        "log",
        "log ",
        "witness ",
        "group ",
    ),
    *("quorum ", "quorum none\n", "K", "\u212a", "\U0001f511", "\u00e9", "e\u0301", "\u0663"),
]


def spoilt(text: str, chance: random.Random) -> str:
    """A policy with one to three small changes, of the kind that parsers disagree on."""
    for _ in range(chance.randint(1, 3)):
        edges = [found.start() for found in re.finditer(r"\b|$", text)]  # most other places are inside a key
        place, gone = chance.choice([*edges, chance.randrange(len(text) + 1)]), chance.choice((0, 0, 1, 1, 2))
        text = text[:place] + chance.choice(PIECES) + text[place + gone :]
    return text


def test_policies_made_up_at_random_mean_the_same_to_both(ask: Ask) -> None:
    chance = random.Random(20261126)  # noqa: S311 -- the same policies each time
    different, read = disagreements(ask, [made_up(chance) for _ in range(1_500)])
    assert different == []
    assert 500 < read < 1_500, "most of them mean something, and not all"


def test_policies_changed_at_random_are_judged_alike(ask: Ask) -> None:
    chance = random.Random(11262026)  # noqa: S311 -- the same policies each time
    seeds = [sample_policy().text(), BLOCKS["policy"] + "\n", *(made_up(chance) for _ in range(60))]
    seeds = [seed for seed in seeds if "result" in python_answer(seed, [])]
    different, read = disagreements(ask, [spoilt(chance.choice(seeds), chance) for _ in range(6_000)])
    assert different == []
    assert read > 300


def limits() -> list[str]:
    """As many of each kind as there may be, and one more."""
    texts = []
    for count in (MAX_DEFINITIONS, MAX_DEFINITIONS + 1):
        named = "".join(f"{line}\n" for line in witnesses(count))
        groups = "".join(f"group g{number} any w{number}\n" for number in range(1, count + 1))
        logs = "".join(f"log {VerifierKey(f'l{n}', (1000 + n).to_bytes(32, 'big'))}\n" for n in range(count))
        nested = "group n1 any w1\n" + "".join(f"group n{n} any n{n - 1}\n" for n in range(2, count + 1))
        texts += [f"{named}quorum w1\n", f"{logs}quorum none\n"]
        texts += [f"{named.partition(f'witness w{MAX_DEFINITIONS + 1} ')[0]}{nested}quorum n{count}\n"]
        texts += [f"{named}{groups}quorum g1\n"] if count == MAX_DEFINITIONS else []
    line = "quorum none\n"
    texts += ["#" * (131_072 - len(line) - 1 + more) + f"\n{line}" for more in (0, 1)]
    return [*texts, "#" + "\u00e9" * 65_530 + f"\n{line}", "#" + "\u00e9" * 65_529 + f"\n{line}"]


def hostile() -> list[str]:
    first = sample_policy().text()
    return [
        *(text for text, _ in MALFORMED),
        *limits(),
        first.replace(" ", "\t \t"),
        first.replace("\n", "\n\n# nothing\n"),
        first.replace("harbour", "__proto__"),
        first.replace("partners", "constructor"),
        first.replace("partners", "toString"),
        first.replace("quorum partners", "quorum hasOwnProperty"),
        first.replace("group partners 2", "group partners 9223372036854775808"),
        first.replace("group partners 2", "group partners 1e0"),
        first.replace("group partners 2", "group partners 0x2"),
        first.replace("group partners 2", "group partners \u0662"),
        first.replace("log ", "\ufefflog ", 1),
        first.replace("log ", "\u00a0log ", 1),
        first.replace("harbour ", "harbour\u00a0"),
    ]


def test_hostile_policies_are_judged_alike(ask: Ask) -> None:
    different, read = disagreements(ask, hostile())
    assert different == []
    assert read > 8


def test_what_is_no_unicode_is_refused_on_a_page(ask: Ask) -> None:
    """A file may hold any octets in a name; what a page pins is text, and half a character is none."""
    text = sample_policy().text().replace("harbour ", "\ud800 ")
    assert kind(ask([{"do": "policy", "policy": text}])[0]) == Exit.MALFORMED.name.lower()


# ---- checkpoints under a policy --------------------------------------------------------------------------------

NOTE = example_log().note()
TEXT = NOTE.rpartition("\n\n")[0] + "\n"
OTHER_TEXT = TEXT.replace("\n3\n", "\n4\n")


def notes() -> dict[str, str]:
    """Checkpoints that the format package's own witnesses have cosigned, or nearly."""
    every = {
        "+".join(names) or "nobody": cosigned(NOTE, *names)
        for n in range(4)
        for names in itertools.combinations(WITNESSES, n)
    }
    latest = [cosignature(TEXT, "harbour", seconds=seconds) for seconds in (5, 9, 7)]
    bare = "".join(cosignature(TEXT, name).line() for name in WITNESSES)
    return {
        **every,
        "one three times": add_signatures(NOTE, latest),
        "a lie beside a quorum": add_signatures(
            cosigned(NOTE, "harbour", "lantern"), [cosignature(OTHER_TEXT, "orchard")]
        ),
        "witnesses alone": f"{TEXT}\n{bare}",
        "a stranger": cosigned(sign(TEXT, STRANGERS_KEY), *WITNESSES),
        "the next key alone": cosigned(sign(TEXT, NEXT_KEY), *WITNESSES),
        "the document's": BLOCKS["cosigned-checkpoint"] + "\n",
        "the document's overlapping": BLOCKS["overlapping-checkpoint"] + "\n",
    }


def python_checkpoint(note: str, policy: Policy) -> str:
    try:
        open_checkpoint(note, policy.log_keys, policy=policy)
    except FormatError as error:
        return from_format_error(error).exit_code.name.lower()
    return Exit.VERIFIED.name.lower()


@pytest.mark.parametrize("quorum", [1, 2, 3])
@pytest.mark.parametrize("keys", [[LOG], [LOG, verifier_key(NEXT_KEY)]], ids=["one key", "rotated"])
def test_cosigned_checkpoints_are_judged_alike(ask: Ask, quorum: int, keys: list[VerifierKey]) -> None:
    policy = sample_policy(quorum, logs=keys)
    answers = ask([{"do": "checkpoint", "note": note, "policy": policy.text()} for note in notes().values()])
    judged = dict(zip(notes(), map(kind, answers), strict=True))
    assert judged == {name: python_checkpoint(note, policy) for name, note in notes().items()}
    assert {"verified", "signature"} <= set(judged.values())


def test_the_documents_policy_is_met_by_its_checkpoint_in_both(ask: Ask) -> None:
    note, policy = BLOCKS["cosigned-checkpoint"] + "\n", BLOCKS["policy"] + "\n"
    (answer,) = ask([{"do": "checkpoint", "note": note, "policy": policy}])
    opened = open_checkpoint(
        note, parse_policy(policy.encode()).log_keys, policy=parse_policy(policy.encode())
    )
    assert [name for name, _ in answer["result"]["signers"][1:]] == [
        seen.key_name for seen in opened.witnessed
    ]
    assert (answer["result"]["origin"], answer["result"]["size"]) == (opened.checkpoint.origin, "3")
