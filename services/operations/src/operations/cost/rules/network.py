"""Price rules of the network: load balancers, NAT and endpoints, and traffic between zones."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from operations.cost.charge import HOURS, Charge, Priced, Rule
from operations.cost.errors import UnpricedError


def vpc(it: Priced) -> Iterator[Charge]:
    yield Charge(price="transfer/zone", quantity=it.assumed("cross_zone_gb"), what="traffic between zones")


def nat_gateway(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/vpc/pricing/: a regional gateway is billed in each zone it has spread to."""
    zones = Decimal(1)
    if it.properties.get("AvailabilityMode") == "regional":
        zones = Decimal(len(_zones(it)))
        yield Charge(price="ipv4", quantity=zones * HOURS, what="NAT gateway: public addresses")
    yield Charge(price="nat/hour", quantity=zones * HOURS, what=f"NAT gateway in {zones} zones")
    yield Charge(price="nat/gb", quantity=it.assumed("nat_gb"), what="NAT gateway: traffic")


def _zones(it: Priced) -> set[str]:
    return {
        str(subnet.properties["AvailabilityZone"])
        for subnet in it.deployed.resources("AWS::EC2::Subnet")
        if subnet.stack == it.resource.stack
    }


def address(_it: Priced) -> Iterator[Charge]:
    yield Charge(price="ipv4", quantity=HOURS, what="public address")


def endpoint(it: Priced) -> Iterator[Charge]:
    """Gateway endpoints are free; interface endpoints cost by the hour in each zone, and by what passes."""
    match it.properties.get("VpcEndpointType", "Gateway"):
        case "Gateway":
            return
        case "Interface":
            zones = Decimal(len(it.properties["SubnetIds"]))
            yield Charge(price="endpoint/hour", quantity=zones * HOURS, what=f"{it.name} in {zones} zones")
            yield Charge(price="endpoint/gb", quantity=it.assumed("endpoint_gb"), what=f"{it.name}: traffic")
        case kind:
            raise UnpricedError(it.resource.where, f"it is an endpoint of type {kind}")


def balancer(it: Priced) -> Iterator[Charge]:
    kind = it.properties.get("Type", "application")
    yield Charge(price=f"balancer/{kind}/hour", quantity=HOURS, what="load balancer")
    yield Charge(
        price=f"balancer/{kind}/unit",
        quantity=it.assumed("balancer_units") * HOURS,
        what="load balancer: load",
    )
    if it.properties.get("Scheme", "internet-facing") == "internet-facing":
        zones = len(it.properties["Subnets"])
        yield Charge(price="ipv4", quantity=zones * HOURS, what="load balancer: public addresses")


RULES: Mapping[str, Rule] = {
    "AWS::EC2::EIP": address,
    "AWS::EC2::NatGateway": nat_gateway,
    "AWS::EC2::VPC": vpc,
    "AWS::EC2::VPCEndpoint": endpoint,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": balancer,
}
