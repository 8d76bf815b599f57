"""Letters about accounts, as text and HTML with the same content."""

from collections.abc import Mapping
from typing import Final

from amply.infra.letter_templates import letter_templates, letter_texts
from amply.modules.mail import Language, Mail

_PACKAGE: Final = "amply.modules.people"
_TEMPLATES: Final = letter_templates(_PACKAGE)


def letter(*, name: str, to: str, language: Language, link: str) -> Mail:
    """The letter of this name (a section of the texts), with `link`."""
    said = texts_in(language)[name]
    facts = {
        "said": said,
        "greeting": texts_in(language)["all"]["greeting"],
        "link": link,
        "language": language.value,
    }
    return Mail(
        to=to,
        subject=said["subject"],
        text=_TEMPLATES.get_template("account.txt").render(facts),
        html=_TEMPLATES.get_template("account.html").render(facts),
    )


def texts_in(language: Language) -> Mapping[str, Mapping[str, str]]:
    """All texts of a language, by section and name."""
    return letter_texts(_PACKAGE, language)
