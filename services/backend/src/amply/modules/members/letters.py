"""The invitation letter, as text and HTML with the same content."""

from collections.abc import Mapping
from typing import Final

from amply.infra.letter_templates import letter_templates, letter_texts
from amply.modules.access import Role
from amply.modules.mail import Mail
from amply.modules.receipts import Language, harmless

_PACKAGE: Final = "amply.modules.members"
_TEMPLATES: Final = letter_templates(_PACKAGE)


def invitation_mail(*, to: str, organization: str, role: Role, language: Language, link: str) -> Mail:
    """The letter to `to`, with `link`."""
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


def texts_in(language: Language) -> Mapping[str, Mapping[str, str]]:
    """All texts of a language, by section and name."""
    return letter_texts(_PACKAGE, language)
