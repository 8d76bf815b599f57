"""Letters about the progress of an application, as text and HTML with the same content."""

from collections.abc import Mapping
from typing import Final

from amply.infra.letter_templates import letter_templates, letter_texts
from amply.modules.mail import Mail
from amply.modules.receipts import Language, harmless

_PACKAGE: Final = "amply.modules.applications"
_TEMPLATES: Final = letter_templates(_PACKAGE)


def step_mail(
    *,
    to: str,
    organization: str,
    step: str,
    said: str | None,
    language: Language,
    link: str,
    more: Mapping[str, str] | None = None,
) -> Mail:
    """Tell whoever reads `to` of a step. `said`: staff's own words, which stand in the letter as they are. `more`: what
    other blanks are filled with.
    """
    texts = letter_texts(_PACKAGE, language)
    filled = {"organization": harmless(organization), **(more or {})}
    told = {name: text.format_map(filled) for name, text in {**texts["all"], **texts[step]}.items()}
    facts = {
        "told": told,
        "said": [harmless(line) for line in (said or "").splitlines() if line.strip()],
        "link": link,
        "language": language.value,
    }
    return Mail(
        to=to,
        subject=told["subject"],
        text=_TEMPLATES.get_template("step.txt").render(facts),
        html=_TEMPLATES.get_template("step.html").render(facts),
    )
