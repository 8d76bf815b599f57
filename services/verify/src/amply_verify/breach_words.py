"""Breaches that an audit found, each by the names of its entries: in a sentence, as lines and as a document."""

from typing import Any, Final

from amply_verify.auditing.reversals import Breach, Breaches

MAX_IN_A_SENTENCE: Final = 5
"""How many breaches the sentence of a refusal names; the lines and the document name more."""


def breaches_in_words(breaches: Breaches) -> str:
    """Say how many there are, and name the first ones."""
    first = breaches.told[:MAX_IN_A_SENTENCE]
    more = breaches.count - len(first)
    told = "; ".join(map(_in_words, first)) + (f"; and {more} more" if more else "")
    if breaches.count == 1:
        return told
    return f"{breaches.count} entries took back more than was given: {told}"


def breach_lines(breaches: Breaches) -> list[tuple[str, str]]:
    """One line for each, and one for those that are only counted."""
    lines = [("breach", _in_words(breach)) for breach in breaches.told]
    if breaches.count > len(breaches.told):
        lines.append(
            ("breaches", f"{breaches.count} in all, and only the first {len(breaches.told)} are told")
        )
    return lines


def breach_document(breach: Breach) -> dict[str, Any]:
    """One breach: the entry that took, the one it took from, and where that is too much (minor units, as strings)."""
    return {
        "entry": breach.entry,
        "by": breach.by,
        "index": breach.index,
        "accounts": [
            {
                "account": excess.account,
                "currency": excess.currency,
                "side": excess.side,
                "given": str(excess.given),
                "taken": str(excess.taken),
            }
            for excess in breach.excesses
        ],
    }


def _in_words(breach: Breach) -> str:
    """Name the two entries; every account of a breach is in the document, and one is enough to find it."""
    first = breach.excesses[0]
    return (
        f"with {breach.by} (entry {breach.index}), {first.taken} minor units of {first.currency} have been taken back "
        f"on {first.account} from {breach.entry}, which moved {first.given}"
    )
