"""The data platform of the local stage, deployed into an emulated cloud by the real command line, and asked as buyers ask.

Every night: what its functions answer is held by tests/marketplace, and that it can be deployed by the gate.
"""

import io
import json
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet as pq
import pytest

from amply_releases.arrivals import Arrival
from amply_terminals.datasets import DATASETS
from amply_terminals.told import First, Kind, Message
from local_cloud import flags, laptop, parts, tasks
from local_cloud.cloud import Cloud
from local_cloud.deployment import Deployment
from local_cloud.supervisor.client import Client
from tests.faults.waiting import until
from tests.local.deployed import boto_client
from tests.local.free_ports import settings_of_our_own
from tests.marketplace.market import KEYS, Buyer, Market
from tests.releases.desk import DAY, FACTS, facts, parquet
from tests.releases.desk import message as arrival
from tests.terminals.operating import connect, operate, register
from tests.terminals.terminal_world import LOBBY, gift, handed

pytestmark = [pytest.mark.enable_socket, pytest.mark.nightly]


class Platform:
    """What is deployed, by the kind of a resource and how its name begins."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def client(self, service: str) -> Any:
        return boto_client(self.cloud.settings, service)

    def physical(self, stack: str, kind: str, begins: str = "") -> str:
        pages = self.cloud.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=f"local-{stack}"
        )
        (found,) = (
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == kind and resource["LogicalResourceId"].startswith(begins)
        )
        return found

    @property
    def api(self) -> str:
        rest = self.physical("marketplace", "AWS::ApiGateway::RestApi")
        return f"{self.cloud.settings.cloud_url}/restapis/{rest}/v1/_user_request_"

    def key(self) -> str:
        """One of the plan, as whoever signs a contract makes it."""
        gateway = self.client("apigateway")
        made = gateway.create_api_key(name="a-contract", enabled=True)
        plan = self.physical("marketplace", "AWS::ApiGateway::UsagePlan")
        gateway.create_usage_plan_key(usagePlanId=plan, keyId=made["id"], keyType="API_KEY")
        return str(gateway.get_api_key(apiKey=made["id"], includeValue=True)["value"])


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    settings = settings_of_our_own(tmp_path_factory.mktemp("platform"))
    supervisor = Client(run=settings.state, log=settings.log_of("supervisor"))
    supervisor.start()
    flags.choose(settings, {"AMPLY_FLAGS": ",".join(flags.ALL)})
    supervisor.ensure(parts.cloud(settings))
    deployment = Deployment(Cloud(settings))
    deployment.bootstrap()
    deployment.deploy()
    yield Platform(deployment.cloud)
    supervisor.end()


@pytest.fixture(scope="module")
def market(platform: Platform) -> Market:
    tables = {
        name: platform.physical("controlplane", "AWS::DynamoDB::Table", name.capitalize()) for name in KEYS
    }
    curated = platform.physical("lake", "AWS::S3::Bucket", "Curated")
    return Market(platform.cloud.settings.cloud_url, tables=tables, bucket=curated)


@pytest.fixture(scope="module")
def buyer(market: Market) -> Buyer:
    return market.sell(market.release([100, 201], [303]))


def _headers(buyer: Buyer, **more: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {buyer.token}", **more}


def test_a_buyer_with_key_and_token_fetches_files_through_the_gateway(
    platform: Platform, buyer: Buyer
) -> None:
    headers = _headers(buyer, **{"x-api-key": platform.key()})
    assert httpx2.get(f"{platform.api}/datasets", headers=_headers(buyer)).status_code == 403
    (dataset,) = httpx2.get(f"{platform.api}/datasets", headers=headers).json()["datasets"]
    linked = httpx2.post(f"{platform.api}/datasets/{dataset['dataset']}/links", headers=headers).json()[
        "links"
    ]
    assert [len(httpx2.get(one["url"]).content) for one in linked] == [one["bytes"] for one in linked]
    (used,) = httpx2.get(f"{platform.api}/usage", headers=headers).json()["usage"]
    assert used["bytes"] == sum(one["bytes"] for one in linked)


def test_the_usage_plan_ends_what_a_key_may_ask(platform: Platform, buyer: Buyer) -> None:
    """With a quota that a test can use up; what the real one is stands in the template."""
    headers = _headers(buyer, **{"x-api-key": platform.key()})
    plan = platform.physical("marketplace", "AWS::ApiGateway::UsagePlan")
    gateway = platform.client("apigateway")

    def allow(requests: int) -> None:
        change = {"op": "replace", "path": "/quota/limit", "value": str(requests)}
        gateway.update_usage_plan(usagePlanId=plan, patchOperations=[change])

    allowed = gateway.get_usage_plan(usagePlanId=plan)["quota"]["limit"]
    allow(2)
    statuses = [httpx2.get(f"{platform.api}/usage", headers=headers).status_code for _ in range(3)]
    allow(allowed)
    assert allowed == 100_000
    assert statuses == [200, 200, 429]


def test_delta_sharing_is_answered_by_the_same_gateway(platform: Platform, buyer: Buyer) -> None:
    path = f"{platform.api}/delta-sharing/shares/{buyer.contract}/schemas/released/tables/{buyer.datasets[0]}"
    answer = httpx2.post(f"{path}/query", headers=_headers(buyer), json={})
    assert answer.headers["Delta-Table-Version"] == "1"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [next(iter(line)) for line in lines] == ["protocol", "metaData", "file", "file"]


class Process:
    """The task `releases` as a process, told what its deployed definition says."""

    def __init__(self, platform: Platform, log: Path) -> None:
        settings = platform.cloud.settings
        (self._task,) = (task for task in tasks.services(platform.cloud) if task.name == "releases")
        told = tasks.environment(self._task, cloud=platform.cloud, laptop=laptop.of(settings, {}))
        self._told = {**told, "TMPDIR": str(log.parent)}  # who is killed clears nothing away
        self._log = log
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._task.command, env=self._told, cwd=self._log.parent, stdout=log, stderr=log
            )

    def kill(self) -> None:
        if self._running:
            self._running.kill()
            self._running.wait()

    def named(self, variable: str) -> str:
        return self._told[variable]

    def said(self) -> list[str]:
        return [json.loads(line)["event"] for line in self._log.read_text().splitlines()]


@pytest.fixture
def process(platform: Platform, tmp_path: Path) -> Iterator[Process]:
    made = Process(platform, tmp_path / "releases.log")
    yield made
    made.kill()


def test_what_comes_in_is_released_though_the_process_is_killed_half_way(
    platform: Platform, market: Market, process: Process
) -> None:
    donors = range(5_000)
    dynamodb, s3 = platform.client("dynamodb"), platform.client("s3")
    consents, datasets = process.named("AMPLY_LAKE_CONSENT_TABLE"), process.named("AMPLY_LAKE_DATASETS_TABLE")
    ledger = process.named("AMPLY_LAKE_LEDGER_BUCKET")
    for first in range(0, len(donors), 25):
        given = [
            {"PutRequest": {"Item": {name: {"S": value} for name, value in _given(number).items()}}}
            for number in donors[first : first + 25]
        ]
        dynamodb.batch_write_item(RequestItems={consents: given})
    body = parquet(facts(donors), FACTS)
    s3.put_object(Bucket=process.named("AMPLY_LAKE_RAW_BUCKET"), Key=f"donations/{DAY}/a.parquet", Body=body)

    def part(name: str) -> Mapping[str, Any]:
        key = {"dataset_id": {"S": "donations"}, "part": {"S": name}}
        found: Mapping[str, Any] = dynamodb.get_item(TableName=datasets, Key=key).get("Item", {})
        return found

    def recorded() -> int:
        return int(s3.list_objects_v2(Bucket=ledger, Prefix="donations/records/")["KeyCount"])

    dynamodb.update_item(
        TableName=datasets,
        Key={"dataset_id": {"S": "donations"}, "part": {"S": "source"}},
        UpdateExpression="SET asked_for = :now",
        ExpressionAttributeValues={":now": {"S": datetime.now(UTC).isoformat()}},
    )
    process.start()
    until(lambda: recorded() > 0, otherwise="no batch was recorded")
    process.kill()
    process.start()
    until(lambda: "latest" in part("dataset"), otherwise="nothing was released")
    assert recorded() == 2, "one batch, one release"
    assert process.said().count("certificates_key") == 2

    buyer = market.sell("donations")
    path = f"{platform.api}/delta-sharing/shares/{buyer.contract}/schemas/released/tables/donations"

    def asked() -> httpx2.Response:
        return httpx2.post(f"{path}/query", headers=_headers(buyer), json={})

    until(lambda: asked().is_success, otherwise="no release to the buyer was made")
    answer = asked()
    lines = [json.loads(line) for line in answer.text.splitlines()]
    rows = [
        row
        for line in lines
        if "file" in line
        for row in pq.read_table(io.BytesIO(httpx2.get(line["file"]["url"]).content)).to_pylist()
    ]
    assert len(rows) == len(donors)
    assert set(rows[0]) == {
        field["name"] for field in json.loads(lines[1]["metaData"]["schemaString"])["fields"]
    }


def _given(number: int) -> Mapping[str, str]:
    today = datetime.now(UTC).date().isoformat()
    return {"subject": f"donor{number}", "purpose": "analytics", "state": "given", "changed_on": today}


def test_what_a_terminal_says_is_kept_once_in_the_raw_lake(platform: Platform, tmp_path: Path) -> None:
    settings = platform.cloud.settings
    folder = register(settings, "local", LOBBY, tmp_path)
    told = json.loads((folder / "terminal.json").read_text())
    said = json.dumps(gift(number=1, at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")).encode()
    with connect(settings, folder, told["client_id"]) as device:
        for payload in (said, said, b"{}"):
            device.publish(told["topics"]["gifts"], payload)
    raw = platform.physical("lake", "AWS::S3::Bucket", "Raw")

    def kept(below: str) -> list[str]:
        found = platform.client("s3").list_objects_v2(Bucket=raw, Prefix=f"terminals/{below}/")
        return [entry["Key"] for entry in found.get("Contents", ())]

    until(lambda: bool(kept("set-aside")), otherwise="the function kept nothing")
    until(lambda: len(kept("gifts")) == 1, otherwise="the gift is not there, or twice")
    body = platform.client("s3").get_object(Bucket=raw, Key=kept("gifts")[0])["Body"].read()
    assert json.loads(body)["principal"] == told["certificate_id"]
    until(
        lambda: _rings(platform, "terminal-refused"),
        otherwise="the line about what was set aside is not counted",
    )
    assert not _rings(platform, "terminal-contradicts")
    # Attached, the stack's policy could not be taken away.
    assert operate(settings, "revoke", "local", LOBBY).exit_code == 0


def _rings(platform: Platform, alarm: str) -> bool:
    """By the deployed filter over what the function says."""
    name = f"amply-local-{alarm}"
    (found,) = platform.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return bool(found["StateValue"] == "ALARM")


def test_a_day_of_terminals_that_is_over_becomes_a_file_that_releases_are_made_of(platform: Platform) -> None:
    raw = platform.physical("lake", "AWS::S3::Bucket", "Raw")
    at = datetime.now(UTC) - timedelta(days=1)
    message = Message.of(handed(gift(number=9, at=f"{at:%Y-%m-%dT%H:%M:%SZ}"), at=at))
    key, body = First.of(message).kept(message)
    platform.client("s3").put_object(Bucket=raw, Key=key, Body=body)
    gather = platform.physical("iot", "AWS::Lambda::Function", "Gather")
    answers = [
        json.loads(platform.client("lambda").invoke(FunctionName=gather)["Payload"].read()) for _ in range(2)
    ]
    assert answers == [{"written": 1}, {"written": 0}]
    listed = platform.client("s3").list_objects_v2(Bucket=raw, Prefix="datasets/terminal_gifts/")
    (file,) = (entry["Key"] for entry in listed["Contents"])
    assert Arrival.of(arrival(file).body).dataset_id == "terminal_gifts"
    source = platform.client("dynamodb").get_item(
        TableName=platform.physical("controlplane", "AWS::DynamoDB::Table", "Datasets"),
        Key={"dataset_id": {"S": "terminal_gifts"}, "part": {"S": "source"}},
    )["Item"]
    assert source == DATASETS[Kind.GIFTS].source()


def sellers_page(platform: Platform) -> list[str]:
    """What is in the site below `/data/`."""
    site = platform.physical("edge", "AWS::S3::Bucket", "Site")
    listed = platform.client("s3").list_objects_v2(Bucket=site, Prefix="data/")
    return [item["Key"] for item in listed.get("Contents", [])]


def test_turned_off_its_stacks_are_taken_away_and_nothing_else(platform: Platform) -> None:
    """Last: it takes away what the others ask."""
    deployment = Deployment(platform.cloud)
    before = set(deployment._statuses())
    assert {name.rpartition(".")[2] for name in sellers_page(platform)} == {"html", "js", "css"}
    flags.choose(platform.cloud.settings, {"AMPLY_FLAGS": "none"})
    assert not deployment.is_current()
    deployment.deploy()
    assert before - set(deployment._statuses()) == {f"local-{stack}" for stack in flags.TOPMOST_FIRST}
    assert sellers_page(platform) == []
    assert deployment.is_current()
