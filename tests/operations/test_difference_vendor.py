"""What we say of types is at least what their vendor says."""

import json
import subprocess

from operations.difference.guards import GUARDS
from operations.difference.holdings import HOLDINGS, SOME_INTERRUPTION
from tests.infrastructure.assembly import ROOT

ASKED = """
const { loadAwsServiceSpecSync } = require('@aws-cdk/aws-service-spec');
const types = [...loadAwsServiceSpecSync().all('resource')];
const modes = ({ properties }) => Object.fromEntries(
  Object.entries(properties).map(([name, { causesReplacement }]) => [name, causesReplacement ?? 'no']));
console.log(JSON.stringify(Object.fromEntries(
  types.map((it) => [it.cloudFormationType, { stateful: it.isStateful ?? false, modes: modes(it) }]))));
"""


def _registry() -> dict[str, dict[str, object]]:
    asked = subprocess.run(["node", "-e", ASKED], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, object]] = json.loads(asked.stdout)
    return found


def test_our_words_on_types_agree_with_the_registry() -> None:
    registry = _registry()
    assert {name for name, told in registry.items() if told["stateful"]} - HOLDINGS.keys() == set()
    assert (HOLDINGS.keys() | GUARDS.keys()) - registry.keys() == set()
    for name, guards in GUARDS.items():
        modes = registry[name]["modes"]
        assert isinstance(modes, dict)
        assert {guard.path.split(".")[0] for guard in guards} - modes.keys() == set(), name
    for name, prop in SOME_INTERRUPTION:
        modes = registry[name]["modes"]
        assert isinstance(modes, dict)
        assert modes[prop] == "maybe"
