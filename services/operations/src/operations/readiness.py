"""Checks from its assembly that an environment is configured completely, before anything is deployed.

A stack whose environment still has placeholders carries a rule that nothing fulfils, with the sentence that says so
(`stacks/workers.py`), and so does the first stack of an environment without an image (`stacks/network.py`). CloudFormation would refuse that stack; by then the ones below it would have been changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from operations.assembly import Deployed

_EQUALS: Final = "Fn::Equals"


class NotFinishedError(Exception):
    """Something real is missing; the message has a line for each placeholder, and says what to do."""


def refuse_unfinished(deployed: Deployed) -> None:
    """Pass when every rule of every stack can be fulfilled.

    Raises:
        NotFinishedError: One cannot.
    """
    if sentences := list(unfinished(deployed)):
        raise NotFinishedError("\n".join(sentences))


def unfinished(deployed: Deployed) -> Iterator[str]:
    """What the rules say that compare two different constants, whatever they are given."""
    for template in deployed.templates.values():
        for rule in template.get("Rules", {}).values():
            for assertion in rule["Assertions"]:
                if _never_holds(assertion["Assert"]):
                    yield str(assertion["AssertDescription"])


def _never_holds(condition: Mapping[str, Any]) -> bool:
    both = condition.get(_EQUALS, [])
    return all(isinstance(one, str) for one in both) and len(set(both)) > 1
