"""Policy files: what c2sp.org/tlog-policy allows is read, and nothing else."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_format.errors import FormatError, PolicyError
from ledger_format.policies import MAX_DEFINITIONS, Policy, parse_policy
from tests.verify.ledger_samples import (
    SIGNING_KEY,
    STRANGERS_KEY,
    WITNESSES,
    sample_policy,
    verifier_key,
    witness_key,
)

LOG = verifier_key()
H, O, L = (str(witness_key(name)) for name in WITNESSES)  # noqa: E741 -- one letter a witness
BASE = f"witness h {H}\nwitness o {O}\nwitness l {L}\n"


def read(text: str) -> Policy:
    return parse_policy(text.encode(errors="surrogateescape"))


def witnesses(count: int) -> list[str]:
    """So many lines, each with a key of its own."""
    from ledger_format.cosignatures import WitnessKey  # noqa: PLC0415 -- only here

    return [f"witness w{n} {WitnessKey(f'w{n}', n.to_bytes(32, 'big'))}" for n in range(1, count + 1)]


def test_the_specification_s_example_means_what_it_says() -> None:
    six = "\n".join(witnesses(6))
    text = (
        f"log {LOG}\n\n{six}\ngroup X-witnesses 2 w1 w2 w3\ngroup Y-witnesses any w4 w5 w6\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )
    policy = read(text)
    names = [witness.name for witness in policy.witnesses]
    for chosen in itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(7)):
        of_x, of_y = (len(set(chosen) & set(group)) for group in (names[:3], names[3:]))
        assert policy.is_met(chosen) is (of_x >= 2 and of_y >= 1), chosen


def test_a_policy_reads_back_as_it_is_written() -> None:
    text = (
        f"log {LOG} https://log.example/\nwitness h {H} https://h.example\nwitness o {O}\n"
        "group g 1 h o\nquorum g\n"
    )
    assert read(text).text() == text
    assert parse_policy(sample_policy().text().encode()) == sample_policy()


def test_spaces_tabs_comments_and_empty_lines_are_nothing() -> None:
    text = f"\n# a comment\n\t # another\n\twitness \t h  {H}   https://h.example/  \n\n  quorum\th\n"
    policy = read(text)
    assert (policy.quorum, policy.witnesses[0].url) == ("h", "https://h.example/")


def test_no_quorum_is_demanded_by_saying_so() -> None:
    policy = read("quorum none\n")
    assert policy.is_met([])
    assert not policy.demands_witnesses


def test_a_single_witness_can_be_the_quorum() -> None:
    policy = read(f"{BASE}quorum o\n")
    assert policy.is_met(["o"])
    assert not policy.is_met(["h", "l"])


def test_names_are_octets_and_keywords_other_than_none_may_be_names() -> None:
    policy = read(
        f"witness K\udce2\udc84\udcaa {H}\nwitness K {O}\nwitness all {L}\ngroup any 2 K all\nquorum any\n"
    )
    assert policy.is_met(["K", "all"])
    assert not policy.is_met(["K\udce2\udc84\udcaa", "all"])
    assert not policy.is_met(["\u212a", "all"])
    assert read(f"witness \udc80 {H}\nquorum \udc80\n").is_met(["\udc80"])


def test_names_that_are_no_witness_of_the_policy_count_for_nothing() -> None:
    policy = read(f"{BASE}group g 2 h o l\nquorum g\n")
    assert not policy.is_met(["g", "none", "x", "y"])


def test_thirty_two_of_each_are_read_as_the_specification_asks_and_too_many_refused() -> None:
    def of(count: int) -> str:
        groups = "".join(f"group g{n} any w{n}\n" for n in range(1, count + 1))
        return "\n".join(witnesses(count)) + f"\n{groups}quorum g1\n"

    assert len(read(of(32)).groups) == 32
    assert len(read(of(MAX_DEFINITIONS)).groups) == MAX_DEFINITIONS
    with pytest.raises(PolicyError, match="at most 63 witnesses"):
        read(of(MAX_DEFINITIONS + 1))


MALFORMED = [
    ("", "newline"),
    ("\n", "exactly one quorum"),
    (f"{BASE}quorum h", "cut off"),
    ("quorum none\n\x01\n", "0x01"),
    ("quorum none\r\n", "0x0d"),
    ("quorum none\x7f\n", "0x7f"),
    ("quibble h\nquorum none\n", "begins no line"),
    ("Quorum none\n", "begins no line"),
    ("quorum\n", "number of items"),
    ("quorum none none\n", "number of items"),
    ("quorum none # none\n", "number of items"),
    ("quorum none\nquorum none\n", "exactly one quorum"),
    ("quorum h\n", "defines the quorum"),
    (f"quorum h\nwitness h {H}\n", "defines the quorum"),
    ("log\nquorum none\n", "number of items"),
    (f"log {LOG} a b\nquorum none\n", "number of items"),
    ("log garbage\nquorum none\n", "looks like"),
    (f"log {H}\nquorum none\n", "not an Ed25519 key (type 0x01)"),
    (f"log {LOG}\nlog {LOG} https://x\nquorum none\n", "earlier line"),
    (f"log {LOG}\nlog {verifier_key(name='other.example')}\nquorum none\n", "earlier line"),
    ("witness h\nquorum none\n", "number of items"),
    (f"witness h {LOG}\nquorum none\n", "type 0x04"),
    (f"witness none {H}\nquorum none\n", "is taken"),
    (f"witness h {H}\nwitness h {O}\nquorum h\n", "defined on an earlier line"),
    (f"witness h {H}\nwitness o {H}\nquorum h\n", "public key stands"),
    (f"{BASE}group h any o\nquorum h\n", "defined on an earlier line"),
    (f"{BASE}group none any o\nquorum none\n", "is taken"),
    (f"{BASE}group g any\nquorum h\n", "number of items"),
    (f"{BASE}group g 0 h\nquorum g\n", "cannot need 0"),
    (f"{BASE}group g 2 h\nquorum g\n", "cannot need 2"),
    (f"{BASE}group g -1 h\nquorum g\n", "threshold"),
    (f"{BASE}group g +1 h\nquorum g\n", "threshold"),
    (f"{BASE}group g 01 h\nquorum g\n", "threshold"),
    (f"{BASE}group g most h\nquorum g\n", "threshold"),
    (f"{BASE}group g any x\nquorum g\n", "defines the member"),
    (f"{BASE}group g any g\nquorum g\n", "defines the member"),
    (f"group g any h\n{BASE}quorum g\n", "defines the member"),
    (f"{BASE}group g any none h\nquorum g\n", "defines the member"),
    (f"{BASE}group g all h h\nquorum g\n", "member already"),
    (f"{BASE}group g any h o\ngroup k any h\nquorum g\n", "member already"),
    ("#" * 131_072 + "\nquorum none\n", "at most 131072 bytes"),
]
"""What is no policy, and a word of why."""


@pytest.mark.parametrize(("text", "reason"), MALFORMED)
def test_a_malformed_policy_is_refused_and_says_why(text: str, reason: str) -> None:
    with pytest.raises(PolicyError) as failure:
        read(text)
    assert reason in str(failure.value)


def test_a_log_cannot_witness_itself() -> None:
    from ledger_format.cosignatures import WitnessKey  # noqa: PLC0415 -- only here

    own = WitnessKey("elsewhere.example", SIGNING_KEY.public_key().public_bytes_raw())
    with pytest.raises(PolicyError, match="its own witness"):
        read(f"log {LOG}\nwitness w {own}\nquorum w\n")
    assert read(f"log {verifier_key(STRANGERS_KEY)}\nwitness w {own}\nquorum w\n").is_met(["w"])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_refused(raw: bytes) -> None:
    try:
        assert parse_policy(parse_policy(raw).text().encode(errors="surrogateescape")) == parse_policy(raw)
    except FormatError as error:
        assert isinstance(error, PolicyError)  # noqa: PT017 -- most of them are refused


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=1))
def test_no_changed_byte_makes_a_policy_demand_less(place: int, byte: bytes) -> None:
    """Whatever one byte does, two strangers never become a quorum."""
    raw = bytearray(sample_policy().text().encode())
    raw[place % len(raw) : place % len(raw) + 1] = byte
    try:
        policy = parse_policy(bytes(raw))
    except PolicyError:
        return
    assert policy.demands_witnesses
    assert not policy.is_met([])
