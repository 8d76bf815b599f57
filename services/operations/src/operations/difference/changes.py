"""Changes of each resource of an environment. Pure, given two environments and a comparison of templates."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from operations.assembly import Deployed
from operations.difference.holdings import HOLDINGS, REVISIONS, SOME_INTERRUPTION
from operations.difference.quiet import quiet
from operations.difference.references import Names, Place, resolved
from operations.difference.vendor import Effect, Impact, Pair, StackDiff, Template

Compare = Callable[[Mapping[str, Pair]], Mapping[str, StackDiff]]

_EMPTY: Final[Template] = {"Resources": {}}
_STAYS: Final = ("Retain", "RetainExceptOnCreate")
_SNAPSHOT_BY_DEFAULT: Final = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
_STRENGTH: Final = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}


class Kind(StrEnum):
    """In the words a reviewer reads."""

    ADDED = "added"
    UPDATED = "changed"
    RENEWED = "made anew"
    REPLACED = "replaced"
    MAY_BE_REPLACED = "may be replaced"
    DESTROYED = "destroyed"
    MAY_BE_DESTROYED = "may be destroyed"
    ORPHANED = "orphaned"


ENDS: Final = frozenset(Kind) - {Kind.ADDED, Kind.UPDATED, Kind.RENEWED}
"""The physical resource is, or may be, no longer the one this environment uses."""

_KINDS: Final[Mapping[Impact, Kind]] = {
    Impact.CREATE: Kind.ADDED,
    Impact.UPDATE: Kind.UPDATED,
    Impact.NONE: Kind.UPDATED,
    Impact.REPLACE: Kind.REPLACED,
    Impact.MAY_REPLACE: Kind.MAY_BE_REPLACED,
    Impact.DESTROY: Kind.DESTROYED,
    Impact.ORPHAN: Kind.ORPHANED,
}


@dataclass(frozen=True, kw_only=True)
class Altered:
    """One changed property or attribute, and whether it replaces the resource."""

    name: str
    before: Any
    after: Any
    replaces: bool


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of one resource; `before` and `after` are its bodies, empty if it does not exist."""

    stack: str
    logical_id: str
    name: str
    type: str
    kind: Kind
    altered: tuple[Altered, ...]
    before: Template
    after: Template
    stack_leaves: bool = False

    @property
    def holds_data(self) -> bool:
        return self.type in HOLDINGS

    @property
    def endangers_data(self) -> bool:
        return self.holds_data and self.kind in ENDS

    @property
    def policy(self) -> str:
        """What CloudFormation does with the old physical resource: Retain, Snapshot or Delete."""
        if self.kind in {Kind.REPLACED, Kind.MAY_BE_REPLACED}:
            named = (self.before.get("UpdateReplacePolicy"), self.after.get("UpdateReplacePolicy"))
            return min((str(policy or "Delete") for policy in named), key=lambda it: _STRENGTH.get(it, 0))
        alone = self.type in _SNAPSHOT_BY_DEFAULT and "DBClusterIdentifier" not in self.before.get(
            "Properties", {}
        )
        return str(self.before.get("DeletionPolicy", "Snapshot" if alone else "Delete"))

    @property
    def stays_in_the_account(self) -> bool:
        return self.policy in _STAYS


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All changes of an environment, and what the library says of access in each stack.

    `sections` are parts of templates beside the resources that differ, as stack id and section.
    """

    changes: tuple[Change, ...]
    sections: tuple[tuple[str, str], ...]
    diffs: Mapping[str, StackDiff]
    names: Names


def compare_environments(before: Deployed, after: Deployed, compare: Compare) -> Comparison:
    """Compare two states of one environment."""
    pairs = _pairs(before, after)
    diffs = compare(_differing(pairs))
    names = Names.of(before, after)
    found = {
        (change.stack, change.logical_id): change
        for stack, diff in diffs.items()
        for change in _changes(stack, pairs[stack], diff, names)
    }
    found |= _carried(before, after, found, compare, names)
    settled = [
        replace(change, stack_leaves=_leaves(change.stack, before, after)) for change in found.values()
    ]
    return Comparison(
        changes=tuple(_with_revisions(settled)),
        sections=tuple(_sections(pairs)),
        diffs=diffs,
        names=names,
    )


def _pairs(before: Deployed, after: Deployed, replaced: Collection[Place] = ()) -> Mapping[str, Pair]:
    old, new = resolved(before), resolved(after, replaced)
    stays = {stack: template for stack, template in new.items() if not _leaves(stack, before, after)}
    return {
        stack: Pair(before=quiet(old.get(stack, _EMPTY)), after=quiet(stays.get(stack, _EMPTY)))
        for stack in [*new, *(stack for stack in old if stack not in new)]
    }


def _leaves(stack: str, before: Deployed, after: Deployed) -> bool:
    """The stack that is deployed gets no update: it is not in the app, or stands in another account or region there."""
    if stack not in before.templates or stack not in after.templates:
        return stack in before.templates
    return bool(before.manifests[stack].get("environment") != after.manifests[stack].get("environment"))


def _sections(pairs: Mapping[str, Pair]) -> Iterator[tuple[str, str]]:
    for stack, pair in pairs.items():
        for section in sorted(pair.before.keys() | pair.after.keys()):
            both = pair.before["Resources"] and pair.after["Resources"]
            if both and section != "Resources" and pair.before.get(section) != pair.after.get(section):
                yield stack, section.lower()


def _differing(pairs: Mapping[str, Pair]) -> Mapping[str, Pair]:
    return {stack: pair for stack, pair in pairs.items() if pair.before != pair.after}


def _carried(
    before: Deployed, after: Deployed, found: Mapping[Place, Change], compare: Compare, names: Names
) -> Mapping[Place, Change]:
    """The replacements that replacements bring with them, in their own and in other stacks, until there are no more."""
    plain = _pairs(before, after)
    known: dict[Place, Change] = {}
    replaced = {place for place, change in found.items() if change.kind is Kind.REPLACED}
    while replaced:
        pairs = _pairs(before, after, replaced)
        fresh = {
            (change.stack, change.logical_id): _unmarked(change, plain[stack])
            for stack, diff in compare(_differing(pairs)).items()
            for change in _changes(stack, pairs[stack], diff, names)
            if change.kind in {Kind.REPLACED, Kind.MAY_BE_REPLACED}
        }
        known |= fresh
        more = {place for place, change in fresh.items() if change.kind is Kind.REPLACED} - replaced
        if not more:
            break
        replaced |= more
    return known


def _unmarked(change: Change, pair: Pair) -> Change:
    """With the bodies that the templates hold: only `altered` tells what points at something replaced."""
    old, new = (template["Resources"].get(change.logical_id, {}) for template in (pair.before, pair.after))
    return replace(change, before=old, after=new)


def _changes(stack: str, pair: Pair, diff: StackDiff, names: Names) -> Iterator[Change]:
    conditional = _conditions_change(pair)
    for effect in diff.effects:
        old, new = (
            template["Resources"].get(effect.logical_id, {}) for template in (pair.before, pair.after)
        )
        kind = (old or new)["Type"]
        yield Change(
            stack=stack,
            logical_id=effect.logical_id,
            name=names.name(stack, effect.logical_id),
            type=kind,
            kind=_kind(effect, kind, conditional=effect.logical_id in conditional),
            altered=tuple(_altered(effect, kind, old, new)),
            before=old,
            after=new,
        )
    told = {effect.logical_id for effect in diff.effects}
    for logical_id in conditional - told:
        yield _only_its_condition(stack, logical_id, pair, names)


def _kind(effect: Effect, kind: str, *, conditional: bool) -> Kind:
    found = _KINDS[effect.impact]
    if found is Kind.MAY_BE_REPLACED and not any(
        _replaces(kind, name, impact) for name, impact in effect.properties.items()
    ):
        found = Kind.UPDATED
    if found is Kind.UPDATED and conditional:
        return Kind.MAY_BE_DESTROYED
    return Kind.RENEWED if found is Kind.REPLACED and kind in REVISIONS else found


def _replaces(kind: str, name: str, impact: Impact) -> bool:
    may = impact is Impact.MAY_REPLACE and (kind, name) not in SOME_INTERRUPTION
    return may or impact is Impact.REPLACE


def _altered(effect: Effect, kind: str, old: Template, new: Template) -> Iterator[Altered]:
    if not (old and new):
        return
    was, becomes = old.get("Properties", {}), new.get("Properties", {})
    if old["Type"] != new["Type"]:
        yield Altered(name="Type", before=old["Type"], after=new["Type"], replaces=True)
    for name, impact in effect.properties.items():
        replaces = _replaces(kind, name, impact)
        yield Altered(name=name, before=was.get(name), after=becomes.get(name), replaces=replaces)
    for name in effect.attributes:
        yield Altered(name=name, before=old.get(name), after=new.get(name), replaces=False)


def _conditions_change(pair: Pair) -> frozenset[str]:
    """What exists only under a condition that is new or means something else now; templates do not tell which way."""
    old, new = (template.get("Conditions", {}) for template in (pair.before, pair.after))
    found = set()
    for logical_id, body in pair.after["Resources"].items():
        earlier = pair.before["Resources"].get(logical_id)
        condition = body.get("Condition")
        if earlier and condition:
            known = earlier.get("Condition") == condition and old.get(condition) == new.get(condition)
            found |= set() if known else {logical_id}
    return frozenset(found)


def _only_its_condition(stack: str, logical_id: str, pair: Pair, names: Names) -> Change:
    old, new = (template["Resources"][logical_id] for template in (pair.before, pair.after))
    return Change(
        stack=stack,
        logical_id=logical_id,
        name=names.name(stack, logical_id),
        type=new["Type"],
        kind=Kind.MAY_BE_DESTROYED,
        altered=(),
        before=old,
        after=new,
    )


def _with_revisions(changes: list[Change]) -> Iterator[Change]:
    """Pair what goes with what comes in the same place of the code: an id made from the content, not a loss."""
    coming = {(change.stack, change.type, change.name): change for change in changes if not change.before}
    paired = {
        (going.stack, going.logical_id): coming[going.stack, going.type, going.name]
        for going in changes
        if not going.after and not going.holds_data and (going.stack, going.type, going.name) in coming
    }
    arrived = {(change.stack, change.logical_id) for change in paired.values()}
    for change in changes:
        place = (change.stack, change.logical_id)
        if place in paired:
            yield replace(change, kind=Kind.RENEWED, after=paired[place].after)
        elif place not in arrived:
            yield change
