"""Writes an audit record for each admin command.

Every command stands in one of the tables below. One that stands in none is refused, and one of `READS` gets a database
in which it can change nothing (`admin_database`).
"""

import functools
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import click
from sqlalchemy import text

from amply.entrypoints.admin_database import CommandRecord, doing, opened_database
from amply.infra.roles import OWNER
from amply.kernel.clock import system_clock
from amply.kernel.errors import AmplyError, invariant
from amply.modules import audit
from amply.modules.audit import Action, Outcome

_METADATA_SECONDS: Final = 2

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """How a command is recorded in the audit log. Names are those of its parameters.

    `apart`: it calls others or takes several transactions, so that it is recorded as begun and again when it has ended;
    all others are recorded in the transaction in which they act.
    """

    action: Action
    targets: tuple[str, ...] = ()
    organization: str | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    """Of a command without a reason: what sets one of its checks aside. Those that were given are the reason, with their values."""
    apart: bool = False
    as_owner: bool = False
    """It signs in as somebody who may become the tables' owner, and is nothing else."""
    reads_without: tuple[str, ...] = ()
    """It only reads where none of these is given."""


_ID: Final = "organization_id"
_AT_ONCE: Final[Mapping[Path, Recorded]] = {
    ("books", "close-account"): Recorded(
        action=Action.BOOKS_ACCOUNT_CLOSED, targets=("account",), reason="reason"
    ),
    ("books", "reopen-account"): Recorded(
        action=Action.BOOKS_ACCOUNT_REOPENED, targets=("account",), reason="reason"
    ),
    ("defence", "exempt"): Recorded(action=Action.FORM_EXEMPTED, organization=_ID, reason="reason"),
    ("defence", "reopen"): Recorded(action=Action.FORM_REOPENED, organization=_ID, reason="reason"),
    ("donation", "advantage"): Recorded(action=Action.DONATION_ADVANTAGE_STATED, targets=("donation_id",)),
    ("donation", "resend-receipt"): Recorded(action=Action.DONATION_RECEIPT_RESENT, targets=("donation_id",)),
    ("organization", "anonymous-gifts"): Recorded(
        action=Action.ORGANIZATION_ANONYMOUS_GIFTS_SET, organization=_ID
    ),
    ("organization", "ask"): Recorded(
        action=Action.ORGANIZATION_MORE_ASKED, organization=_ID, reason="reason"
    ),
    ("organization", "contact"): Recorded(action=Action.ORGANIZATION_CONTACT_SET, organization=_ID),
    ("organization", "document"): Recorded(action=Action.DOCUMENT_READ),
    ("organization", "fund", "close"): Recorded(
        action=Action.FUND_CLOSED, targets=("fund_id",), organization=_ID
    ),
    ("organization", "fund", "create"): Recorded(action=Action.FUND_CREATED, organization=_ID),
    ("organization", "invite"): Recorded(action=Action.ORGANIZATION_INVITED, organization=_ID),
    ("organization", "invite-owner"): Recorded(action=Action.ORGANIZATION_OWNER_INVITED, organization=_ID),
    ("organization", "receipts"): Recorded(
        action=Action.ORGANIZATION_RECEIPTS_SET,
        organization=_ID,
        reads_without=(
            *("jurisdiction", "legal_name", "registration_number", "address", "place", "signatory"),
            *("language", "time_zone", "fiscal_year_starts", "brand_colour", "logo"),
        ),
    ),
    ("organization", "refuse"): Recorded(
        action=Action.ORGANIZATION_REFUSED, organization=_ID, reason="reason"
    ),
    ("organization", "restore"): Recorded(
        action=Action.ORGANIZATION_RESTORED, organization=_ID, reason="reason"
    ),
    ("organization", "return-to", "allow"): Recorded(
        action=Action.ORGANIZATION_RETURN_ALLOWED, organization=_ID
    ),
    ("organization", "return-to", "forbid"): Recorded(
        action=Action.ORGANIZATION_RETURN_FORBIDDEN, organization=_ID
    ),
    ("organization", "review"): Recorded(action=Action.ORGANIZATION_REVIEWED, organization=_ID),
    ("organization", "suspend"): Recorded(
        action=Action.ORGANIZATION_SUSPENDED, organization=_ID, reason="reason"
    ),
    ("organization", "tier"): Recorded(action=Action.ORGANIZATION_TIER_SET, organization=_ID, reason="tier"),
    ("organization", "verify"): Recorded(action=Action.ORGANIZATION_VERIFIED, organization=_ID),
    ("organization", "visibility"): Recorded(action=Action.ORGANIZATION_VISIBILITY_SET, organization=_ID),
    ("payouts", "reconcile"): Recorded(action=Action.PAYOUT_ASKED, targets=("payout_id",), organization=_ID),
    ("payouts", "resolve"): Recorded(
        action=Action.PAYOUT_MOVEMENT_RESOLVED, targets=("movement_id",), reason="reason"
    ),
    ("people", "forget"): Recorded(action=Action.PERSON_ERASED, targets=("person_id",)),
    ("recurring", "cancel"): Recorded(action=Action.PLAN_CANCELLED, targets=("plan_id",)),
    ("recurring", "cancel-gift-aid"): Recorded(action=Action.PLAN_GIFT_AID_CANCELLED, targets=("plan_id",)),
    ("recurring", "pause"): Recorded(action=Action.PLAN_PAUSED, targets=("plan_id",)),
    ("recurring", "resume"): Recorded(action=Action.PLAN_RESUMED, targets=("plan_id",)),
    ("webhooks", "replay"): Recorded(action=Action.WEBHOOKS_REPLAYED, targets=("event_id",)),
}
_APART: Final[Mapping[Path, Recorded]] = {
    ("data", "contract", "amend"): Recorded(action=Action.DATA_CONTRACT_AMENDED, targets=("contract_id",)),
    ("data", "contract", "close"): Recorded(action=Action.DATA_CONTRACT_CLOSED, targets=("contract_id",)),
    ("data", "contract", "open"): Recorded(action=Action.DATA_CONTRACT_OPENED),
    ("data", "grant", "give"): Recorded(action=Action.DATA_GRANT_GIVEN, targets=("contract_id",)),
    ("data", "grant", "revoke"): Recorded(
        action=Action.DATA_GRANT_REVOKED, targets=("grant_id", "contract_id")
    ),
    ("data", "key", "end"): Recorded(action=Action.DATA_KEY_ENDED, targets=("contract_id",)),
    ("data", "key", "make"): Recorded(action=Action.DATA_KEY_MADE, targets=("contract_id",)),
    ("data", "paid"): Recorded(
        action=Action.DATA_PAYMENT_NOTED, targets=("contract_id",), flags=("is_new", "also_of_another")
    ),
    ("data", "pass-on"): Recorded(action=Action.DATA_SHARE_PASSED_ON, organization=_ID, flags=("is_new",)),
    ("data", "reverse"): Recorded(
        action=Action.DATA_SETTLEMENT_REVERSED, targets=("settlement_id",), reason="reason"
    ),
    ("data", "sent-back"): Recorded(
        action=Action.DATA_PAYMENT_SENT_BACK,
        targets=("contract_id",),
        flags=("is_new", "also_of_another", "in_books"),
    ),
    ("data", "settle"): Recorded(action=Action.DATA_SETTLED, targets=("contract_id",), reason="reason"),
    ("disputes", "answer"): Recorded(action=Action.DISPUTE_ANSWERED, targets=("dispute_id",)),
    ("disputes", "evidence"): Recorded(action=Action.DISPUTE_EVIDENCE_SEEN, targets=("dispute_id",)),
    ("donation", "offline", "print"): Recorded(
        action=Action.DONATION_RECEIPT_PRINTED, targets=("donation_id",)
    ),
    ("donation", "offline", "record"): Recorded(action=Action.DONATION_OFFLINE_RECORDED, organization=_ID),
    ("donation", "offline", "reverse"): Recorded(
        action=Action.DONATION_OFFLINE_REVERSED, targets=("donation_id",), reason="reason"
    ),
    ("donation", "refund"): Recorded(
        action=Action.DONATION_REFUNDED, targets=("donation_id",), reason="reason"
    ),
    # The donor is not recorded: a digest of the address could be recomputed, and would outlive an erasure by years.
    ("donor", "statement"): Recorded(action=Action.DONOR_STATEMENT_SEEN, organization=_ID),
    ("erase", "again"): Recorded(action=Action.DONOR_ERASED),
    ("erase", "donor"): Recorded(action=Action.DONOR_ERASED),
    ("keys", "rotate"): Recorded(action=Action.PERSONAL_KEY_ROTATED, targets=("scope",)),
    ("organization", "create"): Recorded(action=Action.ORGANIZATION_CREATED),
    ("organization", "gift-aid-schedule"): Recorded(
        action=Action.ORGANIZATION_GIFT_AID_SEEN, organization=_ID
    ),
    ("organization", "gifts"): Recorded(action=Action.ORGANIZATION_GIFTS_SEEN, organization=_ID),
    ("restore-log",): Recorded(action=Action.LOG_RESTORED, as_owner=True),
}
RECORDED: Final[Mapping[Path, Recorded]] = {
    **_AT_ONCE,
    **{path: replace(how, apart=True) for path, how in _APART.items()},
}
READS: Final[frozenset[Path]] = frozenset(
    {
        ("audit", "search"),
        ("audit", "verify"),
        ("books", "balances"),
        ("books", "statement"),
        ("books", "trial-balance"),
        ("data", "contract", "list"),
        ("data", "contract", "show"),
        ("data", "grant", "list"),
        ("data", "settlements"),
        ("defence", "closings"),
        ("defence", "exemptions"),
        ("disputes", "list"),
        ("disputes", "warnings"),
        ("keys", "show"),
        ("organization", "account"),
        ("organization", "application"),
        ("organization", "applications"),
        ("organization", "attacks"),
        ("organization", "fee-cover"),
        ("organization", "fund", "list"),
        ("organization", "outgrown"),
        ("organization", "receipt-problems"),
        ("payouts", "report"),
        ("payouts", "unmatched"),
        ("recurring", "list"),
        ("verifier-key",),
        ("verifier-keys",),
        ("webhooks", "list-unhandled"),
        ("webhooks", "summary"),
    }
)
"""Commands that change nothing and name no donor."""


def hold(commands: click.Group) -> None:
    """Wrap every command below `commands` with audit recording."""
    for path, command in walked(commands):
        how = RECORDED.get(path)
        invariant(
            (how is None) == (path in READS),
            f"say in admin_recorded whether `{' '.join(path)}` changes anything",
        )
        if how is not None and command.callback is not None:
            command.callback = _framed(command.callback, how)


def walked(group: click.Group, above: Path = ()) -> Iterator[tuple[Path, click.Command]]:
    """Every command below a group, with its path."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walked(command, (*above, name))
        else:
            yield (*above, name), command


def _framed(callback: Callable[..., Any], how: Recorded) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(**said: Any) -> Any:
        if how.reads_without and not any(said[name] for name in how.reads_without):
            return callback(**said)
        present = CommandRecord(deed=_deed(how, said), apart=how.apart)
        if how.apart:
            _write(replace(present.deed, outcome=Outcome.BEGUN), how)
        token = doing.set(present)
        try:
            with _telling_of_failure(present, how):
                result = callback(**said)
                if not present.is_recorded:
                    _write(present.deed, how)
                return result
        finally:
            doing.reset(token)

    return run


@contextmanager
def _telling_of_failure(present: CommandRecord, how: Recorded) -> Iterator[None]:
    """In a transaction of its own: that of what was tried is gone."""
    try:
        yield
    except Exception as error:
        if isinstance(error, click.UsageError) and not how.apart:
            raise
        outcome = Outcome.REFUSED if isinstance(error, AmplyError | click.UsageError) else Outcome.FAILED
        code = error.code if isinstance(error, AmplyError) else type(error).__name__.lower()
        try:
            _write(replace(present.deed, outcome=outcome, error=code), how)
        except Exception as second:  # noqa: BLE001 -- what went wrong first is what people have to hear of
            click.echo(f"This could not be written to the audit log: {type(second).__name__}.", err=True)
        raise


def goes_on(action: Action) -> None:
    """Record what was done so far; what follows is recorded as `action`.

    Only of commands that are recorded apart.
    """
    present = doing.get()
    if present is None:
        return
    invariant(present.apart, "what acts in one transaction does one thing")
    how = Recorded(action=action)
    _write(present.deed, how)
    present.deed = replace(present.deed, action=action)
    _write(replace(present.deed, outcome=Outcome.BEGUN), how)


def _deed(how: Recorded, said: Mapping[str, Any]) -> audit.AuditedAction:
    task = _task_id()
    organization_id = said.get(how.organization) if how.organization else None
    return audit.AuditedAction(
        actor=audit.Actor(kind=audit.ActorKind.OPERATOR, id=task or "local"),
        action=how.action,
        targets=tuple(said[name] for name in how.targets if said[name]),
        organization_id=organization_id,
        reason=said[how.reason] if how.reason else _given(how.flags, said),
        task_id=task,
    )


def _given(flags: tuple[str, ...], said: Mapping[str, Any]) -> str | None:
    """As a code: `is_new_and_in_books_100_00`."""
    values = {name: said[name] for name in flags if said[name]}
    named = (name if value is True else f"{name}_{value.replace('.', '_')}" for name, value in values.items())
    return "_and_".join(named) or None


def _write(deed: audit.AuditedAction, how: Recorded) -> None:
    token = doing.set(CommandRecord(deed=deed, apart=True))
    try:
        with opened_database() as database, database.transaction() as session:
            if how.as_owner:
                session.execute(text(f"SET LOCAL ROLE {OWNER}"))
            audit.record(session, deed, now=system_clock())
    finally:
        doing.reset(token)


@functools.cache
def _task_id() -> str | None:
    """`task/…`, by which CloudTrail says who started it, or None outside of ECS.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
    """
    base = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if not base:
        return None
    try:
        with urllib.request.urlopen(f"{base}/task", timeout=_METADATA_SECONDS) as answer:  # noqa: S310 -- the agent's own address
            arn = str(json.load(answer)["TaskARN"])
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return "task-unknown"
    return f"task/{arn.rpartition('/')[2]}"
