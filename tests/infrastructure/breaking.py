"""Mutations of templates, by which a rule is seen to fail."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.infrastructure.assembly import Deployed

Template = dict[str, Any]
Break = Callable[[Template], None]
Rule = Callable[[Deployed], Iterator[str]]
Broken = tuple[Rule, str, Break]
"""The rule that has to notice, the stack that is spoilt, and how."""


def broken(deployed: Deployed, stack: str, break_it: Break) -> Deployed:
    """The environment with one stack spoilt; what was given stays as it is."""
    spoilt: Template = copy.deepcopy(dict(deployed.templates[stack]))
    break_it(spoilt)
    return Deployed(deployed.name, {**deployed.templates, stack: spoilt}, deployed.manifests)


def resources(template: Template, kind: str) -> Iterator[Template]:
    found = [body for body in template["Resources"].values() if body["Type"] == kind]
    assert found, f"no {kind} to break"
    yield from found


def overwrite(kind: str, *keys: str, to: object) -> Break:
    """Overwrite a value in every resource of a kind; a key `0` steps into the first of a list."""

    def apply(template: Template) -> None:
        for resource in resources(template, kind):
            _inner(resource, keys)[keys[-1]] = to

    return apply


def append(kind: str, *keys: str, more: object) -> Break:
    """Add to a list in every resource of a kind; a list that is not there begins with it."""

    def apply(template: Template) -> None:
        for resource in resources(template, kind):
            _inner(resource, keys).setdefault(keys[-1], []).append(more)

    return apply


def drop(kind: str, *keys: str) -> Break:
    def apply(template: Template) -> None:
        for resource in resources(template, kind):
            _inner(resource, keys).pop(keys[-1], None)

    return apply


def remove(kind: str) -> Break:
    def apply(template: Template) -> None:
        names = [name for name, body in template["Resources"].items() if body["Type"] == kind]
        assert names, f"no {kind} to remove"
        for name in names:
            del template["Resources"][name]

    return apply


def add(kind: str, **properties: object) -> Break:
    """One more resource."""

    def apply(template: Template) -> None:
        template["Resources"]["Added"] = {"Type": kind, "Properties": properties}

    return apply


def grant(action: str | list[str], kind: str = "AWS::IAM::Policy", **more: object) -> Break:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*", **more}
    return append(kind, "Properties", "PolicyDocument", "Statement", more=statement)


def grant_all_but(action: str, what: str = "NotAction") -> Break:
    """Everything but one action, or one action on everything but one resource."""
    one = {"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::one"}
    but = {"NotAction": action, "Resource": "arn:aws:s3:::one"} if what == "NotAction" else one
    return append(
        "AWS::IAM::Policy", "Properties", "PolicyDocument", "Statement", more={"Effect": "Allow", **but}
    )


def tell(name: str, value: object) -> Break:
    def apply(template: Template) -> None:
        for task in resources(template, "AWS::ECS::TaskDefinition"):
            for container in task["Properties"]["ContainerDefinitions"]:
                container["Environment"].append({"Name": name, "Value": value})

    return apply


def let_anyone(principal: object) -> Break:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Principal": principal, "Resource": "*"}
    return append("AWS::S3::BucketPolicy", "Properties", "PolicyDocument", "Statement", more=statement)


def _inner(resource: Template, keys: tuple[str, ...]) -> Any:
    inner: Any = resource
    for key in keys[:-1]:
        inner = inner[0] if key == "0" else inner[key]
    return inner
