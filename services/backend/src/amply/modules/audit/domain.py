"""Audit records and their hash chain. Pure.

A record holds no personal data in clear: what is not shaped like an id or a code is replaced by its digest, so that a
typing error cannot leave an address here for seven years.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import rfc8785

from amply.kernel.clock import iso
from amply.kernel.errors import invariant

GENESIS: Final = bytes(32)
"""The hash before the first record."""

TARGETS_MAX: Final = 16

_OURS: Final = r"[a-z]{2,8}_[0-9abcdefghjkmnpqrstvwxyz]{26}"
_PROCESSORS: Final = r"(?:acct|evt|po|re|pyr|pi|ch|du|dp|txn)_[A-Za-z0-9_]{4,64}"
_ID: Final = re.compile(rf"sha256:[0-9a-f]{{64}}|(?:{_OURS}|platform)(?:/[a-z_]{{1,32}})?|{_PROCESSORS}")
_PROGRAM: Final = re.compile(r"local|task/[0-9a-f]{32}|[a-z]+(?:-[a-z]+)*")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_REQUEST: Final = re.compile(r"req_[0-9a-f]{32}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class ActorKind(StrEnum):
    """`operator`: a command of the administration. `person`: somebody signed in. `key`: an API key. `system`: a task."""

    OPERATOR = "operator"
    PERSON = "person"
    KEY = "key"
    SYSTEM = "system"


class Action(StrEnum):
    """All that is recorded. Names are for ever: records that hold one stay, so that one is added and never renamed."""

    APPLICATION_BEGUN = "application.begun"
    APPLICATION_CHANGED = "application.changed"
    APPLICATION_SUBMITTED = "application.submitted"
    BOOKS_ACCOUNT_CLOSED = "books.account_closed"
    BOOKS_ACCOUNT_REOPENED = "books.account_reopened"
    DATA_CONTRACT_AMENDED = "data_contract.amended"
    DATA_CONTRACT_CLOSED = "data_contract.closed"
    DATA_CONTRACT_OPENED = "data_contract.opened"
    DATA_GRANT_GIVEN = "data_grant.given"
    DATA_GRANT_REVOKED = "data_grant.revoked"
    DATA_KEY_ENDED = "data_key.ended"
    DATA_KEY_MADE = "data_key.made"
    DATA_PAYMENT_NOTED = "data_payment.noted"
    DATA_PAYMENT_SENT_BACK = "data_payment.sent_back"
    DATA_SETTLED = "data.settled"
    DATA_SETTLEMENT_REVERSED = "data_settlement.reversed"
    DATA_SHARE_PASSED_ON = "data_share.passed_on"
    DATASET_ADDED = "dataset.added"
    DATASET_CHANGED = "dataset.changed"
    DIRECTORY_CHANGED = "directory.changed"
    DIRECTORY_TOKEN_MADE = "directory.token_made"  # noqa: S105 -- the name of an action
    DIRECTORY_TOKEN_REVOKED = "directory.token_revoked"  # noqa: S105 -- the same
    DISPUTE_ANSWERED = "dispute.answered"
    DISPUTE_EVIDENCE_SEEN = "dispute.evidence_seen"
    DOCUMENT_ADDED = "document.added"
    DOCUMENT_READ = "document.read"
    DOCUMENT_RECEIVED = "document.received"
    DOCUMENT_REMOVED = "document.removed"
    DONATION_ADVANTAGE_STATED = "donation.advantage_stated"
    DONATION_OFFLINE_RECORDED = "donation.offline_recorded"
    DONATION_OFFLINE_REVERSED = "donation.offline_reversed"
    DONATION_RECEIPT_PRINTED = "donation.receipt_printed"
    DONATION_RECEIPT_RESENT = "donation.receipt_resent"
    DONATION_REFUND_ASKED = "donation.refund_asked"
    DONATION_REFUNDED = "donation.refunded"
    DONOR_ERASED = "donor.erased"
    DONOR_STATEMENT_SEEN = "donor.statement_seen"
    EXPORT_ASKED = "export.asked"
    EXPORT_FETCHED = "export.fetched"
    FILE_BEGUN = "file.begun"
    FILE_SUBMITTED = "file.submitted"
    FORM_EXEMPTED = "form.exempted"
    FORM_REOPENED = "form.reopened"
    FUND_CLOSED = "fund.closed"
    FUND_CREATED = "fund.created"
    FUND_RENAMED = "fund.renamed"
    IMAGE_ADDED = "image.added"
    IMAGE_DESCRIBED = "image.described"
    IMAGE_RECEIVED = "image.received"
    IMAGE_REMOVED = "image.removed"
    KEY_MADE = "key.made"
    KEY_REVOKED = "key.revoked"
    LOG_RESTORED = "log.restored"
    MEMBER_INVITATION_DECLINED = "member.invitation_declined"
    MEMBER_INVITATION_WITHDRAWN = "member.invitation_withdrawn"
    MEMBER_INVITED = "member.invited"
    MEMBER_JOINED = "member.joined"
    MEMBER_LEFT = "member.left"
    MEMBER_LEFT_BY_PROVIDER = "member.left_by_provider"
    MEMBER_REMOVED = "member.removed"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    ORGANIZATION_ANONYMOUS_GIFTS_SET = "organization.anonymous_gifts_set"
    ORGANIZATION_CHANGED = "organization.changed"
    ORGANIZATION_CONTACT_SET = "organization.contact_set"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_GIFT_AID_SEEN = "organization.gift_aid_seen"
    ORGANIZATION_GIFTS_SEEN = "organization.gifts_seen"
    ORGANIZATION_INVITED = "organization.invited"
    ORGANIZATION_MORE_ASKED = "organization.more_asked"
    ORGANIZATION_OWNER_INVITED = "organization.owner_invited"
    ORGANIZATION_RECEIPTS_SET = "organization.receipts_set"
    ORGANIZATION_REFUSED = "organization.refused"
    ORGANIZATION_RESTORED = "organization.restored"
    ORGANIZATION_RETURN_ALLOWED = "organization.return_allowed"
    ORGANIZATION_RETURN_FORBIDDEN = "organization.return_forbidden"
    ORGANIZATION_REVIEWED = "organization.reviewed"
    ORGANIZATION_SUSPENDED = "organization.suspended"
    ORGANIZATION_TIER_SET = "organization.tier_set"
    ORGANIZATION_VERIFIED = "organization.verified"
    ORGANIZATION_VISIBILITY_SET = "organization.visibility_set"
    OWNERSHIP_ACCEPTED = "ownership.accepted"
    OWNERSHIP_OFFERED = "ownership.offered"
    OWNERSHIP_OFFER_WITHDRAWN = "ownership.offer_withdrawn"
    PAYOUT_ASKED = "payout.asked"
    PAYOUT_MOVEMENT_RESOLVED = "payout.movement_resolved"
    PERSON_ADDRESS_CHANGED = "person.address_changed"
    PERSONAL_KEY_ROTATED = "personal_key.rotated"
    PERSON_ERASED = "person.erased"
    PERSON_FACTORS_CHANGED = "person.factors_changed"
    PERSON_IDENTITY_LINKED = "person.identity_linked"
    PERSON_IDENTITY_UNLINKED = "person.identity_unlinked"
    PERSON_PASSWORD_CHANGED = "person.password_changed"  # noqa: S105 -- the name of an action
    PERSON_PASSWORD_RESET = "person.password_reset"  # noqa: S105 -- the same
    PERSON_REGISTERED = "person.registered"
    PERSON_SESSIONS_BOUND = "person.sessions_bound"
    PERSON_TRIED_TOO_OFTEN = "person.tried_too_often"
    PLAN_CANCELLED = "plan.cancelled"
    PLAN_GIFT_AID_CANCELLED = "plan.gift_aid_cancelled"
    PLAN_PAUSED = "plan.paused"
    PLAN_RESUMED = "plan.resumed"
    QUARANTINE_READ = "quarantine.read"
    RECEIPT_SETTINGS_CHANGED = "receipt_settings.changed"
    SIGN_IN_CHANGED = "sign_in.changed"
    SIGN_IN_DOMAIN_CLAIMED = "sign_in.domain_claimed"
    SIGN_IN_DOMAIN_LOST = "sign_in.domain_lost"
    SIGN_IN_DOMAIN_REMOVED = "sign_in.domain_removed"
    SIGN_IN_DOMAIN_SHOWN = "sign_in.domain_shown"
    SIGN_IN_REMOVED = "sign_in.removed"
    SOURCE_ADDED = "source.added"
    PROJECT_CHANGED = "project.changed"
    PROJECT_CREATED = "project.created"
    WEBHOOKS_REPLAYED = "webhooks.replayed"
    WEBHOOK_ENDPOINT_ADDED = "webhook_endpoint.added"
    WEBHOOK_ENDPOINT_CHANGED = "webhook_endpoint.changed"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint.disabled"
    WEBHOOK_ENDPOINT_REMOVED = "webhook_endpoint.removed"
    WEBHOOK_EVENTS_REPLAYED = "webhook_endpoint.events_replayed"
    WEBHOOK_KEY_ROTATED = "webhook_endpoint.key_rotated"
    WEBHOOK_TEST_SENT = "webhook_endpoint.test_sent"


class Outcome(StrEnum):
    """`begun` is written before what takes several transactions or calls others, and another record says how it ended."""

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts: `id` is `usr_…` or `key_…`, a program's name, or `task/…` of the task that somebody started."""

    kind: ActorKind
    id: str


@dataclass(frozen=True, kw_only=True)
class AuditedAction:
    """An audit record to append. `targets` are ids, the most specific first (`digested` for values without an id).

    `reason` is kept where it is a code, such as the role that was given; of words only the digest is, since they stand where the command keeps them.
    `error` is the stable code of what was refused. `request_id` or `task_id` says where the logs tell more.
    """

    actor: Actor
    action: Action
    targets: tuple[str, ...] = ()
    organization_id: str | None = None
    outcome: Outcome = Outcome.DONE
    reason: str | None = None
    error: str | None = None
    request_id: str | None = None
    task_id: str | None = None


def digested(text: str) -> str:
    """`sha256:` and the digest of a value that must not be stored in plain text."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def content_of(deed: AuditedAction, *, record_id: str, now: datetime) -> bytes:
    """A record as canonical JSON (RFC 8785), ASCII, without empty members."""
    invariant(len(deed.targets) <= TARGETS_MAX, f"a record has {TARGETS_MAX} targets at most")
    program = deed.actor.kind in (ActorKind.OPERATOR, ActorKind.SYSTEM)
    said: dict[str, Any] = {
        "v": 1,
        "id": record_id,
        "at": iso(now),
        "actor": {
            "kind": deed.actor.kind.value,
            "id": _kept(deed.actor.id, _PROGRAM if program else _ID),
        },
        "action": deed.action.value,
        "targets": [_kept(target, _ID) for target in deed.targets],
        "organization": _kept(deed.organization_id, _ID),
        "outcome": deed.outcome.value,
        "reason": _kept(deed.reason, _CODE),
        "error": _kept(deed.error, _CODE),
        "request": _kept(deed.request_id, _REQUEST),
        "task": _kept(deed.task_id, _PROGRAM),
    }
    return rfc8785.dumps({name: value for name, value in said.items() if value not in (None, [])})


def linked(previous: bytes, content: bytes) -> bytes:
    """A record's hash: SHA-256 over the previous hash (32 bytes) and the content."""
    return hashlib.sha256(previous + content).digest()


def chained(previous: bytes, contents: Iterable[bytes]) -> bytes:
    """The head after appending all of `contents`."""
    for content in contents:
        previous = linked(previous, content)
    return previous


def _kept(text: str | None, shape: re.Pattern[str]) -> str | None:
    if text is None or shape.fullmatch(text) or _DIGEST.fullmatch(text):
        return text
    return digested(text)
