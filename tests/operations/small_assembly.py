"""A small assembly, written as `cdk synth` would."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ACCOUNT = "333333333333"
STACKS: Mapping[str, tuple[str, ...]] = {
    "api": ("network", "database"),
    "network": (),
    "database": ("network",),
    "migrations": ("database",),
    "certificate": (),
}
"""Each with what it depends on; listed out of order, as manifests may."""


def small_assembly(folder: Path, environment: str) -> Path:
    """Five stacks, one of them in another region."""
    assembly = folder / "cdk.out"
    stage = assembly / f"assembly-{environment}"
    stage.mkdir(parents=True)
    artifacts: dict[str, Any] = {}
    for stack, below in STACKS.items():
        template = f"{_artifact(environment, stack)}.template.json"
        (stage / template).write_text(json.dumps({"Resources": {}}))
        artifacts[_artifact(environment, stack)] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{'us-east-1' if stack == 'certificate' else 'eu-west-1'}",
            "properties": {"templateFile": template, "stackName": f"{environment}-{stack}"},
            "dependencies": [*(_artifact(environment, other) for other in below), f"{stack}.assets"],
        }
    (stage / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return assembly


def _artifact(environment: str, stack: str) -> str:
    return f"{environment}{stack}0A1B2C3D"
