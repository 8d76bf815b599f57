"""What an API key looks like: recognised by anybody, checked without asking, and never the same as what is kept of it."""

import hashlib
import re
from pathlib import Path

import pytest

from amply.kernel.checked_secret import ALPHABET, check_of
from amply.modules.keys import PATTERN
from amply.modules.keys.domain import Secret

PAGE = (Path(__file__).parents[3] / "docs" / "access.md").read_text()


@pytest.mark.parametrize("is_live", [True, False])
def test_a_key_says_what_it_is_and_checks_itself(*, is_live: bool) -> None:
    made = Secret.fresh(is_live=is_live)
    assert re.fullmatch(PATTERN, made.text)
    assert made.text.startswith("sk_live_" if is_live else "sk_test_")
    assert Secret.parse(made.text) == made
    assert made.is_live is is_live
    assert made.text not in repr(made)


def test_no_two_are_the_same() -> None:
    assert len({Secret.fresh(is_live=False).text for _ in range(1000)}) == 1000


def test_whatever_is_typed_wrong_is_no_key() -> None:
    made = Secret.fresh(is_live=False).text
    for at in range(len(made)):
        other = "x" if made[at] != "x" else "y"
        assert Secret.parse(made[:at] + other + made[at + 1 :]) is None, at
    for wrong in (
        "",
        "sk_test_",
        made[:-1],
        made + "0",
        made + "\n",
        made.replace("test", "live"),
        f" {made}",
    ):
        assert Secret.parse(wrong) is None, wrong


def test_the_check_is_crc_32_in_base_62_as_the_page_says() -> None:
    """CRC-32 of `123456789` is 0xCBF43926 (the check value of its definition)."""
    digits = [ALPHABET.index(digit) for digit in check_of("123456789")]
    assert sum(digit * 62 ** (5 - at) for at, digit in enumerate(digits)) == 0xCBF43926


def test_the_page_tells_scanners_what_to_look_for() -> None:
    assert f"`{PATTERN}`" in PAGE


def test_what_is_kept_of_a_key_is_a_digest_for_this_purpose() -> None:
    made = Secret.fresh(is_live=True)
    assert len(made.digest) == 32
    assert made.digest != Secret.fresh(is_live=True).digest
    assert made.digest != hashlib.sha256(made.text.encode()).digest()
