"""Follows references, also between stacks, to find resources affected by a replacement.

Stacks read each other's outputs (`Fn::GetStackOutput`). A subnet group that is replaced leaves the text of its readers
as it was, and the database in it is replaced all the same. The vendor's library looks at one template at a time, and
not into a reference that is part of a longer text (`Fn::Join`).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.assembly import Deployed
from operations.difference.vendor import Template

Place = tuple[str, str]
"""Stack id and logical id."""

REPLACED: Final = " (replaced)"
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z0-9/-]+)( \(replaced\))?(?:\.([A-Za-z0-9.]+))?\}")
SAME_AS_ITS_NAME: Final = frozenset({"Arn", "GroupId"})
"""Attributes a reader need not be told of: they name the resource itself."""


def resolved(deployed: Deployed, replaced: Collection[Place] = ()) -> Mapping[str, Template]:
    """The templates with each reference to another stack's output written as what stands behind that output.

    A reference to one of `replaced`, in its own stack or in another, reads differently from one to what stays.
    """
    outputs = {
        (str(deployed.manifests[stack]["properties"]["stackName"]), name): _qualified(
            output.get("Value"), f"{stack}/", stack, replaced
        )
        for stack, template in deployed.templates.items()
        for name, output in template.get("Outputs", {}).items()
    }
    return {
        stack: {
            **_resolve(template, outputs),
            "Resources": _resolve(_qualified(template.get("Resources", {}), "", stack, replaced), outputs),
        }
        for stack, template in deployed.templates.items()
    }


def _resolve(value: Any, outputs: Mapping[Place, Any]) -> Any:
    match value:
        case {"Fn::GetStackOutput": {"StackName": str(name), "OutputName": str(output)}} if (
            name,
            output,
        ) in outputs:
            return outputs[name, output]
        case dict():
            return {key: _resolve(inner, outputs) for key, inner in value.items()}
        case list():
            return [_resolve(inner, outputs) for inner in value]
        case _:
            return value


def _qualified(value: Any, prefix: str, stack: str, replaced: Collection[Place]) -> Any:
    def far(logical_id: str) -> str:
        return f"{prefix}{logical_id}{REPLACED if (stack, logical_id) in replaced else ''}"

    match value:
        case {"Ref": str(logical_id)} if "::" not in logical_id:
            return {"Ref": far(logical_id)}
        case {"Fn::GetAtt": [str(logical_id), *attribute]}:
            return {"Fn::GetAtt": [far(logical_id), *attribute]}
        case dict():
            return {key: _qualified(inner, prefix, stack, replaced) for key, inner in value.items()}
        case list():
            return [_qualified(inner, prefix, stack, replaced) for inner in value]
        case _:
            return value


@dataclass(frozen=True)
class Names:
    """Resources' names in the code: `storage/Documents`, not `Documents7E5B2978`."""

    paths: Mapping[Place, str]

    @classmethod
    def of(cls, *environments: Deployed) -> "Names":
        return cls({place: path for deployed in environments for place, path in _paths(deployed)})

    def name(self, stack: str, logical_id: str) -> str:
        return self.paths.get((stack, logical_id), f"{stack}/{logical_id}")

    def spelled(self, stack: str, text: str) -> str:
        """The text with its references (`${Documents7E5B2978.Arn}`) written as names."""

        def name(reference: re.Match[str]) -> str:
            target, replaced, attribute = reference.groups()
            there, _, logical_id = target.rpartition("/")
            place = (there or stack, logical_id)
            if place not in self.paths:
                return reference.group()
            shown = "" if attribute is None or attribute in SAME_AS_ITS_NAME else f".{attribute}"
            return f"{self.paths[place]}{replaced or ''}{shown}"

        return _REFERENCE.sub(name, text)


def _paths(deployed: Deployed) -> Iterator[tuple[Place, str]]:
    for resource in deployed.resources():
        stack = resource.stack.removeprefix(f"{deployed.name}/")
        path = resource.path.removeprefix(f"{deployed.name}/").removesuffix("/Resource")
        yield (stack, resource.logical_id), path or f"{stack}/{resource.logical_id}"
