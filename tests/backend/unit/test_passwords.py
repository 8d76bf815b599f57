"""Which passwords are taken, and what is kept of them."""
# ruff: noqa: RUF001 -- letters that look like others are what is tried here

import unicodedata

import argon2
import pytest

from amply.modules.people import CommonPasswords, Cost, Hashing, Several
from amply.modules.people.breaches import is_known
from amply.modules.people.passwords import PasswordNotAcceptable, accepted, prepared

GOOD = "a quiet river at dawn"
CHEAP = Cost(memory_kib=8, passes=1, lanes=1)


def take(password: str) -> str:
    return accepted(password, address="ada.byron.king@example.org", breaches=CommonPasswords())


@pytest.mark.parametrize("password", [GOOD, "ein wörtchen mit ß", "とても長いパスワードです", "x7" * 64])
def test_length_alone_makes_a_password(password: str) -> None:
    assert take(password) == prepared(password)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "12 to 128"),
        ("x7" * 64 + "x", "12 to 128"),
        ("ada.byron.king@example.org", "not your e-mail"),
        ("ADA.Byron.King", "not your e-mail"),
        ("password1234", "lists that attackers try"),
        ("Password1234", "lists that attackers try"),
        ("ｐａｓｓｗｏｒｄ１２３４", "lists that attackers try"),
    ],
)
def test_others_are_refused_with_a_reason(password: str, why: str) -> None:
    with pytest.raises(PasswordNotAcceptable, match=why):
        take(password)


def test_the_same_keys_on_another_keyboard_are_the_same_password() -> None:
    hashing = Hashing(CHEAP)
    hashed = hashing.hash(prepared(unicodedata.normalize("NFC", "crème brûlée à midi")))
    assert hashing.is_right(prepared(unicodedata.normalize("NFD", "crème brûlée à midi")), hashed=hashed)


def test_a_hash_is_argon2id_at_the_cost_that_is_data() -> None:
    hashed = Hashing().hash(GOOD)
    found = argon2.extract_parameters(hashed)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        argon2.Type.ID,
        19456,
        2,
        1,
    )
    assert GOOD not in hashed


def test_a_hash_of_another_cost_is_outdated() -> None:
    hashed = Hashing(CHEAP).hash(GOOD)
    assert not Hashing(CHEAP).is_outdated(hashed)
    assert Hashing(Cost(memory_kib=16, passes=1, lanes=1)).is_outdated(hashed)


def test_nobodys_password_is_never_right() -> None:
    hashing = Hashing(CHEAP)
    assert not hashing.is_right("nobody's password", hashed=None)
    assert not hashing.is_right(GOOD, hashed=hashing.hash("another password"))


def test_only_five_digits_of_a_digest_are_asked_for() -> None:
    asked: list[str] = []

    class Listening:
        def suffixes_of(self, prefix: str) -> list[str]:
            asked.append(prefix)
            return []

    assert is_known(Several(Listening(), CommonPasswords()), "password1234")
    assert [len(prefix) for prefix in asked] == [5]
