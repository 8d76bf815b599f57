"""Writes the reviewer's comment: destroyed and replaced resources first, plain modifications last."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from operations.difference.approved_replacements import ApprovedReplacement
from operations.difference.changes import ENDS, Altered, Change, Kind
from operations.difference.markdown import LONGEST_COMMENT, Part, cell, code, fitting, plain
from operations.difference.review import Cost, Presence, Review
from operations.difference.words import access_words, fate, hint, kind_of, weakening, why

_FEW: Final = 4
"""Names in one line; the rest is counted."""
_MANY: Final = 30
"""Values in one cell; a row must not take the room of all others."""
_ORDINARY: Final = re.compile(r"[A-Za-z0-9-]+")


def marker(environment: str) -> str:
    """The line by which a pipeline finds its own comment again."""
    return f"<!-- amply-difference:{environment} -->"


def write(review: Review, *, limit: int | None = LONGEST_COMMENT) -> str:
    """The comment of one environment, at most `limit` characters."""
    parts = [
        Part(head=[marker(review.environment), f"## {review.environment}: {_headline(review)}", ""]),
        *_ends(review),
        *_data(review),
        *_watching(review),
        *_access(review),
        *_built(review),
        *_everything(review),
        *_approvals(review),
        Part(head=[_cost(review.cost)]),
    ]
    return fitting(parts, limit=limit)


def _headline(review: Review) -> str:
    if review.endangering:
        return _endangered(len(review.endangering), len(review.blocking))
    if review.presence is Presence.NEW:
        return "a new environment"
    if not (review.changes or review.sections or review.built.images or review.built.contents):
        return "no difference"
    safe = "nothing that holds data is replaced or destroyed"
    weaker = len(review.weakened)
    if weaker:
        return f"{safe}, but {_count(weaker, 'protection')} {'weakens' if weaker == 1 else 'weaken'}"
    return safe


def _endangered(all_of_them: int, blocking: int) -> str:
    they = "resource that holds data is" if all_of_them == 1 else "resources that hold data are"
    ends = f"{all_of_them} {they} replaced or destroyed"
    if not blocking:
        return f"{ends}, as agreed"
    which = f"{blocking} of them" if blocking < all_of_them else "it" if all_of_them == 1 else "them"
    return f"{ends}, and no approval names {which}"


def _ends(review: Review) -> Iterator[Part]:
    if review.endangering:
        yield Part(
            head=["| what happens | to | why | approval |", "|---|---|---|---|"],
            rows=[_end(change, review) for change in review.endangering],
            tail=[""],
        )
    yield from _how_to_agree(review)
    others = [it for it in review.changes if it.kind in ENDS and not it.holds_data]
    replaced = [code(it.name) for it in others if it.after]
    if replaced:
        yield Part(head=[f"Also replaced, holding no data: {_some(replaced)}.", ""])
    if removed := len(others) - len(replaced):
        yield Part(head=[f"Also removed, holding no data: {removed}, in the list below.", ""])


def _end(change: Change, review: Review) -> str:
    approval = review.approved.used.get((change.stack, change.logical_id))
    agreed = f"until {approval.until}: {cell(approval.reason)}" if approval else "**none**"
    resource = f"{cell(change.name)} ({kind_of(change)}, {cell(change.logical_id)})"
    reason = why(change, review.names).replace("|", "\\|")
    return f"| **{change.kind}** | {resource} | {reason} | {agreed} |"


def _how_to_agree(review: Review) -> Iterator[Part]:
    """An entry to copy, for ids that are what CloudFormation allows; others have no business in an approval."""
    places = [
        (it.stack, it.logical_id)
        for it in review.blocking
        if _ORDINARY.fullmatch(it.stack) and _ORDINARY.fullmatch(it.logical_id)
    ]
    if not places:
        return
    entries = [
        f"[[replacement]]\nenvironment = {json.dumps(review.environment)}\nstack = {json.dumps(stack)}\n"
        f'logical_id = {json.dumps(logical_id)}\nreason = ""\nuntil = YYYY-MM-DD\n'
        for stack, logical_id in places
    ]
    summary = "<details><summary>If this is meant: what to add to the approved replacements, with a reason and a last day</summary>"
    yield Part(head=[summary, "", "```toml"], rows=entries, tail=["```", "", "</details>", ""])


def _data(review: Review) -> Iterator[Part]:
    rows = [
        f"- {code(change.name)}: {fate(change)}. {hint(change, review.changes)}".rstrip()
        for change in review.endangering
    ]
    rows += [f"- {weakening(found)}." for found in review.weakened]
    if rows:
        yield Part(head=["### Data at risk", ""], rows=rows, tail=[""])


def _watching(review: Review) -> Iterator[Part]:
    rows = [f"- {code(it.name)} ({it.kind}) {it.says}{_by(it.altered)}." for it in review.silenced]
    if rows:
        yield Part(head=["### Watched less", ""], rows=rows, tail=[""])


def _by(altered: Altered | None) -> str:
    if altered is None:
        return ""
    return f": {code(altered.name)} {code(altered.before)} → {code(altered.after)}"


def _access(review: Review) -> Iterator[Part]:
    found = review.access
    if not found.changes:
        return
    yield Part(
        head=["### Who may do what", ""], rows=[f"- {words}." for words in access_words(found)], tail=[""]
    )
    if found.grants:
        yield Part(
            head=[
                "<details><summary>IAM statements</summary>",
                "",
                "| | effect | who | what | on | if |",
                "|---|---|---|---|---|---|",
            ],
            rows=[
                f"| {_sign(it.added)} | {cell(it.effect)} | {_cells(it.who)} | {_cells(it.actions)} "
                f"| {_cells(it.targets)} | {cell(it.condition) if it.condition else ''} |"
                for it in found.grants
            ],
            tail=["", "</details>", ""],
        )
    if found.doors:
        yield Part(
            head=[
                "<details><summary>Security groups</summary>",
                "",
                "| | group | direction | protocol | peer |",
                "|---|---|---|---|---|",
            ],
            rows=[
                f"| {_sign(it.added)} | {cell(it.group)} | {it.direction} | {cell(it.protocol)} | {cell(it.peer)} |"
                for it in found.doors
            ],
            tail=["", "</details>", ""],
        )


def _built(review: Review) -> Iterator[Part]:
    rows = [
        f"- image: {code(it.before)} → {code(it.after)} ({_count(it.tasks, 'task')})"
        for it in review.built.images
    ]
    names = [code(review.names.name(*place)) for place in review.built.contents]
    rows += [f"- code or content: {_some(names)}"] if names else []
    if rows:
        yield Part(head=["### Built anew", ""], rows=rows, tail=[""])


def _everything(review: Review) -> Iterator[Part]:
    if review.sections:
        sections = [f"{section} of {code(stack)}" for stack, section in review.sections]
        yield Part(head=[f"Also changed, beside resources: {_some(sections)}.", ""])
    if not review.changes:
        return
    kinds = Counter(change.kind for change in review.changes)
    summary = ", ".join(f"{kinds[kind]} {kind}" for kind in Kind if kinds[kind])
    rows = [
        f"- {change.kind} {code(change.name)} ({code(change.type)}){_details(change, review)}"
        for change in sorted(review.changes, key=lambda it: (it.stack, it.name))
    ]
    yield Part(
        head=[f"<details><summary>All resources: {summary}</summary>", ""],
        rows=rows,
        tail=["", "</details>", ""],
    )


def _details(change: Change, review: Review) -> str:
    told = [_altered(it, change.stack, review) for it in change.altered]
    return f": {_some(told, ends='; ')}" if told else ""


def _altered(altered: Altered, stack: str, review: Review) -> str:
    if isinstance(altered.before, (dict, list)) and isinstance(altered.after, (dict, list)):
        return code(altered.name)  # the two are too long to be read beside each other
    before, after = (review.names.spelled(stack, plain(it)) for it in (altered.before, altered.after))
    return f"{code(altered.name)} {code(before)} → {code(after)}"


def _approvals(review: Review) -> Iterator[Part]:
    approvals = review.approved
    rows = [f"- expired on {it.until}, covers nothing: {_place(it)}" for it in approvals.expired]
    rows += [f"- unused, take it out: {_place(it)}" for it in approvals.unused]
    if rows:
        yield Part(head=["### Approvals", ""], rows=rows, tail=[""])


def _place(approval: ApprovedReplacement) -> str:
    return code(f"{approval.stack}/{approval.logical_id}")


def _cost(cost: Cost | str) -> str:
    if isinstance(cost, str):
        return f"Monthly cost: not computed{f', {code(cost)}' if cost else ''}."
    difference = cost.after - cost.before
    return f"Monthly cost: {cost.before:,.2f} → {cost.after:,.2f} USD ({difference:+,.2f})."


def _sign(added: bool) -> str:  # noqa: FBT001 -- maps over a column
    return "+" if added else "-"


def _cells(values: tuple[str, ...]) -> str:
    more = len(values) - _MANY
    return "<br>".join(map(cell, values[:_MANY])) + (f"<br>and {more} more" if more > 0 else "")


def _some(told: list[str], *, ends: str = ", ") -> str:
    more = len(told) - _FEW
    return ends.join(told[:_FEW]) + (f"{ends}and {more} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
