"""Removes from templates what differs in every build without effect: digests and metadata.

Only known places are quietened. A digest anywhere else, above all on what holds data, is a change like any other.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.assembly import Deployed
from operations.difference.vendor import Template

TASK: Final = "AWS::ECS::TaskDefinition"
BUILT: Final[Mapping[str, str]] = {
    "AWS::Lambda::Function": "Code",
    "AWS::Lambda::LayerVersion": "Content",
    "AWS::SSM::Parameter": "Value",
    "AWS::Synthetics::Canary": "Code",
    "Custom::CDKBucketDeployment": "SourceObjectKeys",
}
"""Where a type carries the digest of what was built for it."""
_UNTOLD: Final = ("AWS::CDK::Metadata",)
_BOOTSTRAP: Final = "BootstrapVersion"
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")
_SHOWN: Final = 12
"""Hexadecimal digits; enough to tell two builds apart."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A changed container image, and the number of tasks with it."""

    before: str
    after: str
    tasks: int


@dataclass(frozen=True, kw_only=True)
class Built:
    """Rebuilt artifacts: images, and resources whose code or content changed."""

    images: tuple[Image, ...]
    contents: tuple[tuple[str, str], ...]
    """Stack id and logical id."""


def quiet(template: Template) -> Template:
    """The template without metadata and without the digests of what was built."""
    parameters = {name: told for name, told in template.get("Parameters", {}).items() if name != _BOOTSTRAP}
    resources = {
        logical_id: _quiet_resource(body)
        for logical_id, body in template.get("Resources", {}).items()
        if body.get("Type") not in _UNTOLD
    }
    untold = ("Metadata", "Rules", "Parameters", "Resources")
    kept = {section: told for section, told in template.items() if section not in untold}
    return {**kept, "Parameters": parameters, "Resources": resources}


def built(before: Deployed, after: Deployed) -> Built:
    """Compare the digests that `quiet` takes out."""
    images: Counter[tuple[str, str]] = Counter()
    contents: list[tuple[str, str]] = []
    for stack, logical_id, old, new in _in_both(before, after):
        if new["Type"] == TASK:
            images.update(_changed_images(old, new))
        elif (place := BUILT.get(new["Type"])) and _only_digests_differ(old, new, place):
            contents.append((stack, logical_id))
    return Built(
        images=tuple(Image(before=a, after=b, tasks=n) for (a, b), n in sorted(images.items())),
        contents=tuple(contents),
    )


def _in_both(before: Deployed, after: Deployed) -> Iterator[tuple[str, str, Template, Template]]:
    for stack, template in after.templates.items():
        earlier = before.templates.get(stack, {}).get("Resources", {})
        for logical_id, new in template.get("Resources", {}).items():
            old = earlier.get(logical_id)
            if old and old["Type"] == new["Type"]:
                yield stack, logical_id, old, new


def _quiet_resource(body: Template) -> Template:
    told = {name: value for name, value in body.items() if name != "Metadata"}
    properties = dict(body.get("Properties", {}))
    if body["Type"] == TASK:
        containers = properties.get("ContainerDefinitions", [])
        properties["ContainerDefinitions"] = [
            {**container, "Image": _repository(container)} for container in containers
        ]
    elif (place := BUILT.get(body["Type"])) and place in properties:
        properties[place] = _blank(properties[place])
    return {**told, "Properties": properties}


def _blank(value: Any) -> Any:
    match value:
        case str():
            return _DIGEST.sub("(digest)", value)
        case list():
            return [_blank(inner) for inner in value]
        case dict():
            return {key: _blank(inner) for key, inner in value.items()}
        case _:
            return value


def _only_digests_differ(old: Template, new: Template, place: str) -> bool:
    was, becomes = (body.get("Properties", {}).get(place) for body in (old, new))
    return bool(was != becomes and _blank(was) == _blank(becomes))


def _changed_images(old: Template, new: Template) -> Iterator[tuple[str, str]]:
    was = {container.get("Name"): container for container in _containers(old)}
    for container in _containers(new):
        earlier = was.get(container.get("Name"))
        if earlier is not None and _digest(earlier) != _digest(container):
            yield _digest(earlier), _digest(container)


def _containers(task: Template) -> list[Template]:
    return list(task.get("Properties", {}).get("ContainerDefinitions", []))


def _repository(container: Template) -> str:
    return _text(container.get("Image")).partition("@")[0]


def _digest(container: Template) -> str:
    """`sha256:` and the first digits; a parameter's name where the template asks for the digest."""
    digest = _text(container.get("Image")).partition("@")[2]
    return _DIGEST.sub(lambda found: found.group()[:_SHOWN], digest) or "no digest"


def _text(image: Any) -> str:
    match image:
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(map(_text, parts))
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case _:
            return str(image)
