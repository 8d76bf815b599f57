"""The letter that invites an organisation's staff, as text and as HTML that say the same."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from amply.infra.letter_templates import letter_templates
from amply.modules.mail import Mail
from amply.modules.receipts import Language, harmless

_TEXTS: Final = files("amply.modules.onboarding") / "texts"
_TEMPLATES: Final = letter_templates("amply.modules.onboarding")


def invitation_mail(*, to: str, organization: str, language: Language, link: str) -> Mail:
    """Invite whoever reads `to` to onboard an organisation by `link`."""
    filled = {"organization": harmless(organization)}
    said = {name: text.format_map(filled) for name, text in texts_in(language)["invitation"].items()}
    facts = {"said": said, "link": link, "language": language.value}
    return Mail(
        to=to,
        subject=said["subject"],
        text=_TEMPLATES.get_template("invitation.txt").render(facts),
        html=_TEMPLATES.get_template("invitation.html").render(facts),
    )


@cache
def texts_in(language: Language) -> Mapping[str, Mapping[str, str]]:
    """All texts of a language, by section and name."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(
        (_TEXTS / f"{language}.toml").read_text(encoding="utf-8")
    )
    return found
