"""The e-mail about a gift whose payment failed days after it was made."""

from dataclasses import dataclass

from amply.kernel.money import Money
from amply.modules.mail import Language, Mail
from amply.modules.receipts.domain import harmless
from amply.modules.receipts.letters import TEMPLATES
from amply.modules.receipts.wording import Wording


@dataclass(frozen=True, kw_only=True)
class NotPaid:
    """Contents of the e-mail. `amount`: the attempted total."""

    language: Language
    country: str
    organization: str
    donor_name: str
    donor_email: str
    amount: Money


def not_paid_mail(about: NotPaid) -> Mail:
    """Render the e-mail, without attachments."""
    wording = Wording.of(about.language, country=about.country)
    filled = {"organization": harmless(about.organization), "amount": wording.amount(about.amount)}
    subject = wording.say("not_paid", "subject", **filled)
    lines = [
        wording.say("letter", "greeting", donor=harmless(about.donor_name)),
        *(wording.say("not_paid", name, **filled) for name in ("told", "money", "receipt", "again")),
    ]
    html = TEMPLATES.get_template("not_paid.html").render(
        language=about.language, subject=subject, lines=lines
    )
    return Mail(to=about.donor_email, subject=subject, text="\n\n".join(lines) + "\n", html=html)
