"""The letter that invites staff to onboarding, as text and HTML with the same content."""

from typing import Final

from amply.infra.letter_templates import letter_templates, letter_texts
from amply.modules.mail import Mail
from amply.modules.receipts import Language, harmless

_PACKAGE: Final = "amply.modules.onboarding"
_TEMPLATES: Final = letter_templates(_PACKAGE)


def invitation_mail(*, to: str, organization: str, language: Language, link: str) -> Mail:
    """The letter to `to`, with `link`."""
    filled = {"organization": harmless(organization)}
    said = {
        name: text.format_map(filled) for name, text in letter_texts(_PACKAGE, language)["invitation"].items()
    }
    facts = {"said": said, "link": link, "language": language.value}
    return Mail(
        to=to,
        subject=said["subject"],
        text=_TEMPLATES.get_template("invitation.txt").render(facts),
        html=_TEMPLATES.get_template("invitation.html").render(facts),
    )
