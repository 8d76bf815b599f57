"""What stands in a command of the administration is kept by CloudTrail and ECS: no donor is in it."""

from typing import Final

import click

from amply.entrypoints.admin_commands import commands
from amply.entrypoints.admin_recorded import walked

ORGANIZATIONS: Final = "what an organisation says of itself, on receipts too"
STAFF: Final = "somebody's of an organisation's staff, where it is written to (ADR 0152)"
PLACES: Final = "what our own log, books or lists are called"
BUYERS: Final = "a contract about data: companies alone"
WHY: Final = "why an operator does it, which the audit log keeps: a word or two, and no name"
DIGEST: Final = "a digest, which whoever has the address makes"
TEXT: Final = {
    "account": PLACES,
    "actor": "whose deeds are looked for, by an id",
    "address": ORGANIZATIONS,
    "amount": "money",
    "brand_colour": ORGANIZATIONS,
    "buyer": BUYERS,
    "country": ORGANIZATIONS,
    "currency": "money",
    "cursor": PLACES,
    "datasets": BUYERS,
    "description": "what a donor got for a gift, and no word on who it was",
    "email": STAFF,
    "email_sha256": DIGEST,
    "event_type": PLACES,
    "in_books": "money",
    "key": PLACES,
    "legal_name": ORGANIZATIONS,
    "month": BUYERS,
    "name": ORGANIZATIONS,
    "origin": PLACES,
    "owed": BUYERS,
    "owner": PLACES,
    "place": ORGANIZATIONS,
    "price": BUYERS,
    "reason": WHY,
    "reference": BUYERS,
    "registration_number": ORGANIZATIONS,
    "signatory": ORGANIZATIONS,
    "signing_key": PLACES,
    "slug": ORGANIZATIONS,
    "time_zone": ORGANIZATIONS,
    "token_digest": DIGEST,
    "uploaded": "the name of a file that says it",
}
"""What free text an option or argument takes, by its name, and why that is no donor's. Ids name rows, and stand for themselves."""
DONORS_OWN: Final = frozenset(
    {"donor", "city", "postal", "message", "appraiser", "honour", "memory", "notify", "company"}
)


def _text() -> dict[str, set[str]]:
    """The names of options and arguments that take whatever is typed, with the commands that have them."""
    found: dict[str, set[str]] = {}
    for path, command in walked(commands):
        for parameter in command.params:
            name = str(parameter.name)
            if isinstance(parameter.type, click.types.StringParamType) and not name.endswith("_id"):
                found.setdefault(name, set()).add(" ".join(path))
    return found


def test_no_command_takes_a_word_that_could_be_a_donors() -> None:
    found = _text()
    assert found.keys() == TEXT.keys(), "say in TEXT what it is; what is of a donor comes in a file"
    assert [name for name in found if DONORS_OWN & set(name.split("_"))] == []


def test_what_is_recorded_by_hand_says_nothing_of_who_gave() -> None:
    record = dict(walked(commands))["donation", "offline", "record"]
    texts = [each.name for each in record.params if isinstance(each.type, click.types.StringParamType)]
    assert texts == ["organization_id", "amount", "currency", "fund_id", "uploaded"]
