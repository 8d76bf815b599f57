"""The letter that invites somebody into an organisation, as text and as HTML that say the same."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from amply.infra.letter_templates import letter_templates
from amply.modules.access import Role
from amply.modules.mail import Mail
from amply.modules.receipts import Language, harmless

_TEXTS: Final = files("amply.modules.members") / "texts"
_TEMPLATES: Final = letter_templates("amply.modules.members")


def invitation_mail(*, to: str, organization: str, role: Role, language: Language, link: str) -> Mail:
    """Ask whoever reads `to` to join an organisation by `link`."""
    texts = texts_in(language)
    filled = {"organization": harmless(organization), "role": texts["roles"][role]}
    said = {name: text.format_map(filled) for name, text in texts["invitation"].items()}
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
