"""Stores one message: first its sequence number, then the message, both write-once.

A repetition finds its number taken by the same bytes, and finishes what was left undone. Other bytes under the same
number are never kept beside the first, and never in their place: they are set aside.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from amply_terminals.errors import Reason, RefusedError
from amply_terminals.handed import Handed
from amply_terminals.store import Store
from amply_terminals.told import First, Message

AHEAD: Final = timedelta(minutes=5)
BEHIND: Final = timedelta(days=30)
"""How long a terminal may be without a connection. Numbers are remembered for three times as long (the bucket's 90 days), so
that whatever is repeated after its number is forgotten is too old by then."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`refused` says why it was set aside; otherwise it is kept, and `is_new` says whether it was not before."""

    terminal: str
    kind: str
    is_new: bool
    refused: Reason | None = None


def keep(handed: Handed, *, store: Store) -> Outcome:
    """Keep it or set it aside; repeated, it changes nothing. Raises only what the store raises."""
    try:
        message = Message.of(handed)
        first = _first(message, store)
    except RefusedError as refused:
        is_new = store.put_once(*handed.set_aside(refused))
        return Outcome(
            terminal=handed.topic_terminal[:64],
            kind=handed.topic_kind[:64],
            is_new=is_new,
            refused=refused.reason,
        )
    is_new = store.put_once(*first.kept(message))
    return Outcome(terminal=message.terminal.name, kind=message.kind, is_new=is_new)


def _first(message: Message, store: Store) -> First:
    """What the number was first used for: this message, or one that is the same byte for byte."""
    mine = First.of(message)
    found = store.get(message.number_key)
    if found is None:
        _judge_clock(message)
        if store.put_once(message.number_key, mine.written()):
            return mine
        found = store.get(message.number_key)
    if found is None:
        raise LookupError(f"{message.number_key} was taken and is gone; the message comes again.")
    first = First.read(found)
    if first.sha256 != mine.sha256:
        raise RefusedError(
            Reason.CONTRADICTS, f"Its number was used before for something else, at {first.received_at}."
        )
    return first


def _judge_clock(message: Message) -> None:
    """Against the moment the rule saw it, so that waiting in the queue makes nothing too old."""
    received = message.handed.received_at
    if message.at > received + AHEAD:
        raise RefusedError(Reason.FUTURE, "Its clock is more than five minutes ahead.")
    if message.at < received - BEHIND:
        raise RefusedError(Reason.TOO_OLD, "It is more than thirty days old.")
