"""Describes changes to data and access in sentences: the top of a comment."""

from typing import Final

from operations.difference.access import Access, Door, Grant
from operations.difference.changes import Altered, Change, Kind
from operations.difference.guards import Weakening
from operations.difference.holdings import HOLDINGS
from operations.difference.markdown import code, plain
from operations.difference.references import REPLACED, Names

_FEW: Final = 4
"""Names in one sentence; the rest is counted."""


def kind_of(change: Change) -> str:
    """`bucket` rather than `AWS::S3::Bucket`, where we know a word."""
    return HOLDINGS[change.type][0] if change.holds_data else code(change.type)


def why(change: Change, names: Names) -> str:
    """Which property replaces it, or that it is no longer there."""
    reasons = [_reason(altered, change.stack, names) for altered in change.altered if altered.replaces]
    if change.kind is Kind.MAY_BE_DESTROYED:
        reasons = ["the condition it exists under changes"]
    if not change.after:
        reasons = [
            "its whole stack leaves the app, its account or its region"
            if change.stack_leaves
            else "it is no longer in the template"
        ]
    return "; ".join(reasons)


def _reason(altered: Altered, stack: str, names: Names) -> str:
    before, after = (names.spelled(stack, plain(value)) for value in (altered.before, altered.after))
    if REPLACED in after:
        return f"{code(altered.name)} points at {code(before)}, which is replaced"
    return f"{code(altered.name)}: {code(before)} → {code(after)}"


def fate(change: Change) -> str:
    """What becomes of the data."""
    holds = HOLDINGS[change.type][1]
    match change.kind:
        case Kind.ORPHANED:
            text = f"it stays in the account with {holds}, still costs, and nothing here looks after it"
        case Kind.DESTROYED if change.policy == "Snapshot":
            text = f"deleted after a snapshot, from which {holds} would have to be restored"
        case Kind.DESTROYED:
            text = f"deleted, and with it {holds}"
        case Kind.MAY_BE_DESTROYED:
            kept = "it then stays in the account" if change.stays_in_the_account else f"with it {holds}"
            text = f"removed wherever its condition no longer holds; {kept}"
        case _:
            text = _replaced(change, holds)
    if change.stack_leaves:
        return f"`cdk deploy` leaves its stack as it is; when somebody deletes that: {text}"
    return text


def _replaced(change: Change, holds: str) -> str:
    if change.stays_in_the_account:
        return f"a new one takes its place; the old one stays in the account with {holds}, and nothing points at it"
    if change.policy == "Snapshot":
        return f"a new one takes its place; the old one is deleted after a snapshot of {holds}"
    return f"a new one takes its place; the old one is deleted, and with it {holds}"


def hint(change: Change, changes: tuple[Change, ...]) -> str:
    """What a reviewer should ask when something new of the same type appears: is it a rename, or a move?"""
    if change.after:
        return ""
    new = [it for it in changes if it.kind is Kind.ADDED and it.type == change.type]
    near = [it for it in new if it.stack == change.stack] or new
    if len(near) != 1:
        return ""
    return (
        f"{code(near[0].name)} is new and of the same type: a rename or a move makes an empty one. "
        "Keep the logical id, or move it with `cdk refactor`."
    )


def weakening(found: Weakening) -> str:
    """One protection that is weaker afterwards."""
    return f"{code(found.name)}: {code(found.protection)} {code(found.before)} → {code(found.after)}, {found.says}"


def access_words(access: Access) -> list[str]:
    """A sentence for each change of access; what opens a door for everyone says so."""
    sentences = [
        *map(_grant, access.grants),
        *(
            f"{_few((it.identity,))} {'gets' if it.added else 'loses'} the managed policy {code(it.policy)}"
            for it in access.attachments
        ),
        *map(_door, access.doors),
        *(
            f"{code(name)}: {code(prop)} {code(before)} → {code(after)}"
            for name, prop, before, after in access.others
        ),
    ]
    return list(dict.fromkeys(sentences))


def _grant(grant: Grant) -> str:
    verb = {
        ("Allow", True): "may now",
        ("Allow", False): "may no longer",
        ("Deny", True): "is now refused",
        ("Deny", False): "is no longer refused",
    }.get((grant.effect, grant.added), "gets another statement:" if grant.added else "loses a statement:")
    who, actions, targets = (_few(names) for names in (grant.who, grant.actions, grant.targets))
    who = "anyone" if "*" in grant.who else who or "somebody"
    words = f"{who} {verb} {actions} on {targets}"
    words += ", under a condition" if grant.condition else ""
    return f"**Wide ({', '.join(grant.wide)})**: {words}" if grant.wide and grant.opens else words


def _door(door: Door) -> str:
    may = "" if door.added else "no longer "
    if door.direction == "in":
        words = f"{code(door.group)} {may}lets in {code(door.protocol)} from {code(door.peer)}"
    else:
        words = f"{code(door.group)} {may}lets out {code(door.protocol)} to {code(door.peer)}"
    return f"**Wide**: {words}" if door.wide and door.added else words


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(code, names[:_FEW]))
    return f"{shown} and {len(names) - _FEW} more" if len(names) > _FEW else shown
