"""The whole platform, as a person runs it: up, demo, status, up again, stop. On its own ports, in its own directory."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx2
import pytest

from local_cloud.cloud import ACCESS, Cloud
from local_cloud.deployment import Deployment
from local_cloud.failures import LocalCloudError
from local_cloud.ports import is_free
from local_cloud.settings import REGION, Settings
from local_cloud.supervisor import control, leftovers
from local_cloud.supervisor.running import State
from local_cloud.up import client_of
from tests.faults.waiting import until
from tests.infrastructure.test_app import ORDER
from tests.local import browser_donor, browser_member, listening, sandbox_page, what_was_logged
from tests.local.deployed import boto_client, leftovers_of_a_deployment
from tests.local.free_ports import settings_of_our_own
from tests.local.running_platform import Platform, verify

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("platform"), pytest.mark.enable_socket]

PARTS = {
    *("cloud", "postgres", "valkey", "stripe"),
    *("api", "worker", "scheduler", "sequencer", "publisher"),
    *("witness-1", "witness-2", "witness-3"),
    *("edge", "outbox"),
}
GIVERS = ("Ada Example", "Grace Browser")
SAID = {"message": "From the demo, with love."}
"""Who gives in this run, and what they wrote."""
_FIRST_WITNESS = "\n— localhost/witness-".encode()
"""Where the lines of a checkpoint begin that the log itself did not write."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Up, after a first try was killed half-way through its deployment: the next one carries on."""
    platform = Platform(settings_of_our_own(tmp_path_factory.mktemp("platform")))
    try:
        platform.type_and_kill("up", once=lambda: platform.deployed_stacks() >= 2)
        assert platform.deployed_stacks() < len(ORDER)
        up = platform.type("up")
        assert up.returncode == 0, up.stdout + up.stderr
        yield platform
    finally:
        assert platform.type("clean").returncode == 0


@pytest.fixture(scope="module")
def demo(platform: Platform) -> dict[str, Any]:
    done = platform.type("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_the_demos_last_line_says_where_everything_is(platform: Platform, demo: dict[str, Any]) -> None:
    assert demo["donation_id"].startswith("don_")
    assert demo["checkpoint_size"] > 0
    assert demo["api_url"] == platform.settings.api_url
    assert demo["log_url"] == platform.settings.log_url
    assert all(seconds >= 0 for seconds in demo["seconds"].values())
    assert json.loads((platform.settings.state / "demo.json").read_text()) == demo


def test_the_tree_of_donors_keys_is_in_a_bucket_of_its_own(platform: Platform, demo: dict[str, Any]) -> None:
    assert demo["donation_id"]
    bucket = Cloud(platform.settings).parameter("storage/key-tree-bucket")
    found = boto_client(platform.settings, "s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [each["Key"] for each in found] == ["donors/1"]


def test_what_was_deployed_passes_the_smoke_test_of_delivery(
    platform: Platform, demo: dict[str, Any]
) -> None:
    command = [sys.executable, "-m", "operations.smoke", "--api", demo["api_url"], "--attempts", "1"]
    command += ["--edge", demo["log_url"].removesuffix("/log"), "--key", demo["verifier_key"]]
    done = subprocess.run(
        [*command, "--policy", str(platform.settings.policy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ok   checkpoint: verifies" in done.stdout


def test_the_receipt_verifies_with_the_published_key_alone(demo: dict[str, Any]) -> None:
    verified = verify(demo["receipt"], demo["verifier_key"])
    assert verified.returncode == 0, verified.stderr
    assert demo["donation_id"] in verified.stdout
    assert "25.00 EUR" in verified.stdout


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_receipt_with_one_byte_changed_is_refused_with_a_reason(
    demo: dict[str, Any], tmp_path: Path, place: float
) -> None:
    """What the log has signed for; the witnesses' lines behind it mean nothing without a policy."""
    content = bytearray(Path(demo["receipt"]).read_bytes())
    content[int(content.index(_FIRST_WITNESS) * place)] ^= 1
    altered = tmp_path / "altered.tlog-proof"
    altered.write_bytes(content)
    refused = verify(str(altered), demo["verifier_key"])
    assert refused.returncode != 0
    assert refused.stderr.startswith("FAIL: ")


def test_a_receipt_with_one_byte_of_a_witness_changed_is_refused_under_the_policy(
    platform: Platform, demo: dict[str, Any], tmp_path: Path
) -> None:
    under_policy = ("--policy", str(platform.settings.policy))
    assert verify(demo["receipt"], demo["verifier_key"], *under_policy).returncode == 0
    content = bytearray(Path(demo["receipt"]).read_bytes())
    line = content.index(_FIRST_WITNESS) + 1
    content[(line + content.index(b"\n", line)) // 2] ^= 1
    altered = tmp_path / "altered.tlog-proof"
    altered.write_bytes(content)
    refused = verify(str(altered), demo["verifier_key"], *under_policy)
    assert refused.returncode != 0
    assert refused.stderr.startswith("FAIL: ")


def test_the_donation_is_public_without_anything_personal(demo: dict[str, Any]) -> None:
    shown = httpx2.get(f"{demo['api_url']}/v1/donations/{demo['donation_id']}").json()
    assert shown["status"] == "succeeded"
    assert shown["ledger"]["checkpoint_size"] > shown["ledger"]["index"]
    assert "Ada" not in json.dumps(shown)


def test_the_log_can_be_read_from_any_page_and_is_never_stale(demo: dict[str, Any]) -> None:
    answer = httpx2.get(f"{demo['log_url']}/checkpoint", headers={"Origin": "https://auditor.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "no-cache" in answer.headers["cache-control"]


def test_the_edge_serves_the_pages_as_cloudfront_would(platform: Platform) -> None:
    edge = platform.settings.edge_url
    page = httpx2.get(f"{edge}/demo/")
    assert page.headers["content-type"].startswith("text/html")
    assert "amply-button" in page.text
    assert httpx2.get(f"{edge}/demo", follow_redirects=False).headers["location"] == "/demo/"
    unchanged = httpx2.get(f"{edge}/demo/", headers={"If-None-Match": page.headers["etag"]})
    assert unchanged.status_code == 304
    assert httpx2.head(f"{edge}/demo/").headers["content-length"] == str(len(page.content))
    assert httpx2.get(f"{edge}/no-such-page/").status_code == 404
    config = httpx2.get(f"{edge}/config.json").json()
    assert config["api_url"] == platform.settings.api_url
    assert config["ledger_policy"] == platform.settings.policy.read_text()
    policy = httpx2.get(f"{edge}/policy.txt")
    assert policy.headers["content-type"].startswith("text/plain")
    assert policy.text == config["ledger_policy"]


def test_the_edge_serves_the_widgets_by_version(platform: Platform) -> None:
    edge = platform.settings.edge_url
    exact = httpx2.get(f"{edge}/v1.1.0/amply-button.js")
    assert exact.headers["content-type"].startswith("text/javascript")
    assert exact.headers["cache-control"] == "public, max-age=31536000, immutable"
    for moving in ("v1", "v1.1"):
        newest = httpx2.get(f"{edge}/{moving}/amply-button.js", headers={"Origin": "https://charity.example"})
        assert newest.content == exact.content
        assert newest.headers["cache-control"] == "public, max-age=300"
        assert newest.headers["access-control-allow-origin"] == "*"
    before = httpx2.get(f"{edge}/v1.0.0/amply-button.js").content
    assert httpx2.get(f"{edge}/v1.0/amply-button.js").content == before != exact.content
    missing = httpx2.get(f"{edge}/v1.0.999/amply-button.js")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("cache-control", "")


def _mean_by_newest(settings: Settings, before: str, after: str) -> None:
    """What docs/runbooks/widget-rollback.md does in a hurry."""
    cloudfront = Cloud(settings).cloudfront
    items = cloudfront.list_functions(Stage="LIVE")["FunctionList"]["Items"]
    (name,) = (item["Name"] for item in items if "NewestVersions" in item["Name"])
    code = cloudfront.get_function(Name=name, Stage="LIVE")["FunctionCode"].read()
    cloudfront.update_function(
        Name=name,
        IfMatch=cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")["ETag"],
        FunctionCode=code.replace(f'"{before}"'.encode(), f'"{after}"'.encode()),
        FunctionConfig={"Comment": "rollback", "Runtime": "cloudfront-js-2.0"},
    )
    updated = cloudfront.describe_function(Name=name, Stage="DEVELOPMENT")["ETag"]
    cloudfront.publish_function(Name=name, IfMatch=updated)


def test_a_widget_release_is_taken_back_for_everyone_at_once(platform: Platform) -> None:
    edge = platform.settings.edge_url
    s3 = boto3.client(
        "s3",
        endpoint_url=platform.settings.cloud_url,
        region_name=REGION,
        aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
    )
    bucket = Cloud(platform.settings).parameter("edge/site-bucket")
    s3.put_object(Bucket=bucket, Key="v1.1.9/amply-button.js", Body=b"a bad release")
    good = httpx2.get(f"{edge}/v1/amply-button.js").content
    _mean_by_newest(platform.settings, "1.1.0", "1.1.9")
    assert httpx2.get(f"{edge}/v1/amply-button.js").content == b"a bad release"
    _mean_by_newest(platform.settings, "1.1.9", "1.1.0")
    assert httpx2.get(f"{edge}/v1/amply-button.js").content == good


def test_a_donor_gives_in_a_browser_and_is_shown_the_ledger(platform: Platform, demo: dict[str, Any]) -> None:
    given = httpx2.get(f"{demo['api_url']}/v1/donations/{demo['donation_id']}").json()
    page = f"{platform.settings.edge_url}/donate/?org={given['organization_id']}&amount=2500&currency=EUR"
    said, errors = browser_donor.give(page, name="Grace Browser", email="grace@example.org")
    assert "€25.00 to Demo Relief went through." in said
    assert errors == []
    said, errors = browser_donor.give(page, name="Ada Browser", email="ada@example.org", rhythm="Monthly")
    assert "The next gift is collected on" in said
    assert errors == []


def test_every_part_is_well_and_said_to_be(platform: Platform) -> None:
    status = platform.type("status")
    assert status.returncode == 0, status.stdout
    *parts, features = status.stdout.splitlines()[1:]
    assert {line.split()[0] for line in parts} == PARTS
    assert features == "flags: none"


def test_everything_listens_on_loopback_only(platform: Platform) -> None:
    assert listening.addresses(leftovers.find(platform.settings.state)) == {"127.0.0.1"}


def test_a_second_up_changes_nothing(platform: Platform, demo: dict[str, Any]) -> None:
    before = {part.name: part.pid for part in client_of(platform.settings).status()}
    again = platform.type("up")
    assert again.returncode == 0, again.stderr
    assert "CDK app: nothing changed" in again.stdout
    assert {part.name: part.pid for part in client_of(platform.settings).status()} == before
    assert json.loads((platform.settings.state / "demo.json").read_text()) == demo


@pytest.mark.nightly
def test_every_way_that_money_moves_is_shown_with_its_entries(platform: Platform) -> None:
    done = platform.type("demo-payments")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert json.loads((platform.settings.state / "payments.json").read_text()) == result
    del result["seconds"]
    kinds = {name: [entry["kind"] for entry in flow["entries"]] for name, flow in result.items()}
    assert kinds["one_off"] == ["donation.succeeded", "processor.fee"]
    assert kinds["monthly"] == kinds["one_off"]
    assert kinds["refund"] == ["refund.initiated", "donation.refunded"]
    assert {"dispute.opened", "dispute.fee", "dispute.won"} <= set(kinds["dispute"])
    assert {"payout.created", "payout.paid"} <= set(kinds["payout"])


def test_an_organisation_comes_in_and_takes_a_gift_by_its_own_key(platform: Platform) -> None:
    done = platform.type("demo-organisation")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert json.loads((platform.settings.state / "demo-organisation.json").read_text()) == result
    shown = httpx2.get(f"{platform.settings.api_url}/v1/donations/{result['donation_id']}").json()
    assert (shown["status"], shown["organization_id"]) == ("succeeded", result["organization_id"])
    answered = {(each["who"], each["what"]): each["answer"] for each in result["seen"]}
    assert (answered["owner", "/keys"], answered["finance", "/keys"]) == (200, 403)
    assert (answered["stranger", "/gifts"], answered["key", "/gifts"]) == (404, 200)
    browser_member.shows_a_logo(platform.settings, result)


def test_the_sandbox_pages_commands_for_a_laptop_end_with_a_verified_donation(platform: Platform) -> None:
    done = sandbox_page.typed(sandbox_page.commands(sandbox_page.LAPTOP), platform.place)
    assert done.returncode == 0, done.stdout + done.stderr
    _, _, verified = done.stdout.rpartition("OK: ")
    assert "15.00 EUR" in verified
    assert "grace@example.org" in verified


def test_no_log_of_any_part_holds_a_secret_or_names_a_person(platform: Platform) -> None:
    """After everything above: gifts over HTTP and in a browser, a plan, a refund, a dispute, a payout, letters."""
    settings = platform.settings
    logs = what_was_logged.logs_of(settings)
    assert {"api", "worker", "scheduler", "publisher", "stripe", "cloud", "postgres", "cdk"} <= {
        name.removesuffix(".log") for name in logs
    }
    letters, people = what_was_logged.letters_of(settings), what_was_logged.people_of(settings)
    for name in GIVERS:
        assert any(name in letter for letter in letters), f"{name} was in this run"
    secrets = what_was_logged.secrets_of(settings)
    assert len(people) >= 2
    assert len(secrets) >= 10

    forbidden = {**secrets, **people, **{name: name for name in GIVERS}, **SAID}
    told = {name: what_was_logged.betrayed(content, forbidden) for name, content in logs.items()}
    assert {name: found for name, found in told.items() if found} == {}


def test_a_port_that_someone_else_took_is_named(platform: Platform, tmp_path: Path) -> None:
    beside = Platform(Settings(state=tmp_path / "beside", ports=platform.settings.ports))
    refused = beside.type("up")
    assert refused.returncode == 1
    assert f"Port {platform.settings.ports.cloud}, which cloud needs, is taken by " in refused.stderr
    assert leftovers.find(beside.settings.state) == []


def test_a_killed_supervisor_leaves_nothing_and_up_continues_the_same_log(
    platform: Platform, demo: dict[str, Any]
) -> None:
    checkpoint = httpx2.get(f"{demo['log_url']}/checkpoint").text
    supervisor = control.running_pid(platform.settings.state)
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    until(
        lambda: all(is_free(port) for port in platform.settings.ports.by_part().values()),
        otherwise="a port is still taken",
    )
    until(lambda: leftovers.find(platform.settings.state) == [], otherwise="a process is left")
    assert platform.type("stop").returncode == 0  # nothing runs, and what is kept stays
    assert platform.type("status").returncode == 1
    again = platform.type("up")
    assert again.returncode == 0, again.stderr
    assert "CDK app: nothing changed" in again.stdout
    assert verify(demo["receipt"], demo["verifier_key"]).returncode == 0
    grown = httpx2.get(f"{demo['log_url']}/checkpoint").text
    assert int(grown.splitlines()[1]) > int(checkpoint.splitlines()[1])


def test_a_killed_database_comes_back_and_donations_go_on(platform: Platform) -> None:
    client = client_of(platform.settings)
    (before,) = (part for part in client.status() if part.name == "postgres")
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    def is_started_again() -> bool:
        (now,) = (part for part in client.status() if part.name == "postgres")
        return now.restarts > before.restarts and now.pid not in (None, before.pid)

    until(is_started_again, otherwise="the database is not started again")
    until(lambda: all(part.state is State.HEALTHY for part in client.status()), otherwise="not all are well")
    done = platform.type("demo")
    assert done.returncode == 0, done.stdout + done.stderr


def test_after_a_deployment_there_is_no_difference(platform: Platform) -> None:
    done = platform.type("difference")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Number of stacks with differences: 0" in done.stdout + done.stderr


def test_a_change_that_would_lose_a_bucket_is_refused_before_it_is_deployed(
    platform: Platform, tmp_path: Path
) -> None:
    """The archive under another logical id: a new, empty bucket beside the one with the checkpoints, or instead of it."""
    run = Deployment(Cloud(platform.settings))
    assembly = platform.settings.emulator / "assembly"
    run._refuse_losses(assembly)  # what is deployed loses nothing
    renamed = tmp_path / "assembly"
    shutil.copytree(assembly, renamed)
    (template,) = renamed.glob("assembly-local/*storage*.template.json")
    text = template.read_text()
    (archive,) = set(re.findall(r'"(ArchiveDA[0-9A-F]{6})": ', text))
    template.write_text(text.replace(archive, "Elsewhere00000000"))
    with pytest.raises(LocalCloudError, match="replace or destroy what holds data"):
        run._refuse_losses(renamed)
    assert "storage/Archive" in platform.settings.log_of("cdk").read_text()


def test_a_change_is_shown_and_then_deployed(platform: Platform) -> None:
    """The change is one that anybody makes by hand: a service told to rest."""
    ecs = boto_client(platform.settings, "ecs")
    changed = platform.change("idle=true")
    assert changed.returncode == 0, changed.stdout + changed.stderr

    (cluster,) = ecs.list_clusters()["clusterArns"]
    services = ecs.list_services(cluster=cluster)["serviceArns"]
    described = ecs.describe_services(cluster=cluster, services=services)["services"]
    assert {service["desiredCount"] for service in described} == {0}

    shown = platform.type("difference")
    assert shown.returncode == 1
    assert "DesiredCount" in shown.stdout + shown.stderr


def test_destroying_leaves_nothing(platform: Platform) -> None:
    done = platform.type("destroy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert leftovers_of_a_deployment(platform.settings) == []


def test_stop_leaves_no_process(platform: Platform) -> None:
    assert platform.type("stop").returncode == 0
    assert leftovers.find(platform.settings.state) == []
    assert platform.type("status").returncode == 1
