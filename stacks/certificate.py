"""CloudFront's certificate, in us-east-1 as CloudFront requires, with its expiry alarm."""

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct

from constructs_lib.alarms import Severity
from stacks.certificate_alarms import watch_certificate
from stacks.dns import Names
from stacks.environment import Environment
from stacks.paging import make_pager, make_topics
from stacks.stack import AmplyStack

CLOUDFRONT_REGION = "us-east-1"


class Certificate(AmplyStack):
    """Validated by DNS records in its zone, and renewed automatically while they exist."""

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
        pager = make_pager(self, make_topics(self, Severity.NOTICE))
        watch_certificate(pager, "certificate-edge", self.certificate, whose="The edge's")
