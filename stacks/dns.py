"""The Route 53 zone of an environment's domain, with CAA records."""

from typing import Protocol, cast

from aws_cdk import CfnOutput, Duration, Fn
from aws_cdk import aws_route53 as route53
from constructs import Construct

from stacks.contracts import RecoveryParameter
from stacks.domain import DomainSettings
from stacks.environment import Environment
from stacks.stack import AmplyStack

AUTHORITIES = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""The names Amazon's authority goes by: https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html."""
DAY = Duration.days(1)


class Names(Protocol):
    """A hosted zone, created here or elsewhere."""

    @property
    def domain(self) -> DomainSettings: ...

    def zone_in(self, stack: AmplyStack) -> route53.IPublicHostedZone:
        """The zone as a stack refers to it."""


class KeptZone:
    """The existing zone, after the loss of the region whose stack created it: Route 53 is global."""

    def __init__(self, domain: DomainSettings) -> None:
        self.domain = domain

    def zone_in(self, stack: AmplyStack) -> route53.IPublicHostedZone:
        made = stack.node.try_find_child("KeptZone")
        if made is None:
            made = route53.PublicHostedZone.from_public_hosted_zone_attributes(
                stack,
                "KeptZone",
                hosted_zone_id=stack.recovery_input(RecoveryParameter.HOSTED_ZONE),
                zone_name=self.domain.apex,
            )
        return cast("route53.IPublicHostedZone", made)


class Dns(AmplyStack):
    """The zone alone; each record is in the stack that knows its target.

    Queries are not logged: the log would tell who looked for us, and the zone keeps nothing secret.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, domain: DomainSettings
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: DNS zone",
            # Another zone means other name servers, and the parent still delegating to the old ones.
            holds_data=True,
        )
        self.domain = domain
        self.zone = self._make_zone()
        self._certify_by_amazon_alone()

    def zone_in(self, _stack: AmplyStack) -> route53.IPublicHostedZone:
        return self.zone

    def _make_zone(self) -> route53.PublicHostedZone:
        zone = route53.PublicHostedZone(
            self, "Zone", zone_name=self.domain.apex, comment=f"Amply {self.settings.name}"
        )
        zone.apply_removal_policy(self.settings.durability.removal_policy)
        CfnOutput(
            self,
            "NameServers",
            description="What the parent zone delegates to, see docs/runbooks/dns-and-certificates.md",
            value=Fn.join(" ", cast("list[str]", zone.hosted_zone_name_servers)),
        )
        return zone

    def _certify_by_amazon_alone(self) -> None:
        """RFC 8659. Wildcards are certified by nobody: every name we use is written down."""
        values = [
            *(route53.CaaRecordValue(flag=0, tag=route53.CaaTag.ISSUE, value=name) for name in AUTHORITIES),
            route53.CaaRecordValue(flag=0, tag=route53.CaaTag.ISSUEWILD, value=";"),
            route53.CaaRecordValue(flag=0, tag=route53.CaaTag.IODEF, value=f"mailto:{self.domain.reports}"),
        ]
        route53.CaaRecord(self, "Authorities", zone=self.zone, values=values, ttl=DAY)
