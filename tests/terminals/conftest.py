"""The emulated IoT Core with the stack's resources, which enforces the policy of each certificate."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from local_cloud import flags, parts
from local_cloud.settings import ACCOUNT, REGION, Settings
from local_cloud.supervisor.client import Client
from stacks.lake.terminal_contract import rights, rule_sql, terminals_name
from tests.local.deployed import boto_client
from tests.local.free_ports import settings_of_our_own
from tests.terminals.device import Device
from tests.terminals.operating import connect, operate, register

ENVIRONMENT = "sandbox"


@dataclass(frozen=True, kw_only=True)
class World:
    """The emulated account, and the queue that the rule puts messages into."""

    settings: Settings
    queue: str

    def client(self, service: str) -> Any:
        return boto_client(self.settings, service)

    def run(self, *arguments: str) -> Result:
        return operate(self.settings, *arguments)

    def registered(self, folder: Path, terminal: str) -> Path:
        return register(self.settings, ENVIRONMENT, terminal, folder)

    def connect(self, folder: Path, client_id: str) -> Device:
        return connect(self.settings, folder, client_id)

    def handed_over(self) -> list[str]:
        """Bodies that the rule made since the last look."""
        sqs = self.client("sqs")
        found: list[str] = []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker starts the emulator for the whole folder."""
    for item in items:
        if item.path.parent.name == "terminals":
            item.add_marker(pytest.mark.xdist_group("terminals"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = settings_of_our_own(tmp_path_factory.mktemp("terminals"))
    flags.choose(settings, {"AMPLY_FLAGS": "iot"})
    supervisor = Client(run=settings.state, log=settings.log_of("supervisor"))
    supervisor.start()
    cloud = parts.cloud(settings)
    # Only so does the emulator ask policies; `test` is its root.
    supervisor.ensure(replace(cloud, environment={**cloud.environment, "AUTH": "true"}))
    queue = boto_client(settings, "sqs").create_queue(QueueName="messages")["QueueUrl"]
    _make_what_the_stack_makes(settings, queue)
    yield World(settings=settings, queue=queue)
    supervisor.end()


def _make_what_the_stack_makes(settings: Settings, queue: str) -> None:
    """From the same words; that the template says them is held by tests/infrastructure/test_terminals.py."""
    iot = boto_client(settings, "iot")
    document = rights(ENVIRONMENT, lambda kind, name: f"arn:aws:iot:{REGION}:{ACCOUNT}:{kind}/{name}")
    iot.create_policy(policyName=terminals_name(ENVIRONMENT), policyDocument=json.dumps(document))
    iot.create_thing_group(thingGroupName=terminals_name(ENVIRONMENT))
    trust = {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = boto_client(settings, "iam").create_role(
        RoleName="handing",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    iot.create_topic_rule(
        ruleName="told",
        topicRulePayload={
            "sql": rule_sql(ENVIRONMENT),
            "awsIotSqlVersion": "2016-03-23",
            "actions": [{"sqs": {"queueUrl": queue, "roleArn": role, "useBase64": False}}],
        },
    )
