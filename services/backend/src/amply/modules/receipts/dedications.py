"""The letter to the recipient of a dedication: names only, without amount or link."""

import re
from dataclasses import dataclass
from typing import Final

from amply.modules.mail import Language, Mail
from amply.modules.receipts.domain import Dedicated, harmless
from amply.modules.receipts.letters import TEMPLATES
from amply.modules.receipts.wording import Wording

_NAME_LENGTH_MAX: Final = 100
_LEADS_AWAY: Final = re.compile(r"[/@:<>\\]|\w\.\w\w")
"""Addresses, and what mail programs make links of: `evil.example`, but neither `J.R.R.` nor `Inc.`"""
_TITLES: Final = re.compile(r"(?<![\w.])((?:[^\W\d_]{1,4}\.)+)([^\W\d_]+\.?)")
"""What stands before a name without a space, and the word after it: `Dr.` `Müller`, `Dr.med.` `Müller`, `A.` `Schmidt`."""


def is_name_alone(text: str) -> bool:
    """Whether a name is safe in a letter to somebody who did not ask for it: short, and without links."""
    return len(text) <= _NAME_LENGTH_MAX and _LEADS_AWAY.search(_spaced(text)) is None


def _spaced(name: str) -> str:
    """A name as it stands in the letter: with a space after a title or an initial, no mail program makes a link of `A. Schmidt`."""
    return _TITLES.sub(_apart, name) if _LEADS_AWAY.search(name) is not None else name


def _apart(found: re.Match[str]) -> str:
    titles, word = found.groups()
    are_titles = titles[0].isupper() and (word[0].isupper() or word.endswith("."))
    return f"{titles.replace('.', '. ')}{word}" if are_titles else found.group()


@dataclass(frozen=True, kw_only=True)
class DedicationLetter:
    """Contents of the letter. `donor_name` is None if withheld, or if it is more than a name."""

    recipient_name: str
    recipient_email: str
    dedicated: Dedicated
    donor_name: str | None
    organization: str
    country: str
    language: Language


def dedication_mail(letter: DedicationLetter) -> Mail:
    """Render the letter as text and HTML."""
    wording = Wording.of(letter.language, country=letter.country)
    honouree = _spaced(harmless(letter.dedicated.honouree))
    named = letter.donor_name is not None and is_name_alone(letter.donor_name)
    donor = _spaced(harmless(letter.donor_name or "")) if named else wording.say("dedication", "somebody")
    said = {
        "greeting": wording.say("dedication", "greeting", recipient=_spaced(harmless(letter.recipient_name))),
        "told": wording.say(
            "dedication",
            f"told_{letter.dedicated.kind}",
            donor=donor,
            organization=harmless(letter.organization),
            honouree=honouree,
        ),
        "once": wording.say("dedication", "once"),
    }
    subject = wording.say("dedication", f"subject_{letter.dedicated.kind}", honouree=honouree)
    facts = {"said": said, "subject": subject, "language": letter.language.value}
    return Mail(
        to=letter.recipient_email,
        subject=subject,
        text=TEMPLATES.get_template("dedication.txt").render(facts),
        html=TEMPLATES.get_template("dedication.html").render(facts),
    )
