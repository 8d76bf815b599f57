"""The authorisation policy: which roles and scopes have which permission. What is not listed is denied.

`docs/access.md` shows it, and a test holds the page to it. Staff of the platform are not in it: they have no rights over
HTTP, and use `admin` commands (ADR 0071).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from amply.kernel.errors import invariant
from amply.modules.access.domain import Role, Scope

CONFIRMED_WITHIN: Final = timedelta(minutes=10)
"""Maximum age of a re-authentication, where one is required."""


class Permission(StrEnum):
    """Something that can be done. Routes name one, and so does every statement that they lead to."""

    GIVE = "give"
    OWN_ORGANISATIONS = "own organisations"
    ORGANISATION_APPLY = "apply for an organisation"
    INVITATION_ACCEPT = "accept an invitation"
    TEST_ORGANISATION_MAKE = "make a test organisation"
    ORGANISATION_READ = "read the organisation"
    ORGANISATION_CHANGE = "change the organisation"
    LEDGER_PAGES_CHANGE = "change the ledger's pages"
    RECEIPT_SETTINGS_READ = "read receipt settings"
    RECEIPT_SETTINGS_CHANGE = "change receipt settings"
    IMAGES_CHANGE = "change images"
    APPLICATION_READ = "read the application"
    APPLICATION_CHANGE = "change the application"
    FUNDS_CHANGE = "change funds"
    GIFTS_READ = "read gifts"
    GIFTS_REFUND = "refund gifts"
    DONORS_READ = "read who gave"
    PAYOUTS_READ = "read payouts"
    MEMBERS_READ = "read members"
    MEMBERS_INVITE = "invite members"
    MEMBERS_CHANGE = "change members"
    MEMBERSHIP_END = "leave"
    OWNERSHIP_OFFER = "offer ownership"
    OWNERSHIP_ACCEPT = "accept ownership"
    KEYS_READ = "read keys"
    KEYS_CHANGE = "change keys"
    WEBHOOKS_READ = "read webhook endpoints"
    WEBHOOKS_CHANGE = "change webhook endpoints"
    WEBHOOKS_SEND = "send events again"
    SIGN_IN_READ = "read the sign-in"
    SIGN_IN_CHANGE = "change the sign-in"
    AUDIT_READ = "read the audit log"
    EXPORT = "export"
    SOLD_DATA_READ = "read what becomes of data"
    REVENUE_READ = "read what data brings"
    DATA_READ = "read what is handed in"
    DATA_HAND_IN = "hand data in"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The roles and scopes that have a permission.

    Attributes:
        what: In a sentence, for whoever reads the table.
        roles: Of members of the organisation that it is done in.
        scopes: Of that organisation's keys; one of them is enough.
        confirmed: Whether a person has to have shown within `CONFIRMED_WITHIN` that it is them.
        everybody_signed_in: It concerns the person alone, and no organisation that they are in.
        anybody: Nobody has to say who they are.
    """

    what: str
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    confirmed: bool = False
    everybody_signed_in: bool = False
    anybody: bool = False

    def __post_init__(self) -> None:
        invariant(not (self.confirmed and self.scopes), "a program cannot show that it is somebody")
        invariant(
            bool(self.roles) + self.everybody_signed_in + self.anybody == 1,
            "a rule is for members, for everybody who is signed in, or for anybody",
        )


_ALL: Final = frozenset(Role)
_RUN: Final = frozenset({Role.OWNER, Role.ADMIN})
_MONEY: Final = _RUN | {Role.FINANCE}

POLICY: Final[Mapping[Permission, Rule]] = {
    Permission.GIVE: Rule(
        what="Give to an organisation. A key gives to its own organisation alone.",
        anybody=True,
        scopes=frozenset({Scope.DONATIONS_WRITE}),
    ),
    Permission.OWN_ORGANISATIONS: Rule(
        what="See which organisations one is in, and as what.", everybody_signed_in=True
    ),
    Permission.ORGANISATION_APPLY: Rule(
        what="Apply for an organisation with one's own verified address; whoever does is its owner.",
        everybody_signed_in=True,
    ),
    Permission.INVITATION_ACCEPT: Rule(
        what="Join an organisation by an invitation to one's own verified address.", everybody_signed_in=True
    ),
    Permission.TEST_ORGANISATION_MAKE: Rule(
        what="Make an organisation to try things with, in a sandbox alone.", everybody_signed_in=True
    ),
    Permission.ORGANISATION_READ: Rule(
        what="See the organisation, its settings, its images, its projects and its funds.",
        roles=_ALL,
        scopes=frozenset({Scope.ORGANISATION_READ}),
    ),
    Permission.ORGANISATION_CHANGE: Rule(
        what="Change its name and its profile, whether it takes anonymous gifts, and the sites donors go back to.",
        roles=_RUN,
        scopes=frozenset({Scope.ORGANISATION_WRITE}),
    ),
    Permission.LEDGER_PAGES_CHANGE: Rule(
        what="Choose what its pages show of its ledger. The log shows everything.",
        roles=frozenset({Role.OWNER}),
    ),
    Permission.RECEIPT_SETTINGS_READ: Rule(
        what="See how it issues receipts, and what they lack to be official.",
        roles=_MONEY,
        scopes=frozenset({Scope.ORGANISATION_READ}),
    ),
    Permission.RECEIPT_SETTINGS_CHANGE: Rule(
        what="Say how it issues receipts; not under which name and number, which staff verify.",
        roles=_MONEY,
        scopes=frozenset({Scope.ORGANISATION_WRITE}),
    ),
    Permission.IMAGES_CHANGE: Rule(
        what="Upload, describe and remove its logo and its banner.",
        roles=_RUN | {Role.CONTENT},
        scopes=frozenset({Scope.ORGANISATION_WRITE}),
    ),
    Permission.APPLICATION_READ: Rule(
        what="See what the organisation has handed in, its documents, and what became of it.", roles=_RUN
    ),
    Permission.APPLICATION_CHANGE: Rule(
        what="Say what the organisation is, add and remove documents, and hand the application in.",
        roles=_RUN,
    ),
    Permission.FUNDS_CHANGE: Rule(
        what="Create, rename and close funds; create and change projects.",
        roles=_RUN | {Role.CONTENT},
        scopes=frozenset({Scope.ORGANISATION_WRITE}),
    ),
    Permission.GIFTS_READ: Rule(
        what="See gifts: amounts, days, funds, standings.",
        roles=_MONEY | {Role.VIEWER},
        scopes=frozenset({Scope.DONATIONS_READ}),
    ),
    Permission.GIFTS_REFUND: Rule(
        what="Give some or all of a gift back to its donor.", roles=_MONEY, confirmed=True
    ),
    Permission.DONORS_READ: Rule(
        what="See who gave those that have arrived, and what they wrote, as far as donors let it.",
        roles=_MONEY,
        scopes=frozenset({Scope.DONATIONS_READ}),
    ),
    Permission.PAYOUTS_READ: Rule(
        what="See payouts and fetch their reports.",
        roles=_MONEY | {Role.VIEWER},
        scopes=frozenset({Scope.PAYOUTS_READ}),
    ),
    Permission.MEMBERS_READ: Rule(what="See who is in the organisation, and as what.", roles=_ALL),
    Permission.MEMBERS_INVITE: Rule(
        what="See, send and withdraw invitations; to no role above one's own.", roles=_RUN, confirmed=True
    ),
    Permission.MEMBERS_CHANGE: Rule(
        what="Change others' roles and remove them; none above one's own.", roles=_RUN, confirmed=True
    ),
    Permission.MEMBERSHIP_END: Rule(what="Leave. The last owner cannot.", roles=_ALL),
    Permission.OWNERSHIP_OFFER: Rule(
        what="Offer one's ownership to a member, and take the offer back.",
        roles=frozenset({Role.OWNER}),
        confirmed=True,
    ),
    Permission.OWNERSHIP_ACCEPT: Rule(
        what="Accept the ownership one is offered.", roles=_ALL - {Role.OWNER}, confirmed=True
    ),
    Permission.KEYS_READ: Rule(what="See which API keys there are; never their secrets.", roles=_RUN),
    Permission.KEYS_CHANGE: Rule(what="Make and revoke API keys.", roles=_RUN, confirmed=True),
    Permission.WEBHOOKS_READ: Rule(
        what="See webhook endpoints, the keys that verify their signatures, and what became of their events.",
        roles=_RUN,
    ),
    Permission.WEBHOOKS_CHANGE: Rule(
        what="Add, change and remove webhook endpoints, and rotate their keys.", roles=_RUN, confirmed=True
    ),
    Permission.WEBHOOKS_SEND: Rule(
        what="Send a webhook endpoint a test event, and events again.", roles=_RUN
    ),
    Permission.SIGN_IN_READ: Rule(
        what="See the organisation's own sign-in, its domains and whom its groups make what.", roles=_RUN
    ),
    Permission.SIGN_IN_CHANGE: Rule(
        what="Set up the organisation's own sign-in, show its domains, require it, and let a directory manage its people.",
        roles=_RUN,
        confirmed=True,
    ),
    Permission.AUDIT_READ: Rule(what="See who did what in the organisation.", roles=_RUN),
    Permission.EXPORT: Rule(
        what="Ask for files of what one may read, and fetch them: gifts, ledger, payouts.",
        roles=_MONEY | {Role.VIEWER},
        scopes=frozenset({Scope.DONATIONS_READ, Scope.PAYOUTS_READ}),
    ),
    Permission.SOLD_DATA_READ: Rule(
        what="See how many donors let data be shared, the organisation's datasets, what was released of them and who used it.",
        roles=_MONEY,
    ),
    Permission.REVENUE_READ: Rule(
        what="See what the organisation's data brings.", roles=frozenset({Role.OWNER, Role.FINANCE})
    ),
    Permission.DATA_READ: Rule(
        what="See sources and datasets, and how far what is handed in has come.",
        roles=_RUN,
        scopes=frozenset({Scope.DATA_READ, Scope.DATA_WRITE}),
    ),
    Permission.DATA_HAND_IN: Rule(
        what="Add sources and datasets, hand files in, and fetch the rows that were refused.",
        roles=_RUN,
        scopes=frozenset({Scope.DATA_WRITE}),
    ),
}
"""Permission by permission. One more is a line here and in the caller matrix (tests/backend/committed/test_caller_matrix.py)."""
