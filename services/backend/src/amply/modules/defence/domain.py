"""Decides whether a gift may be opened: counted events, limits, and the resulting action. Pure.

A card tester wants an answer for each of many stolen cards. What tells him from donors is how often he opens gifts, and
above all how often his cards are declined. The numbers are data: `RULES` about gifts that are opened, `DECLINES` about
payments that were declined.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final

from amply.kernel.errors import AmplyError
from amply.kernel.money import Money, currency_of


class Subject(StrEnum):
    """Whose gifts are counted together. A device is what a browser says of itself, a mail domain what stands behind the @:
    both within one organisation.
    """

    ADDRESS = "address"
    NETWORK = "network"
    DEVICE = "device"
    MAIL = "mail"
    MAIL_DOMAIN = "mail_domain"
    ORGANIZATION = "organization"
    EVERYONE = "everyone"


class Verdict(StrEnum):
    """What becomes of a request."""

    ADMIT = "admit"
    CHALLENGE = "challenge"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Thresholds above which requests are challenged and refused. None: never, or no separate threshold.

    Nothing that strangers share (an organisation, a kind of device) ever refuses anybody.
    """

    name: str
    subject: Subject
    window: timedelta
    challenge_above: int
    refuse_above: int | None = None
    refuse_under_attack: int | None = None


_MINUTE: Final = timedelta(minutes=1)
_TEN_MINUTES: Final = timedelta(minutes=10)
HOUR: Final = timedelta(hours=1)

RULES: Final = (
    # A family, or a stand at a fair, gives ten times a minute from one address; a school more in an hour.
    Rule(name="address-minute", subject=Subject.ADDRESS, window=_MINUTE, challenge_above=10, refuse_above=60),
    Rule(name="address-hour", subject=Subject.ADDRESS, window=HOUR, challenge_above=60, refuse_above=600),
    Rule(
        name="network-minute", subject=Subject.NETWORK, window=_MINUTE, challenge_above=60, refuse_above=600
    ),
    Rule(
        name="mail-ten-minutes",
        subject=Subject.MAIL,
        window=_TEN_MINUTES,
        challenge_above=10,
        refuse_above=60,
    ),
    Rule(name="device-ten-minutes", subject=Subject.DEVICE, window=_TEN_MINUTES, challenge_above=500),
    Rule(name="organization-minute", subject=Subject.ORGANIZATION, window=_MINUTE, challenge_above=3_000),
    Rule(name="everyone-minute", subject=Subject.EVERYONE, window=_MINUTE, challenge_above=10_000),
)
"""Limits of opened gifts, successful or not."""

DECLINES: Final = (
    Rule(
        name="declined-address",
        subject=Subject.ADDRESS,
        window=HOUR,
        challenge_above=2,
        refuse_above=10,
        refuse_under_attack=3,
    ),
    Rule(
        name="declined-network",
        subject=Subject.NETWORK,
        window=HOUR,
        challenge_above=6,
        refuse_above=60,
        refuse_under_attack=10,
    ),
    Rule(
        name="declined-mail",
        subject=Subject.MAIL,
        window=HOUR,
        challenge_above=4,
        refuse_above=15,
        refuse_under_attack=5,
    ),
    Rule(name="declined-device", subject=Subject.DEVICE, window=_TEN_MINUTES, challenge_above=20),
    # Testers make addresses up, of one domain; half of all donors share another one, and are never refused for that.
    Rule(name="declined-mail-domain", subject=Subject.MAIL_DOMAIN, window=_TEN_MINUTES, challenge_above=20),
)
"""Limits of declined payments. Donors mistype a card once or twice."""

SMALL_DECLINES: Final = Rule(
    name="declined-small", subject=Subject.ORGANIZATION, window=_TEN_MINUTES, challenge_above=8
)
"""Limit of declined small gifts to one organisation, above which its small gifts are challenged."""
_SMALL_TIMES_MINIMUM: Final = 5
"""Up to five times the currency's minimum is small: card testers use the smallest amounts."""

STRICTER_ALONE: Final = 4
"""Divisor of limits while the cache is unavailable, since each process counts its share only."""

ATTACK_WINDOW: Final = _TEN_MINUTES
ATTACK_LASTS: Final = timedelta(minutes=30)
"""How long an attack lasts after the latest decline that indicated it."""
_ATTACK_DECLINES: Final = 20
_ATTACK_CARDS: Final = 10
_ATTACK_SHARE: Final = 4
"""An attack: one gift in four is declined. Normally it is one in twenty."""

DECLINES_OF_A_GIFT: Final = 6
CARDS_OF_A_GIFT: Final = 4
DECLINES_OF_A_GIFT_UNDER_ATTACK: Final = 2
GIFTS_OF_A_CARD: Final = 3
"""A card that was declined for three gifts within an hour is being tested: the fourth one's payment ends with it."""

CLOSE_AFTER: Final = _TEN_MINUTES
"""Duration of an attack before the challenge can be judged ineffective."""
CLOSE_WINDOW: Final = _TEN_MINUTES
_CLOSE_DECLINES: Final = 60
_CLOSE_CARDS: Final = 30
_CLOSE_NETWORKS: Final = 20
_CLOSE_SHARE: Final = 2
"""Every other gift that was opened: where more donors than testers come, closing would do more harm than they."""
CLOSED_FOR: Final = HOUR
"""After the latest evidence."""
CLOSED_AT_MOST: Final = 3 * HOUR
CLOSED_A_DAY: Final = 6 * HOUR
"""Maximum within 24 hours; then the form stays open, and a person decides."""
DAY: Final = timedelta(days=1)

BITS: Final = 13
"""Difficulty of each of sixteen puzzles: 130,000 digests in all, a fifth of a second in a browser, a second on an old
phone.
"""
BITS_UNDER_ATTACK: Final = 15
BITS_MAX: Final = 17


class ChallengeRequired(AmplyError):
    """The request must be repeated with a solution. The words are the same whatever led here."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "challenge_required"
    title: ClassVar[str] = "A challenge must be solved first"

    def __init__(self, challenge: Mapping[str, Any]) -> None:
        super().__init__(
            "Solve the challenge and repeat the request with the solution in the header Amply-Challenge, and with the same "
            "Idempotency-Key where it had one."
        )
        self.members = {"challenge": challenge}


@dataclass(frozen=True, kw_only=True)
class Client:
    """The client, from the request's headers; never stored like this."""

    address: str
    device: str


def is_small(amount: Money) -> bool:
    """Whether an amount is typical of card testing."""
    return amount.minor_units <= currency_of(amount.currency).gift_min * _SMALL_TIMES_MINIMUM


@dataclass(frozen=True, kw_only=True)
class Decline:
    """One declined card.

    `reference` tells it from others: the processor's charge, or attempt. `card` is the processor's fingerprint of the card, if it
    says one. Both are kept under the day's key only.
    """

    reference: str
    card: str | None
    declined_at: datetime


@dataclass(frozen=True, kw_only=True)
class Part:
    """One organisation's amount in a split gift."""

    organization_id: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request to open a gift, or to enter a card for one.

    A card is tried with each charge: what is small is judged of each part, and never of what they come to.

    Attributes:
        idempotency_key: Of the request: a challenge is solved for it, and for no other.
        beside: The other parts, where one request gives to several organisations.
        is_begun: A card for a gift or plan that is there already: a form that is closed to new gifts does not stop it.
    """

    client: Client
    organization_id: str
    mail: str
    amount: Money
    idempotency_key: str
    beside: tuple[Part, ...] = ()
    is_begun: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything that would be charged."""
        return (Part(organization_id=self.organization_id, amount=self.amount), *self.beside)

    @property
    def small_at(self) -> frozenset[str]:
        """The organisations that would be charged for something small."""
        return frozenset(part.organization_id for part in self.parts if is_small(part.amount))


@dataclass(frozen=True, kw_only=True)
class SetupOf:
    """A request to enter a card for an existing gift or plan.

    Attributes:
        owner_id: The gift to several organisations, or the plan, that it is for.
        number: Of the owner's SetupIntents: a challenge is solved for one of them.
        mail: Its donor's address.
        gifts: What the card is to pay.
    """

    owner_id: str
    number: int
    mail: str
    gifts: Sequence[Part]

    def attempt(self, client: Client) -> Attempt:
        """The request as the gate's question."""
        first, *beside = self.gifts
        return Attempt(
            client=client,
            organization_id=first.organization_id,
            mail=self.mail,
            amount=first.amount,
            idempotency_key=f"{self.owner_id}:{self.number}",
            beside=tuple(beside),
            is_begun=True,
        )


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """A request's pseudonymous keys: equal for equal clients on one day, and unlinkable between days.

    None for what is not the public Internet's: everyone of a private network would be one subject. All are None for what an
    organisation's own program asked for. `is_challenged`: a challenge was solved for it.
    """

    address: bytes | None
    network: bytes | None
    device: bytes | None
    mail: bytes | None
    mail_domain: bytes | None
    is_small: bool
    is_challenged: bool = False

    @classmethod
    def of_program(cls, amount: Money) -> "Fingerprints":
        """Fingerprints of a gift by API key: counted, without identifying a client."""
        return cls(
            address=None, network=None, device=None, mail=None, mail_domain=None, is_small=is_small(amount)
        )

    def of_part(self, amount: Money) -> "Fingerprints":
        """The same of one part of a gift: it alone may be small."""
        return replace(self, is_small=is_small(amount))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Inputs of a decision: counts by rule name, and the organisation's state of attack.

    `closed`: until when forms are closed, by organisation.
    """

    opened: Mapping[str, float]
    declined: Mapping[str, float]
    is_counted_alone: bool
    is_under_attack: bool
    closed: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PassedChallenges:
    """Gifts that passed the challenge at an attacked organisation, within at most ten minutes.

    Attributes:
        declines: Cards that were declined, of gifts for which a challenge was solved.
        cards: How many different ones.
        networks: From how many networks those gifts were opened.
        declined: How many gifts that were.
        opened: How many gifts were opened so in all.
    """

    declines: int
    cards: int
    networks: int
    declined: int
    opened: int


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The decision, the difficulty of a challenge, and the rule that decided (for logs)."""

    verdict: Verdict
    bits: int = 0
    rule: str = ""


def judge(evidence: Evidence, *, is_small: bool) -> Judgement:
    """The strictest rule decides; the excess over its limit sets the challenge's difficulty."""
    found = [Judgement(verdict=Verdict.CHALLENGE, bits=BITS_UNDER_ATTACK, rule="attack")]
    if not evidence.is_under_attack:
        found = [Judgement(verdict=Verdict.ADMIT)]
    alone = STRICTER_ALONE if evidence.is_counted_alone else 1
    found += [_apply(rule, evidence.opened.get(rule.name, 0), part=alone) for rule in RULES]
    for rule in DECLINES:
        found.append(
            _apply(rule, evidence.declined.get(rule.name, 0), is_under_attack=evidence.is_under_attack)
        )
    if is_small:
        found.append(_apply(SMALL_DECLINES, evidence.declined.get(SMALL_DECLINES.name, 0)))
    order = list(Verdict)
    return max(found, key=lambda each: (order.index(each.verdict), each.bits))


def _apply(rule: Rule, number: float, *, part: int = 1, is_under_attack: bool = False) -> Judgement:
    challenge_above = max(1, rule.challenge_above // part)
    refuse_above = (rule.refuse_under_attack if is_under_attack else None) or rule.refuse_above
    if refuse_above is not None and number > max(1, refuse_above // part):
        return Judgement(verdict=Verdict.REFUSE, rule=rule.name)
    if number <= challenge_above:
        return Judgement(verdict=Verdict.ADMIT)
    harder = int(math.log2(number / challenge_above))
    return Judgement(verdict=Verdict.CHALLENGE, bits=min(BITS + harder, BITS_MAX), rule=rule.name)


def is_attack(*, declines: int, cards: int, opened: int) -> bool:
    """Whether these declines within ten minutes amount to an attack."""
    return declines >= _ATTACK_DECLINES and cards >= _ATTACK_CARDS and declines * _ATTACK_SHARE >= opened


def is_challenge_beaten(through: PassedChallenges) -> bool:
    """Whether somebody keeps solving the challenge from more networks than rate limits can track."""
    return (
        through.declines >= _CLOSE_DECLINES
        and through.cards >= _CLOSE_CARDS
        and through.networks >= _CLOSE_NETWORKS
        and through.declined * _CLOSE_SHARE >= through.opened
    )


def closed_until(*, began_at: datetime, closed_before: timedelta, now: datetime) -> datetime | None:
    """Until when to close a form for what passed the challenge; None if it was closed long enough today.

    `began_at`: since when it is closed, or now. `closed_before`: for how long it was closed within a day before that.
    """
    until = min(now + CLOSED_FOR, began_at + CLOSED_AT_MOST, began_at + CLOSED_A_DAY - closed_before)
    return until if until > now else None


def is_exhausted(*, declines: int, cards: int, gifts_of_card: int, is_under_attack: bool) -> bool:
    """Whether a payment was tried so often, or with such cards, that it must end."""
    if is_under_attack and declines >= DECLINES_OF_A_GIFT_UNDER_ATTACK:
        return True
    return declines >= DECLINES_OF_A_GIFT or cards >= CARDS_OF_A_GIFT or gifts_of_card > GIFTS_OF_A_CARD
