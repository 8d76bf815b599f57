"""Letters about accounts, as text and as HTML that say the same."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from amply.infra.letter_templates import letter_templates
from amply.modules.mail import Language, Mail

_TEXTS: Final = files("amply.modules.people") / "texts"
_TEMPLATES: Final = letter_templates("amply.modules.people")


def letter(*, name: str, to: str, language: Language, link: str) -> Mail:
    """The letter of this name (a section of the texts). `link` leads to where its reader can act."""
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


@cache
def texts_in(language: Language) -> Mapping[str, Mapping[str, str]]:
    """All texts of a language, by section and name."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(
        (_TEXTS / f"{language}.toml").read_text(encoding="utf-8")
    )
    return found
