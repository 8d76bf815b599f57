"""Price rules of compute: Fargate tasks, Lambda functions, and container images."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from operations.cost.charge import HOURS, Charge, Priced, Rule
from operations.cost.errors import UnpricedError

_OF_THE_DEPLOYMENT = "Custom::"
"""What the construct library calls functions that run for seconds when something is deployed."""
_DISK_GB = 20
"""What every task has, and nobody pays for."""


def service(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/fargate/pricing/: vCPU, memory and disk by the second; an address where tasks have one."""
    if it.properties.get("LaunchType") != "FARGATE":
        raise UnpricedError(it.resource.where, "its tasks are not started as LaunchType FARGATE")
    task = it.neighbour(it.properties["TaskDefinition"], "AWS::ECS::TaskDefinition")
    platform = task.properties.get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64")
    cpu, memory = task.number("Cpu") / 1024, task.number("Memory") / 1024
    tasks = _tasks(it)
    what = f"{it.name}: {_plain(tasks)} of {_plain(cpu)} vCPU, {_plain(memory)} GB"
    yield Charge(price=f"fargate/{platform}/vcpu", quantity=tasks * cpu * HOURS, what=what)
    yield Charge(price=f"fargate/{platform}/memory", quantity=tasks * memory * HOURS, what=what)
    disk = _disk_gb(task)
    if disk > _DISK_GB:
        added = disk - _DISK_GB
        yield Charge(
            price="fargate/storage",
            quantity=tasks * added * HOURS,
            what=f"{it.name}: {_plain(added)} GB more of disk",
        )
    network = it.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    if network.get("AssignPublicIp") == "ENABLED":
        yield Charge(price="ipv4", quantity=tasks * HOURS, what=f"{it.name}: public address")


def _disk_gb(task: Priced) -> Decimal:
    return Decimal(task.properties.get("EphemeralStorage", {}).get("SizeInGiB", _DISK_GB))


def _tasks(it: Priced) -> Decimal:
    """The fixed number, or what scaling keeps at least and a share of what it may add."""
    if "DesiredCount" in it.properties:
        return it.number("DesiredCount")
    mine = {"Fn::GetAtt": [it.resource.logical_id, "Name"]}
    for target in it.deployed.resources("AWS::ApplicationAutoScaling::ScalableTarget"):
        if target.stack == it.resource.stack and mine in target.properties["ResourceId"]["Fn::Join"][1]:
            scaled = Priced(resource=target, deployed=it.deployed, usage=it.usage)
            least, most = scaled.number("MinCapacity"), scaled.number("MaxCapacity")
            return least + (most - least) * it.assumed("scaling_share")
    return Decimal(1)


def cluster(it: Priced) -> Iterator[Charge]:
    """Container Insights is billed by the metric; the services it watches decide how many there are."""
    settings = {entry["Name"]: entry["Value"] for entry in it.properties.get("ClusterSettings", [])}
    level = settings.get("containerInsights", "disabled")
    if level != "disabled":
        services = sum(1 for _ in it.deployed.resources("AWS::ECS::Service"))
        metrics = services * it.assumed("insights_metrics_per_service")
        yield Charge(price=f"insights/{level}", quantity=metrics, what=f"Container Insights, {level}")


def function(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/lambda/pricing/: calls, and memory for as long as they take."""
    if it.name.startswith(_OF_THE_DEPLOYMENT):
        return
    platform = it.properties.get("Architectures", ["x86_64"])[0]
    millions = it.assumed("function_calls_millions")
    memory = it.number("MemorySize") / 1024 if "MemorySize" in it.properties else Decimal(128) / 1024
    seconds = millions * 1_000_000 * it.assumed("function_seconds")
    yield Charge(price="lambda/calls", quantity=millions, what=f"{it.name}: calls")
    yield Charge(price=f"lambda/{platform}", quantity=seconds * memory, what=f"{it.name}: run time")


def repository(it: Priced) -> Iterator[Charge]:
    yield Charge(price="ecr/storage", quantity=it.assumed("image_gb"), what="container images")


def image_copies(it: Priced) -> Iterator[Charge]:
    """What is pushed crosses regions once; what it takes up there is the other repository's."""
    yield Charge(
        price="transfer/region", quantity=it.assumed("image_new_gb"), what="images copied to another region"
    )


def registry_scanning(it: Priced) -> Iterator[Charge]:
    if it.properties.get("ScanType", "BASIC") != "BASIC":
        raise UnpricedError(it.resource.where, "enhanced scanning is charged by Inspector, image by image")
    yield from ()


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


RULES: Mapping[str, Rule] = {
    "AWS::ECR::RegistryScanningConfiguration": registry_scanning,
    "AWS::ECR::ReplicationConfiguration": image_copies,
    "AWS::ECR::Repository": repository,
    "AWS::ECS::Cluster": cluster,
    "AWS::ECS::Service": service,
    "AWS::Lambda::Function": function,
}
