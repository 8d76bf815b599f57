"""The edge's certificate, and who hears of its end. CloudFront takes one from us-east-1 alone, wherever the rest stands."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct

from constructs_lib.alarms import Pager, Severity, make_topic
from stacks.contracts import RUNBOOKS
from stacks.dns import Names
from stacks.environment import Environment
from stacks.expiry import watch_certificate
from stacks.stack import AmplyStack

CLOUDFRONT_REGION = "us-east-1"


class Certificate(AmplyStack):
    """Proves the domain by records in its zone, and renews itself while they stand there."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, dns: Names) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: certificate of the edge",
            env=cdk.Environment(account=environment.account, region=CLOUDFRONT_REGION),
        )
        site, *others = dns.domain.edge_hosts
        self.certificate = acm.Certificate(
            self,
            "Edge",
            domain_name=site,
            subject_alternative_names=others,
            validation=acm.CertificateValidation.from_dns(dns.zone_in(self)),
        )
        notices = make_topic(self, "Notices", email=environment.alarm_email)
        pager = Pager(
            self,
            "Alarms",
            topics={Severity.NOTICE: notices},
            prefix=f"amply-{environment.name}",
            runbooks=RUNBOOKS,
        )
        watch_certificate(pager, "certificate-edge", self.certificate, whose="The edge's")
