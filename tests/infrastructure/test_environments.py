"""Configurations that must not exist cannot be written down, and each environment keeps its promises."""

import json
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network
from itertools import combinations

import pytest

from constructs_lib.durability import (
    DISPOSABLE,
    PERMANENT,
    RECOVERABLE,
    Durability,
    LockMode,
    Loss,
    ObjectLock,
    UnsafeDurabilityError,
)
from ledger_format.errors import NoteError, PolicyError
from ledger_format.notes import VerifierKey
from ledger_format.policies import parse_policy
from operations.locations import needed_by
from stacks.environment import FixedAddresses, TaskSettings
from stacks.environments import LOCAL, PRODUCTION, SANDBOX, STAGING, local
from stacks.images import ImageReference, image_missing
from stacks.local_ports import LocalPorts
from tests.infrastructure.assembly import Deployed, kind

COMPLIANCE = ObjectLock(mode=LockMode.COMPLIANCE, days=1)
GOVERNANCE = ObjectLock(mode=LockMode.GOVERNANCE, days=1)


@pytest.mark.parametrize("loss", [Loss.ACCEPTED, Loss.AFTER_SNAPSHOT])
def test_a_compliance_lock_on_data_that_may_be_lost_is_refused(loss: Loss) -> None:
    with pytest.raises(UnsafeDurabilityError, match="COMPLIANCE"):
        Durability(loss=loss, backup_days=7, object_lock=COMPLIANCE)


@pytest.mark.parametrize("lock", [None, GOVERNANCE])
def test_data_that_is_never_lost_needs_a_compliance_lock(lock: ObjectLock | None) -> None:
    with pytest.raises(UnsafeDurabilityError, match="COMPLIANCE"):
        Durability(loss=Loss.NEVER, backup_days=7, object_lock=lock)


def test_data_that_is_never_lost_needs_a_week_of_backups() -> None:
    with pytest.raises(UnsafeDurabilityError, match="seven days"):
        Durability(loss=Loss.NEVER, backup_days=6, object_lock=COMPLIANCE)


def test_pages_pin_keys_of_their_own_log_and_no_others() -> None:
    keys = [str(VerifierKey.from_ed25519(SANDBOX.log_origin, bytes([number]) * 32)) for number in (1, 2)]
    assert SANDBOX.ledger_policy == ""
    assert STAGING.ledger_policy == ""
    pinned = replace(SANDBOX, log_keys=tuple(keys))
    assert pinned.ledger_policy == f"log {keys[0]}\nlog {keys[1]}\nquorum none\n"
    with pytest.raises(PolicyError, match="earlier line"):
        replace(SANDBOX, log_keys=(keys[0], keys[0]))
    with pytest.raises(ValueError, match="pin keys of the log"):
        replace(PRODUCTION, log_keys=(keys[0],))
    with pytest.raises(NoteError):
        replace(SANDBOX, log_keys=("no key",))


def test_pages_demand_the_witnesses_that_the_publisher_needs() -> None:
    key = str(VerifierKey.from_ed25519(PRODUCTION.log_origin, bytes([1]) * 32))
    pinned = replace(PRODUCTION, log_keys=(key,))
    assert pinned.ledger_policy == f"log {key}\n{PRODUCTION.witnesses.policy()}"
    policy = parse_policy(pinned.ledger_policy.encode())
    assert (policy.demands_witnesses, len(policy.witnesses)) == (True, 3)


@pytest.mark.parametrize("days", [0, 36])
def test_backups_outside_what_rds_keeps_are_refused(days: int) -> None:
    with pytest.raises(UnsafeDurabilityError, match="1 to 35 days"):
        Durability(loss=Loss.ACCEPTED, backup_days=days, object_lock=None)


def test_a_lock_for_no_time_is_refused() -> None:
    with pytest.raises(UnsafeDurabilityError, match="at least one day"):
        ObjectLock(mode=LockMode.GOVERNANCE, days=0)


def test_destroying_data_needs_the_second_key() -> None:
    assert DISPOSABLE.with_destruction(allowed=True) is DISPOSABLE
    assert DISPOSABLE.with_destruction(allowed=False).loss is Loss.AFTER_SNAPSHOT


@pytest.mark.parametrize("durability", [PERMANENT, RECOVERABLE])
def test_the_second_key_alone_destroys_nothing(durability: Durability) -> None:
    assert durability.with_destruction(allowed=True) is durability


def test_an_idle_deployment_has_every_service_and_runs_none(idle: Deployed) -> None:
    counts = {
        service.where: service.properties["DesiredCount"] for service in idle.resources("AWS::ECS::Service")
    }
    assert set(counts.values()) == {0}
    assert len(counts) == 5
    assert list(idle.resources("AWS::ApplicationAutoScaling::ScalableTarget")) == []


def test_real_money_and_disposable_data_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="never be lost"):
        replace(PRODUCTION, durability=RECOVERABLE)


def test_a_live_key_needs_live_mode() -> None:
    with pytest.raises(ValueError, match="belong together"):
        replace(STAGING, stripe=PRODUCTION.stripe)


def test_real_receipts_need_a_log_with_a_name_of_ours() -> None:
    with pytest.raises(ValueError, match="domain of its own"):
        replace(PRODUCTION, domain=None)


def test_fixed_addresses_and_a_domain_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="two answers"):
        replace(LOCAL, domain=STAGING.domain)


def test_mail_from_where_no_record_can_stand_is_refused() -> None:
    with pytest.raises(ValueError, match="where its records can stand"):
        replace(STAGING, domain=PRODUCTION.domain)


def test_zones_of_another_region_are_refused() -> None:
    with pytest.raises(ValueError, match="not all in"):
        replace(SANDBOX, region="us-east-1")


def test_more_cache_replicas_than_other_zones_are_refused() -> None:
    with pytest.raises(ValueError, match="replicas"):
        replace(SANDBOX, cache=replace(SANDBOX.cache, replicas=2))


def test_fewer_tasks_at_most_than_at_least_are_refused() -> None:
    with pytest.raises(ValueError, match="not a range"):
        TaskSettings(size=PRODUCTION.tasks.single, count=3, limit=2)


@pytest.mark.parametrize("reference", ["amply:latest", "amply", "@sha256:" + "0" * 64, "amply@sha256:abc"])
def test_an_image_without_a_digest_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        ImageReference.parse(reference)


def _digests(deployed: Deployed) -> set[str]:
    """What the images of all tasks end with."""
    found = set()
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        found.add(json.dumps(container["Image"]).partition("@")[2])
    return found


def test_without_an_image_the_templates_ask_for_one(environments: Mapping[str, Deployed]) -> None:
    """For whoever deploys such a stack by itself, past the one that refuses for all of them."""
    staging = environments["staging"]
    for stack in ("migrations", "api", "workers"):
        asked = staging.templates[stack]["Parameters"]["ImageDigest"]
        assert "Default" not in asked
        assert "-c image=" in asked["Description"]
    assert _digests(staging) == {'", {"Ref": "ImageDigest"}]]}'}
    assert "ImageDigest" not in environments["local"].templates["api"]["Parameters"]


@pytest.mark.parametrize("name", ["production", "staging", "sandbox"])
def test_without_an_image_every_stack_waits_for_the_one_that_refuses(
    name: str, environments: Mapping[str, Deployed]
) -> None:
    """Independent stacks are deployed in whichever order their templates are uploaded."""
    deployed = environments[name]
    (assertion,) = deployed.templates["network"]["Rules"]["ImageMissing"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": ["placeholder", "real"]}
    assert assertion["AssertDescription"] == image_missing(name)
    waiting = {stack for stack in deployed.manifests if "network" in needed_by(deployed, stack)}
    assert waiting == set(deployed.manifests) - {"network"}


def test_with_an_image_nothing_is_refused_and_nothing_waits_in_vain(
    environments: Mapping[str, Deployed], idle: Deployed
) -> None:
    for deployed in (environments["local"], idle):
        assert "ImageMissing" not in deployed.templates["network"].get("Rules", {})
        assert list(needed_by(deployed, "keys")) == []


def test_an_image_that_is_given_is_run_by_every_task(idle: Deployed) -> None:
    assert _digests(idle) == {"sha256:" + "5" * 64 + '"'}
    assert "ImageDigest" not in idle.templates["api"]["Parameters"]


def test_a_deployment_leaves_the_number_of_tasks_to_scaling(deployed: Deployed) -> None:
    """A number in the template would set a busy service back in the middle of a rush."""
    scaled = {
        str(target.properties["ResourceId"]).partition("Service")[2]
        for target in deployed.resources("AWS::ApplicationAutoScaling::ScalableTarget")
    }
    unnumbered = [
        service.where
        for service in deployed.resources("AWS::ECS::Service")
        if "DesiredCount" not in service.properties
    ]
    assert len(scaled) == len(unnumbered) == (2 if deployed.name in {"production", "staging"} else 0)


def test_local_addresses_count_from_the_port_base() -> None:
    laptop = local(20100)

    assert laptop.addresses == FixedAddresses(
        api_url="http://127.0.0.1:20100",
        edge_url="http://127.0.0.1:20101",
        upload_url="http://127.0.0.1:20106",
        api_port=20100,
    )
    assert laptop.stripe.api_url == "http://127.0.0.1:20102"


@pytest.mark.parametrize("port_base", [80, 65526])
def test_a_port_base_without_room_is_refused(port_base: int) -> None:
    with pytest.raises(ValueError, match="11 unprivileged ports"):
        local(port_base)


def test_the_highest_port_base_is_the_one_that_a_run_takes_too() -> None:
    assert local(65525).addresses is not None
    assert LocalPorts(base=65525).terminals == 65535


def test_networks_do_not_overlap() -> None:
    ranges = [IPv4Network(environment.network.cidr) for environment in (PRODUCTION, STAGING, SANDBOX)]
    assert [(a, b) for a, b in combinations(ranges, 2) if a.overlaps(b)] == []


def test_each_log_has_a_name_of_its_own() -> None:
    origins = [environment.log_origin for environment in (PRODUCTION, STAGING, SANDBOX, LOCAL)]
    assert len(set(origins)) == len(origins)


LOCKS: Mapping[str, tuple[str | None, int | None]] = {
    "production": ("COMPLIANCE", 3650),
    "staging": ("GOVERNANCE", 30),
    "sandbox": (None, None),
    "local": ("GOVERNANCE", 1),
}


def test_checkpoints_are_locked_as_promised(deployed: Deployed) -> None:
    """The archive, and its copy in the second region."""
    archives = [
        bucket for bucket in deployed.resources("AWS::S3::Bucket") if bucket.logical_id.startswith("Archive")
    ]
    assert len(archives) == (2 if deployed.name == "production" else 1)
    for archive in archives:
        configuration = archive.properties.get("ObjectLockConfiguration", {"Rule": {"DefaultRetention": {}}})
        retention = configuration["Rule"]["DefaultRetention"]
        assert (retention.get("Mode"), retention.get("Days")) == LOCKS[kind(deployed)]


def test_the_audit_log_is_kept_for_seven_years() -> None:
    mode, days = LOCKS["production"]
    assert mode == "COMPLIANCE"
    assert days is not None
    assert days >= 7 * 366


@pytest.mark.parametrize("stack", ["keys", "storage", "database", "queues", "mail", "edge"])
def test_stacks_with_data_cannot_be_deleted_where_data_is_kept(deployed: Deployed, stack: str) -> None:
    protected = deployed.manifests[stack]["properties"].get("terminationProtection", False)
    assert protected is (deployed.name in {"production", "staging"})


def test_the_database_is_as_agreed(deployed: Deployed) -> None:
    database = deployed.the("AWS::RDS::DBInstance").properties

    assert database["EngineVersion"] == "18.6"
    assert database["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in database
    assert database["EnableIAMDatabaseAuthentication"] is True
    assert database["StorageType"] == "gp3"
    assert database["DeletionProtection"] is (deployed.name in {"production", "staging"})
    assert database["MultiAZ"] is (deployed.name in {"production", "staging"})


def test_there_is_a_way_out_without_a_gateway_where_that_is_cheaper(deployed: Deployed) -> None:
    gateways = list(deployed.resources("AWS::EC2::NatGateway"))
    public = {
        service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"]
        for service in deployed.resources("AWS::ECS::Service")
    }
    if deployed.name in {"production", "staging"}:
        assert len(gateways) == 1
        assert public == {"DISABLED"}
    else:
        assert gateways == []
        assert public == {"ENABLED"}
