"""Deletes a sandbox's stacks in dependency order."""

from collections.abc import Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from operations.sandboxes.cloud import Cloud, NotRemovedError
from operations.sandboxes.leases import Sandbox, Stack, producers


def order(sandbox: Sandbox, cloud: Cloud) -> Sequence[Stack]:
    """The sandbox's stacks, each before those whose outputs it reads.

    Raises:
        NotRemovedError: Some of them is protected, or they read from each other in a circle.
        UnreachableError: A template could not be read.
    """
    if sandbox.protected:
        names = ", ".join(stack.name for stack in sandbox.protected)
        raise NotRemovedError(f"{sandbox.name} is left alone: {names} is protected from termination.")
    known = {(stack.region, stack.name): stack for stack in sandbox.stacks}
    graph: Mapping[tuple[str, str], set[tuple[str, str]]] = {
        place: {
            (region or stack.region, name)
            for region, name in producers(cloud.template(stack))
            if (region or stack.region, name) in known
        }
        for place, stack in known.items()
    }
    try:
        above_last = list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        raise NotRemovedError(f"{sandbox.name} is left alone: its stacks read from each other.") from circle
    return [known[place] for place in reversed(above_last)]


def take_away(sandbox: Sandbox, cloud: Cloud, say: Callable[[str], None]) -> None:
    """One stack after the other. Stops at the first that stays: what it reads from must stay with it.

    Raises:
        NotRemovedError: As `order` says, or a stack could not be deleted.
        UnreachableError: As `order` says.
    """
    for stack in order(sandbox, cloud):
        cloud.remove(stack)
        say(f"  {stack.name} ({stack.region}) is gone")
