"""The receipt e-mail: what was given to whom, and the proof as an attachment that checks offline."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

import jinja2

from amply.kernel.money import Money
from amply.modules.donations.ports import Attachment, Mail

_PLAIN: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("amply.modules.donations"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Everything the e-mail says. `proof` is the tlog-proof text; the policy's file stands on the site of `ledger_page`."""

    donor_name: str
    donor_email: str
    organization: str
    amount: Money
    donation_id: str
    given_at: datetime
    proof: str
    ledger_page: str


def receipt_mail(letter: Letter) -> Mail:
    """Write the receipt as text and as HTML, with `ID.tlog-proof` attached."""
    filename = f"{letter.donation_id}.tlog-proof"
    facts = {
        "letter": letter,
        "given_on": f"{letter.given_at:%-d %B %Y}",
        "filename": filename,
        "policy_file": urljoin(letter.ledger_page, "/policy.txt"),
    }
    return Mail(
        to=letter.donor_email,
        subject=f"Your gift of {letter.amount} to {_one_line(letter.organization)}",
        text=_PLAIN.get_template("receipt.txt").render(facts),
        html=_PLAIN.get_template("receipt.html").render(facts),
        attachments=(
            Attachment(
                filename=filename, media_type="application/octet-stream", content=letter.proof.encode()
            ),
        ),
    )


def _one_line(text: str) -> str:
    """A header holds one line: a name may not add headers of its own."""
    return " ".join(text.split())
