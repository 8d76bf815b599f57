"""What a certificate lets a terminal do, and that everybody means the same names."""

import re
from collections.abc import Mapping
from typing import Any

from amply_terminals import handed
from amply_terminals.told import Kind
from operations.terminals.registry import KINDS as OFFERED
from operations.terminals.registry import TERMINAL, Registry
from stacks.lake.terminal_contract import KINDS, rights, rule_sql, terminals_name, topics
from tests.terminals.terminal_world import LOBBY, ORGANIZATION

ITSELF = "${iot:Connection.Thing.ThingName}"


def _statements() -> Mapping[str, Any]:
    policy = rights("sandbox", lambda kind, name: f"arn:aws:iot:eu-west-1:111111111111:{kind}/{name}")
    return {statement["Action"]: statement for statement in policy["Statement"]}


def test_a_terminal_connects_and_publishes_and_nothing_else() -> None:
    assert set(_statements()) == {"iot:Connect", "iot:Publish"}


def test_it_connects_as_itself_alone_and_only_while_it_has_the_certificate() -> None:
    connect = _statements()["iot:Connect"]
    assert connect["Resource"].endswith(f":client/{ITSELF}")
    assert connect["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}


def test_it_publishes_on_its_own_two_topics_without_a_wildcard() -> None:
    published = _statements()["iot:Publish"]["Resource"]
    assert [arn.partition(":topic/")[2] for arn in published] == [
        f"amply-sandbox/terminals/{ITSELF}/{kind}" for kind in KINDS
    ]
    assert not any(set("*+#?") & set(arn) for arn in published)


def test_the_rule_reads_its_own_environments_topics_and_nothing_of_a_payload() -> None:
    selected, _, source = rule_sql("sandbox").partition(" FROM ")
    assert source == "'amply-sandbox/terminals/+/+'"
    assert re.findall(r"AS (\w+)", selected) == [
        *("terminal", "kind", "client", "principal", "received_ms", "payload")
    ]
    taken = re.sub(r"\bAS \w+|SELECT|'base64'", "", selected)
    assert set(re.findall(r"[a-z_]+", taken)) == {"topic", "clientid", "principal", "timestamp", "encode"}
    assert topics("sandbox", LOBBY).split("/")[2] == LOBBY


def test_the_stack_the_function_and_the_operators_command_mean_the_same() -> None:
    assert list(KINDS) == list(OFFERED) == [kind.value for kind in Kind]
    assert Registry(iot=None, environment="sandbox").name == terminals_name("sandbox")
    unnamed = re.sub(r"\?P<\w+>", "", handed.TERMINAL.pattern).replace("(", "").replace(")", "")
    assert unnamed == TERMINAL.pattern
    assert TERMINAL.fullmatch(f"{ORGANIZATION}:lobby")
